/** Parts that networks of one family repeat: residual units, Inception and Fire modules. */
package tenon.layers.blocks;
