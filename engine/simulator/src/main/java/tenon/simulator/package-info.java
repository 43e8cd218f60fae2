/**
 * A simulated CUDA device: stand-ins for the driver, NVRTC, cuDNN and cuBLAS over host memory, which check every call as the real libraries would and run the
 * real kernels, compiled for the host. For tests on machines without a GPU. Nothing that is measured on it is the speed of anything.
 */
package tenon.simulator;
