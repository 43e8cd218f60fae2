/** Weights that other frameworks wrote: MXNet's {@code .params}, NumPy's {@code .npz}, Keras's {@code .h5}; nothing in such a file is believed. */
package tenon.io.weights;
