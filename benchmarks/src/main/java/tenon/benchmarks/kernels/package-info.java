/** Each kernel of the back-end by itself, at the shapes that the suite's networks give it. */
package tenon.benchmarks.kernels;
