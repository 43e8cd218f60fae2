/** Layers, their initializers, and how they are put together into models. */
package tenon.layers;
