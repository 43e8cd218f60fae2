// What surrounds a convolution or matrix product of a library: padding that it cannot do itself, bias and activation, the bias's gradient.

#define THREADS 256

// ---- padding ----

// out[n, h, w, :] = in[n, h - top, w - left, :], 0 outside; blockIdx.y walks over the rows of all images. A negative top or left crops.
template <typename T, int V, bool ADD>
__device__ __forceinline__ void shift(
    const T* in, T* out, int images, int inHeight, int inWidth, int outHeight, int outWidth, int channels, int top, int left) {
    int vectors = channels / V;
    int64 rows = (int64)images * outHeight;
    for (int64 row = blockIdx.y; row < rows; row += gridDim.y) {
        int64 image = quotient(row, outHeight);
        int h = (int)(row - image * outHeight) - top;
        for (int64 i = threadNumber(); i < (int64)outWidth * vectors; i += threadCount()) {
            int column = (int)quotient(i, vectors);
            int channel = (int)(i - (int64)column * vectors) * V;
            int w = column - left;
            T* to = out + (row * outWidth + column) * channels + channel;
            float value[V];
            for (int j = 0; j < V; j++) {
                value[j] = 0.0f;
            }
            if (h >= 0 && h < inHeight && w >= 0 && w < inWidth) {
                load(in + ((image * inHeight + h) * inWidth + w) * channels + channel, value);
            }
            if (ADD) {
                float present[V];
                load(to, present);
                for (int j = 0; j < V; j++) {
                    value[j] += present[j];
                }
            }
            store(to, value);
        }
    }
}

#define SHIFT(name, T, V, ADD)                                                                                                \
    TENON_KERNEL(                                                                                                             \
        name, const T* in, T* out, int images, int inHeight, int inWidth, int outHeight, int outWidth, int channels, int top, \
        int left) {                                                                                                           \
        shift<T, V, ADD>(in, out, images, inHeight, inWidth, outHeight, outWidth, channels, top, left);                       \
    }

SHIFT(shift_f32, float, 1, false)
SHIFT(shift_f32_vector, float, 4, false)
SHIFT(shift_bf16, bf16, 1, false)
SHIFT(shift_bf16_vector, bf16, 8, false)
SHIFT(add_shifted_f32, float, 1, true)
SHIFT(add_shifted_f32_vector, float, 4, true)
SHIFT(add_shifted_bf16, bf16, 1, true)
SHIFT(add_shifted_bf16_vector, bf16, 8, true)

// ---- bias and activation ----

// y = activation(x + bias[channel]) over [.., channels]; bias may be null, y may be x.
template <typename X, typename Y, int A>
__device__ __forceinline__ void addBias(const X* x, const float* bias, int channels, float alpha, Y* y, int64 n) {
    if (bias == nullptr) {
        map(x, y, n, [=](float value) { return activate<A>(value, alpha); });
    } else {
        mapRows(x, bias, channels, y, n, [=](float value, float added) { return activate<A>(value + added, alpha); });
    }
}

#define ADD_BIAS(prefix, A)                                                                                                    \
    TENON_KERNEL(prefix##_f32, const float* x, const float* bias, int channels, float alpha, float* y, int64 n) {              \
        addBias<float, float, A>(x, bias, channels, alpha, y, n);                                                              \
    }                                                                                                                          \
    TENON_KERNEL(prefix##_f32_bf16, const float* x, const float* bias, int channels, float alpha, bf16* y, int64 n) {          \
        addBias<float, bf16, A>(x, bias, channels, alpha, y, n);                                                               \
    }                                                                                                                          \
    TENON_KERNEL(prefix##_bf16, const bf16* x, const float* bias, int channels, float alpha, bf16* y, int64 n) {               \
        addBias<bf16, bf16, A>(x, bias, channels, alpha, y, n);                                                                \
    }
#define ADD_BIAS_ACTIVATE(prefix, A) ADD_BIAS(bias_##prefix, A)

ADD_BIAS(bias, NONE)
TENON_ACTIVATIONS(ADD_BIAS_ACTIVATE)

// ---- the bias's gradient: sums over the rows of [rows, channels], first per chunk of rows, then over the chunks, always in the same order ----

// Blocks are (1 << lanesLog) groups of V channels wide. partials: [chunks, channels].
template <typename T, int V>
__device__ __forceinline__ void sumChunks(
    const T* x, int64 rows, int channels, int64 chunkRows, int lanesLog, float* partials) {
    __shared__ float sums[V * THREADS];
    int row = threadIdx.x >> lanesLog;
    int blockRows = THREADS >> lanesLog;
    int64 channel = (((int64)blockIdx.x << lanesLog) + (threadIdx.x & ((1 << lanesLog) - 1))) * V;
    float sum[V];
    for (int j = 0; j < V; j++) {
        sum[j] = 0.0f;
    }
    if (channel < channels) {
        int64 begin = blockIdx.y * chunkRows;
        int64 end = begin + chunkRows < rows ? begin + chunkRows : rows;
        for (int64 r = begin + row; r < end; r += blockRows) {
            float value[V];
            load(x + r * channels + channel, value);
            for (int j = 0; j < V; j++) {
                sum[j] += value[j];
            }
        }
    }
    for (int half = blockRows >> 1; half > 0; half >>= 1) {
        if (row >= half && row < 2 * half) {
            for (int j = 0; j < V; j++) {
                sums[j * THREADS + threadIdx.x] = sum[j];
            }
        }
        __syncthreads();
        if (row < half) {
            for (int j = 0; j < V; j++) {
                sum[j] += sums[j * THREADS + threadIdx.x + (half << lanesLog)];
            }
        }
        __syncthreads();
    }
    if (channel < channels && row == 0) {
        for (int j = 0; j < V; j++) {
            partials[(int64)blockIdx.y * channels + channel + j] = sum[j];
        }
    }
}

#define SUM_CHUNKS(name, T, V)                                                                                       \
    TENON_KERNEL(name, const T* x, int64 rows, int channels, int64 chunkRows, int lanesLog, float* partials) {       \
        sumChunks<T, V>(x, rows, channels, chunkRows, lanesLog, partials);                                           \
    }

SUM_CHUNKS(sum_chunks_f32, float, 1)
SUM_CHUNKS(sum_chunks_f32_vector, float, 4)
SUM_CHUNKS(sum_chunks_bf16, bf16, 1)
SUM_CHUNKS(sum_chunks_bf16_vector, bf16, 8)

// sums[c] = partials[0, c] + partials[1, c] + ...; one block for 32 channels.
TENON_KERNEL(merge_chunks, const float* partials, int chunks, int channels, float* sums) {
    __shared__ float parts[THREADS];
    int64 channel = (int64)blockIdx.x * 32 + (threadIdx.x & 31);
    int row = threadIdx.x >> 5;
    float sum = 0.0f;
    if (channel < channels) {
        for (int chunk = row; chunk < chunks; chunk += THREADS / 32) {
            sum += partials[(int64)chunk * channels + channel];
        }
    }
    for (int half = THREADS / 64; half > 0; half >>= 1) {
        if (row >= half && row < 2 * half) {
            parts[threadIdx.x] = sum;
        }
        __syncthreads();
        if (row < half) {
            sum += parts[threadIdx.x + half * 32];
        }
        __syncthreads();
    }
    if (row == 0 && channel < channels) {
        sums[channel] = sum;
    }
}

// ---- gradients of F32 weights that a library computed in BF16 ----

TENON_KERNEL(widen, const bf16* x, float* y, int64 n) {
    map(x, y, n, [](float value) { return value; });
}
