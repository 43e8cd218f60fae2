// Pooling over [N, H, W, C] into [N, P, Q, C]. blockIdx.y walks over the rows of all images; a thread keeps V neighbouring channels of one element. Gradients are gathered: each element of the input's gradient adds up, in a fixed order, what it gets from the windows that hold it.

struct Pool {
    int height;
    int width;
    int outHeight;
    int outWidth;
    int channels;
    int kernelH;
    int kernelW;
    int strideH;
    int strideW;
    int top;
    int bottom;
    int left;
    int right;
    int countPadding;
};

#define POOL_PARAMETERS                                                                                                       \
    int images, int height, int width, int outHeight, int outWidth, int channels, int kernelH, int kernelW, int strideH,      \
        int strideW, int top, int bottom, int left, int right, int countPadding
#define POOL \
    Pool { height, width, outHeight, outWidth, channels, kernelH, kernelW, strideH, strideW, top, bottom, left, right, countPadding }

// Windows [first, last] that hold position `at` (padding included in `at`).
struct Windows {
    int first;
    int last;

    __device__ __forceinline__ Windows(int at, int kernel, int stride, int count)
        : first(at < kernel ? 0 : (at - kernel) / stride + 1), last(min(at / stride, count - 1)) {}
};

// ---- maximum ----

// winners: row·kernelW + column of the winner within its window, or null. The first of equals wins, and so does the first NaN.
template <typename T, int V, typename I>
__device__ __forceinline__ void maxForward(const T* x, T* y, I* winners, int images, Pool p) {
    int vectors = p.channels / V;
    int64 rows = (int64)images * p.outHeight;
    for (int64 row = blockIdx.y; row < rows; row += gridDim.y) {
        int64 image = quotient(row, p.outHeight);
        int top = (int)(row - image * p.outHeight) * p.strideH - p.top;
        const T* source = x + image * p.height * p.width * p.channels;
        for (int64 i = threadNumber(); i < (int64)p.outWidth * vectors; i += threadCount()) {
            int column = (int)quotient(i, vectors);
            int channel = (int)(i - (int64)column * vectors) * V;
            int left = column * p.strideW - p.left;
            float best[V];
            int winner[V];
            for (int j = 0; j < V; j++) {
                best[j] = 0.0f;
                winner[j] = -1;
            }
            for (int r = max(0, -top); r < p.kernelH && top + r < p.height; r++) {
                for (int s = max(0, -left); s < p.kernelW && left + s < p.width; s++) {
                    float value[V];
                    load(source + ((int64)(top + r) * p.width + left + s) * p.channels + channel, value);
                    for (int j = 0; j < V; j++) {
                        if (winner[j] < 0 || value[j] > best[j] || (value[j] != value[j] && best[j] == best[j])) {
                            best[j] = value[j];
                            winner[j] = r * p.kernelW + s;
                        }
                    }
                }
            }
            int64 at = (row * p.outWidth + column) * p.channels + channel;
            store(y + at, best);
            if (winners != nullptr) {
                for (int j = 0; j < V; j++) {
                    winners[at + j] = (I)winner[j];
                }
            }
        }
    }
}

template <typename T, int V, typename I>
__device__ __forceinline__ void maxBackward(const T* gradOutput, const I* winners, T* gradInput, int images, Pool p) {
    int vectors = p.channels / V;
    int64 rows = (int64)images * p.height;
    for (int64 row = blockIdx.y; row < rows; row += gridDim.y) {
        int64 image = quotient(row, p.height);
        int h = (int)(row - image * p.height) + p.top;
        Windows vertical(h, p.kernelH, p.strideH, p.outHeight);
        int64 first = image * p.outHeight * p.outWidth * p.channels;
        for (int64 i = threadNumber(); i < (int64)p.width * vectors; i += threadCount()) {
            int column = (int)quotient(i, vectors);
            int channel = (int)(i - (int64)column * vectors) * V;
            int w = column + p.left;
            Windows horizontal(w, p.kernelW, p.strideW, p.outWidth);
            float sum[V];
            for (int j = 0; j < V; j++) {
                sum[j] = 0.0f;
            }
            for (int a = vertical.first; a <= vertical.last; a++) {
                for (int b = horizontal.first; b <= horizontal.last; b++) {
                    int64 at = first + ((int64)a * p.outWidth + b) * p.channels + channel;
                    int mine = (h - a * p.strideH) * p.kernelW + w - b * p.strideW;
                    float gradient[V];
                    load(gradOutput + at, gradient);
                    for (int j = 0; j < V; j++) {
                        sum[j] += (int)winners[at + j] == mine ? gradient[j] : 0.0f;
                    }
                }
            }
            store(gradInput + (row * p.width + column) * p.channels + channel, sum);
        }
    }
}

// ---- average ----

// What the average over a window divides by: its elements on the image, or with the padding that is counted.
__device__ __forceinline__ float divisor(const Pool& p, int top, int left) {
    if (p.countPadding != 0) {
        return (float)((min(top + p.kernelH, p.height + p.bottom) - top) * (min(left + p.kernelW, p.width + p.right) - left));
    }
    return (float)((min(top + p.kernelH, p.height) - max(top, 0)) * (min(left + p.kernelW, p.width) - max(left, 0)));
}

template <typename T, int V>
__device__ __forceinline__ void averageForward(const T* x, T* y, int images, Pool p) {
    int vectors = p.channels / V;
    int64 rows = (int64)images * p.outHeight;
    for (int64 row = blockIdx.y; row < rows; row += gridDim.y) {
        int64 image = quotient(row, p.outHeight);
        int top = (int)(row - image * p.outHeight) * p.strideH - p.top;
        const T* source = x + image * p.height * p.width * p.channels;
        for (int64 i = threadNumber(); i < (int64)p.outWidth * vectors; i += threadCount()) {
            int column = (int)quotient(i, vectors);
            int channel = (int)(i - (int64)column * vectors) * V;
            int left = column * p.strideW - p.left;
            float sum[V];
            for (int j = 0; j < V; j++) {
                sum[j] = 0.0f;
            }
            for (int h = max(top, 0); h < min(top + p.kernelH, p.height); h++) {
                float line[V];
                for (int j = 0; j < V; j++) {
                    line[j] = 0.0f;
                }
                for (int w = max(left, 0); w < min(left + p.kernelW, p.width); w++) {
                    float value[V];
                    load(source + ((int64)h * p.width + w) * p.channels + channel, value);
                    for (int j = 0; j < V; j++) {
                        line[j] += value[j];
                    }
                }
                for (int j = 0; j < V; j++) {
                    sum[j] += line[j];
                }
            }
            float count = divisor(p, top, left);
            for (int j = 0; j < V; j++) {
                sum[j] /= count;
            }
            store(y + (row * p.outWidth + column) * p.channels + channel, sum);
        }
    }
}

template <typename T, int V>
__device__ __forceinline__ void averageBackward(const T* gradOutput, T* gradInput, int images, Pool p) {
    int vectors = p.channels / V;
    int64 rows = (int64)images * p.height;
    for (int64 row = blockIdx.y; row < rows; row += gridDim.y) {
        int64 image = quotient(row, p.height);
        int h = (int)(row - image * p.height) + p.top;
        Windows vertical(h, p.kernelH, p.strideH, p.outHeight);
        int64 first = image * p.outHeight * p.outWidth * p.channels;
        for (int64 i = threadNumber(); i < (int64)p.width * vectors; i += threadCount()) {
            int column = (int)quotient(i, vectors);
            int channel = (int)(i - (int64)column * vectors) * V;
            Windows horizontal(column + p.left, p.kernelW, p.strideW, p.outWidth);
            float sum[V];
            for (int j = 0; j < V; j++) {
                sum[j] = 0.0f;
            }
            for (int a = vertical.first; a <= vertical.last; a++) {
                for (int b = horizontal.first; b <= horizontal.last; b++) {
                    float gradient[V];
                    load(gradOutput + first + ((int64)a * p.outWidth + b) * p.channels + channel, gradient);
                    float count = divisor(p, a * p.strideH - p.top, b * p.strideW - p.left);
                    for (int j = 0; j < V; j++) {
                        sum[j] += gradient[j] / count;
                    }
                }
            }
            store(gradInput + (row * p.width + column) * p.channels + channel, sum);
        }
    }
}

// ---- kernels: each for F32 and BF16, and for whole vectors of 16 bytes ----

#define MAX_POOL(suffix, T, V, I)                                                                              \
    TENON_KERNEL(max_forward_##suffix, const T* x, T* y, I* winners, POOL_PARAMETERS) {                        \
        maxForward<T, V, I>(x, y, winners, images, POOL);                                                      \
    }                                                                                                          \
    TENON_KERNEL(max_backward_##suffix, const T* gradOutput, const I* winners, T* gradInput, POOL_PARAMETERS) { \
        maxBackward<T, V, I>(gradOutput, winners, gradInput, images, POOL);                                    \
    }

MAX_POOL(f32_u8, float, 1, u8)
MAX_POOL(f32_u8_vector, float, 4, u8)
MAX_POOL(f32_i32, float, 1, int)
MAX_POOL(f32_i32_vector, float, 4, int)
MAX_POOL(bf16_u8, bf16, 1, u8)
MAX_POOL(bf16_u8_vector, bf16, 8, u8)
MAX_POOL(bf16_i32, bf16, 1, int)
MAX_POOL(bf16_i32_vector, bf16, 8, int)

#define AVERAGE_POOL(suffix, T, V)                                                         \
    TENON_KERNEL(average_forward_##suffix, const T* x, T* y, POOL_PARAMETERS) {            \
        averageForward<T, V>(x, y, images, POOL);                                          \
    }                                                                                      \
    TENON_KERNEL(average_backward_##suffix, const T* gradOutput, T* gradInput, POOL_PARAMETERS) { \
        averageBackward<T, V>(gradOutput, gradInput, images, POOL);                        \
    }

AVERAGE_POOL(f32, float, 1)
AVERAGE_POOL(f32_vector, float, 4)
AVERAGE_POOL(bf16, bf16, 1)
AVERAGE_POOL(bf16_vector, bf16, 8)
