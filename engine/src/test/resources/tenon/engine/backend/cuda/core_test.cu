// Kernels of the tests of the CUDA core.

// w[i] -= rate * x[i] unless *guard.
TENON_KERNEL(descend, float* w, const float* x, const float* rate, const int* guard, int64 n) {
    if (*guard != 0) {
        return;
    }
    for (int64 i = blockIdx.x * (int64)blockDim.x + threadIdx.x; i < n; i += (int64)gridDim.x * blockDim.x) {
        w[i] -= *rate * x[i];
    }
}

// y[i] = a * x[i] + b
TENON_KERNEL(affine, const float* x, float a, float b, float* y, int64 n) {
    for (int64 i = blockIdx.x * (int64)blockDim.x + threadIdx.x; i < n; i += (int64)gridDim.x * blockDim.x) {
        y[i] = a * x[i] + b;
    }
}

// Every kind of argument, to see that each arrives.
TENON_KERNEL(every_kind, int a, float b, int64 c, double d, double* out) {
    if (blockIdx.x == 0 && threadIdx.x == 0) {
        out[0] = a;
        out[1] = b;
        out[2] = (double)c;
        out[3] = d;
    }
}
