/** Tensors, shapes, data types, devices, scopes and the entry points of the engine. */
package tenon.engine;
