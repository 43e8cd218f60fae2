/** {@code tenon bench gpu}: training throughput, kernels against their floors and copies beside computation on an NVIDIA GPU, with PyTorch as the peer. */
package tenon.benchmarks.gpu;
