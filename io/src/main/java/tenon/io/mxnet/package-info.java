/** Reads and writes MXNet's record files ({@code .rec} with {@code .idx} and {@code .lst}). */
package tenon.io.mxnet;
