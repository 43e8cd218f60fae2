// Batch normalization over the rows of [rows, channels]. A thread keeps V neighbouring channels and walks down the rows, so what is per channel is loaded once; blocks of
// THREADS threads are (1 << lanesLog) channel groups wide. Sums are per chunk of rows first, then over the chunks, always in the same order.

#define THREADS 256

struct Lane {
    int row;      // within the block
    int rows;     // of the block
    int channel;  // first of the thread's V channels, where there are so many
    bool active;
};

template <int V>
__device__ __forceinline__ Lane lane(int channels, int lanesLog) {
    Lane at;
    at.row = threadIdx.x >> lanesLog;
    at.rows = THREADS >> lanesLog;
    int64 channel = (((int64)blockIdx.x << lanesLog) + (threadIdx.x & ((1 << lanesLog) - 1))) * V;
    at.channel = (int)channel;
    at.active = channel < channels;
    return at;
}

// ---- statistics ----

// Mean and sum of squared deviations of two disjoint sets (Chan, Golub and LeVeque 1979, "Updating formulae and a pairwise algorithm for computing sample variances", eq. 2.1).
__device__ __forceinline__ void merge(
    float &count, float &mean, float &square, float otherCount, float otherMean, float otherSquare) {
    if (otherCount > 0.0f) {
        float sum = count + otherCount;
        float share = otherCount / sum;
        float delta = otherMean - mean;
        mean = fmaf(delta, share, mean);
        square += otherSquare + delta * delta * count * share;
        count = sum;
    }
}

// Welford's running mean and squares of what is left after the channel's first value is subtracted: exact where the values are close together and far from 0.
// partials: [chunks, 2, channels]; shifts: [channels].
template <typename T, int V>
__device__ __forceinline__ void statistics(
    const T* x, int64 rows, int channels, int64 chunkRows, int lanesLog, float* partials, float* shifts) {
    __shared__ float counts[THREADS];
    __shared__ float means[V * THREADS];
    __shared__ float squares[V * THREADS];
    Lane at = lane<V>(channels, lanesLog);
    float count = 0.0f;
    float shift[V];
    float mean[V];
    float square[V];
    for (int i = 0; i < V; i++) {
        shift[i] = 0.0f;
        mean[i] = 0.0f;
        square[i] = 0.0f;
    }
    if (at.active) {
        load(x + at.channel, shift);
        int64 begin = blockIdx.y * chunkRows;
        int64 end = begin + chunkRows < rows ? begin + chunkRows : rows;
        for (int64 row = begin + at.row; row < end; row += at.rows) {
            float value[V];
            load(x + row * channels + at.channel, value);
            count += 1.0f;
            float share = 1.0f / count;
            for (int i = 0; i < V; i++) {
                float shifted = value[i] - shift[i];
                float delta = shifted - mean[i];
                mean[i] = fmaf(delta, share, mean[i]);
                square[i] = fmaf(delta, shifted - mean[i], square[i]);
            }
        }
    }
    for (int half = at.rows >> 1; half > 0; half >>= 1) {
        if (at.row >= half && at.row < 2 * half) {
            counts[threadIdx.x] = count;
            for (int i = 0; i < V; i++) {
                means[i * THREADS + threadIdx.x] = mean[i];
                squares[i * THREADS + threadIdx.x] = square[i];
            }
        }
        __syncthreads();
        if (at.row < half) {
            int other = threadIdx.x + (half << lanesLog);
            float before = count;
            for (int i = 0; i < V; i++) {
                count = before;
                merge(count, mean[i], square[i], counts[other], means[i * THREADS + other], squares[i * THREADS + other]);
            }
        }
        __syncthreads();
    }
    if (at.active && at.row == 0) {
        float* partial = partials + 2LL * blockIdx.y * channels + at.channel;
        for (int i = 0; i < V; i++) {
            partial[i] = mean[i];
            partial[channels + i] = square[i];
            if (blockIdx.y == 0) {
                shifts[at.channel + i] = shift[i];
            }
        }
    }
}

TENON_KERNEL(statistics_f32, const float* x, int64 rows, int channels, int64 chunkRows, int lanesLog, float* partials, float* shifts) {
    statistics<float, 1>(x, rows, channels, chunkRows, lanesLog, partials, shifts);
}

TENON_KERNEL(statistics_f32_vector, const float* x, int64 rows, int channels, int64 chunkRows, int lanesLog, float* partials, float* shifts) {
    statistics<float, 4>(x, rows, channels, chunkRows, lanesLog, partials, shifts);
}

TENON_KERNEL(statistics_bf16, const bf16* x, int64 rows, int channels, int64 chunkRows, int lanesLog, float* partials, float* shifts) {
    statistics<bf16, 1>(x, rows, channels, chunkRows, lanesLog, partials, shifts);
}

TENON_KERNEL(statistics_bf16_vector, const bf16* x, int64 rows, int channels, int64 chunkRows, int lanesLog, float* partials, float* shifts) {
    statistics<bf16, 8>(x, rows, channels, chunkRows, lanesLog, partials, shifts);
}

// Merges the chunks, and moves the running averages. One block for 32 channels.
TENON_KERNEL(
    merge_statistics,
    const float* partials,
    const float* shifts,
    int chunks,
    int64 chunkRows,
    int64 rows,
    int channels,
    float momentum,
    float keep,
    float unbias,
    float* batchMean,
    float* batchVariance,
    float* runningMean,
    float* runningVariance) {
    __shared__ float counts[THREADS];
    __shared__ float means[THREADS];
    __shared__ float squares[THREADS];
    int64 channel = (int64)blockIdx.x * 32 + (threadIdx.x & 31);
    int row = threadIdx.x >> 5;
    float count = 0.0f;
    float mean = 0.0f;
    float square = 0.0f;
    if (channel < channels) {
        for (int chunk = row; chunk < chunks; chunk += THREADS / 32) {
            int64 left = rows - chunk * chunkRows;
            const float* partial = partials + 2LL * chunk * channels + channel;
            merge(count, mean, square, (float)(left < chunkRows ? left : chunkRows), partial[0], partial[channels]);
        }
    }
    for (int half = THREADS / 64; half > 0; half >>= 1) {
        if (row >= half && row < 2 * half) {
            counts[threadIdx.x] = count;
            means[threadIdx.x] = mean;
            squares[threadIdx.x] = square;
        }
        __syncthreads();
        if (row < half) {
            int other = threadIdx.x + half * 32;
            merge(count, mean, square, counts[other], means[other], squares[other]);
        }
        __syncthreads();
    }
    if (row == 0 && channel < channels) {
        mean += shifts[channel];
        float variance = square / (float)rows;
        batchMean[channel] = mean;
        batchVariance[channel] = variance;
        runningMean[channel] = keep * runningMean[channel] + momentum * mean;
        runningVariance[channel] = keep * runningVariance[channel] + momentum * (variance * unbias);
    }
}

// Statistics that a library computed: from the unbiased variance to the biased one, and the running averages moved.
TENON_KERNEL(
    move_averages,
    const float* batchMean,
    float* batchVariance,
    int channels,
    float momentum,
    float keep,
    float bias,
    int unbiasedAverage,
    float* runningMean,
    float* runningVariance) {
    for (int64 c = threadNumber(); c < channels; c += threadCount()) {
        float unbiased = batchVariance[c];
        float biased = unbiased * bias;
        batchVariance[c] = biased;
        runningMean[c] = keep * runningMean[c] + momentum * batchMean[c];
        runningVariance[c] = keep * runningVariance[c] + momentum * (unbiasedAverage != 0 ? unbiased : biased);
    }
}

// ---- forward ----

// What a channel's values are normalized with.
template <int V>
struct Affine {
    float mean[V];
    float scale[V];
    float beta[V];

    __device__ __forceinline__ void read(
        int channel, const float* gamma, const float* beta, const float* mean, const float* variance, float epsilon) {
        for (int i = 0; i < V; i++) {
            int c = channel + i;
            this->mean[i] = mean[c];
            scale[i] = (gamma == nullptr ? 1.0f : gamma[c]) / sqrtf(variance[c] + epsilon);
            this->beta[i] = beta == nullptr ? 0.0f : beta[c];
        }
    }

    __device__ __forceinline__ float apply(int i, float x) const {
        return fmaf(x - mean[i], scale[i], beta[i]);
    }
};

// y = [clamp](normalized x [+ shortcut]); rows of y are outputStride apart. The clamp is to [0, ceiling], where that is above 0.
template <typename T, int V>
__device__ __forceinline__ void normalize(
    const T* x,
    const float* gamma,
    const float* beta,
    const float* mean,
    const float* variance,
    float epsilon,
    float ceiling,
    const T* shortcut,
    T* y,
    int64 rows,
    int channels,
    int outputStride,
    int lanesLog) {
    Lane at = lane<V>(channels, lanesLog);
    if (!at.active) {
        return;
    }
    Affine<V> affine;
    affine.read(at.channel, gamma, beta, mean, variance, epsilon);
    for (int64 row = (int64)blockIdx.y * at.rows + at.row; row < rows; row += (int64)gridDim.y * at.rows) {
        float value[V];
        load(x + row * channels + at.channel, value);
        for (int i = 0; i < V; i++) {
            value[i] = affine.apply(i, value[i]);
        }
        if (shortcut != nullptr) {
            float added[V];
            load(shortcut + row * channels + at.channel, added);
            for (int i = 0; i < V; i++) {
                value[i] += added[i];
            }
        }
        if (ceiling > 0.0f) {
            for (int i = 0; i < V; i++) {
                value[i] = value[i] <= 0.0f ? 0.0f : value[i] > ceiling ? ceiling : value[i];  // NaN stays
            }
        }
        store(y + row * outputStride + at.channel, value);
    }
}

#define NORMALIZE(name, T, V)                                                                                              \
    TENON_KERNEL(                                                                                                          \
        name, const T* x, const float* gamma, const float* beta, const float* mean, const float* variance, float epsilon,  \
        float ceiling, const T* shortcut, T* y, int64 rows, int channels, int outputStride, int lanesLog) {                 \
        normalize<T, V>(                                                                                                   \
            x, gamma, beta, mean, variance, epsilon, ceiling, shortcut, y, rows, channels, outputStride, lanesLog);           \
    }

NORMALIZE(normalize_f32, float, 1)
NORMALIZE(normalize_f32_vector, float, 4)
NORMALIZE(normalize_bf16, bf16, 1)
NORMALIZE(normalize_bf16_vector, bf16, 8)

// ---- backward ----

// Where the forward pass had a clamp, the gradient passes where its argument was inside: seen in the output where that is given, else computed again.
template <typename T, int V>
__device__ __forceinline__ void pass(
    const Affine<V> &affine, const float (&x)[V], float ceiling, const T* output, int64 at, float (&gradient)[V]) {
    if (ceiling > 0.0f) {
        float before[V];
        if (output != nullptr) {
            load(output + at, before);
        } else {
            for (int i = 0; i < V; i++) {
                before[i] = affine.apply(i, x[i]);
            }
        }
        for (int i = 0; i < V; i++) {
            gradient[i] = before[i] > 0.0f && before[i] < ceiling ? gradient[i] : 0.0f;
        }
    }
}

// Per chunk and channel: the sum of the gradients g, and of g·(x − mean). Writes g to gradShortcut, if given, which may be gradOutput.
template <typename T, int V>
__device__ __forceinline__ void sumGradients(
    const T* x,
    const float* gamma,
    const float* beta,
    const float* mean,
    const float* variance,
    float epsilon,
    float ceiling,
    const T* output,
    const T* gradOutput,
    int gradStride,
    T* gradShortcut,
    int64 rows,
    int channels,
    int64 chunkRows,
    int lanesLog,
    float* partials) {
    __shared__ float sums[V * THREADS];
    __shared__ float products[V * THREADS];
    Lane at = lane<V>(channels, lanesLog);
    float sum[V];
    float product[V];
    for (int i = 0; i < V; i++) {
        sum[i] = 0.0f;
        product[i] = 0.0f;
    }
    if (at.active) {
        Affine<V> affine;
        affine.read(at.channel, gamma, beta, mean, variance, epsilon);
        int64 begin = blockIdx.y * chunkRows;
        int64 end = begin + chunkRows < rows ? begin + chunkRows : rows;
        for (int64 row = begin + at.row; row < end; row += at.rows) {
            float value[V];
            float gradient[V];
            load(x + row * channels + at.channel, value);
            load(gradOutput + row * gradStride + at.channel, gradient);
            pass<T, V>(affine, value, ceiling, output, row * channels + at.channel, gradient);
            if (gradShortcut != nullptr) {
                store(gradShortcut + row * channels + at.channel, gradient);
            }
            for (int i = 0; i < V; i++) {
                sum[i] += gradient[i];
                product[i] = fmaf(gradient[i], value[i] - affine.mean[i], product[i]);
            }
        }
    }
    for (int half = at.rows >> 1; half > 0; half >>= 1) {
        if (at.row >= half && at.row < 2 * half) {
            for (int i = 0; i < V; i++) {
                sums[i * THREADS + threadIdx.x] = sum[i];
                products[i * THREADS + threadIdx.x] = product[i];
            }
        }
        __syncthreads();
        if (at.row < half) {
            int other = threadIdx.x + (half << lanesLog);
            for (int i = 0; i < V; i++) {
                sum[i] += sums[i * THREADS + other];
                product[i] += products[i * THREADS + other];
            }
        }
        __syncthreads();
    }
    if (at.active && at.row == 0) {
        float* partial = partials + 2LL * blockIdx.y * channels + at.channel;
        for (int i = 0; i < V; i++) {
            partial[i] = sum[i];
            partial[channels + i] = product[i];
        }
    }
}

#define SUM_GRADIENTS(name, T, V)                                                                                          \
    TENON_KERNEL(                                                                                                          \
        name, const T* x, const float* gamma, const float* beta, const float* mean, const float* variance, float epsilon,  \
        float ceiling, const T* output, const T* gradOutput, int gradStride, T* gradShortcut, int64 rows, int channels,     \
        int64 chunkRows, int lanesLog, float* partials) {                                                              \
        sumGradients<T, V>(                                                                                                \
            x, gamma, beta, mean, variance, epsilon, ceiling, output, gradOutput, gradStride, gradShortcut, rows, channels,   \
            chunkRows, lanesLog, partials);                                                                                \
    }

SUM_GRADIENTS(sum_gradients_f32, float, 1)
SUM_GRADIENTS(sum_gradients_f32_vector, float, 4)
SUM_GRADIENTS(sum_gradients_bf16, bf16, 1)
SUM_GRADIENTS(sum_gradients_bf16_vector, bf16, 8)

// Adds up the chunks. means, [2, channels]: the gradients' mean and the mean of g·(x − mean) over the variance, which the input's gradient needs. One block for 32 channels.
TENON_KERNEL(
    merge_gradients,
    const float* partials,
    int chunks,
    int64 rows,
    int channels,
    const float* variance,
    float epsilon,
    float* gradGamma,
    float* gradBeta,
    float* means) {
    __shared__ float sums[THREADS];
    __shared__ float products[THREADS];
    int64 channel = (int64)blockIdx.x * 32 + (threadIdx.x & 31);
    int row = threadIdx.x >> 5;
    float sum = 0.0f;
    float product = 0.0f;
    if (channel < channels) {
        for (int chunk = row; chunk < chunks; chunk += THREADS / 32) {
            const float* partial = partials + 2LL * chunk * channels + channel;
            sum += partial[0];
            product += partial[channels];
        }
    }
    for (int half = THREADS / 64; half > 0; half >>= 1) {
        if (row >= half && row < 2 * half) {
            sums[threadIdx.x] = sum;
            products[threadIdx.x] = product;
        }
        __syncthreads();
        if (row < half) {
            sum += sums[threadIdx.x + half * 32];
            product += products[threadIdx.x + half * 32];
        }
        __syncthreads();
    }
    if (row == 0 && channel < channels) {
        float inverse = 1.0f / sqrtf(variance[channel] + epsilon);
        if (gradGamma != nullptr) {
            gradGamma[channel] = product * inverse;
        }
        if (gradBeta != nullptr) {
            gradBeta[channel] = sum;
        }
        means[channel] = sum / (float)rows;
        means[channels + channel] = product * inverse * inverse / (float)rows;
    }
}

// gradInput = scale·(g − means[0] − (x − mean)·means[1]), without the means where the statistics are constants; and g to gradShortcut, if given. Both may be gradOutput's memory.
template <typename T, int V>
__device__ __forceinline__ void inputGradient(
    const T* x,
    const float* gamma,
    const float* beta,
    const float* mean,
    const float* variance,
    float epsilon,
    float ceiling,
    const T* output,
    const T* gradOutput,
    int gradStride,
    const float* means,
    T* gradInput,
    T* gradShortcut,
    int64 rows,
    int channels,
    int lanesLog) {
    Lane at = lane<V>(channels, lanesLog);
    if (!at.active) {
        return;
    }
    Affine<V> affine;
    affine.read(at.channel, gamma, beta, mean, variance, epsilon);
    float first[V];
    float second[V];
    for (int i = 0; i < V; i++) {
        first[i] = means == nullptr ? 0.0f : means[at.channel + i];
        second[i] = means == nullptr ? 0.0f : means[channels + at.channel + i];
    }
    for (int64 row = (int64)blockIdx.y * at.rows + at.row; row < rows; row += (int64)gridDim.y * at.rows) {
        float value[V];
        float gradient[V];
        load(x + row * channels + at.channel, value);
        load(gradOutput + row * gradStride + at.channel, gradient);
        pass<T, V>(affine, value, ceiling, output, row * channels + at.channel, gradient);
        if (gradShortcut != nullptr) {
            store(gradShortcut + row * channels + at.channel, gradient);
        }
        if (gradInput != nullptr) {
            for (int i = 0; i < V; i++) {
                float centred = means == nullptr
                    ? gradient[i]
                    : gradient[i] - fmaf(value[i] - affine.mean[i], second[i], first[i]);
                gradient[i] = affine.scale[i] * centred;
            }
            store(gradInput + row * channels + at.channel, gradient);
        }
    }
}

#define INPUT_GRADIENT(name, T, V)                                                                                         \
    TENON_KERNEL(                                                                                                          \
        name, const T* x, const float* gamma, const float* beta, const float* mean, const float* variance, float epsilon,  \
        float ceiling, const T* output, const T* gradOutput, int gradStride, const float* means, T* gradInput, T* gradShortcut, \
        int64 rows, int channels, int lanesLog) {                                                                      \
        inputGradient<T, V>(                                                                                               \
            x, gamma, beta, mean, variance, epsilon, ceiling, output, gradOutput, gradStride, means, gradInput, gradShortcut, \
            rows, channels, lanesLog);                                                                                     \
    }

INPUT_GRADIENT(input_gradient_f32, float, 1)
INPUT_GRADIENT(input_gradient_f32_vector, float, 4)
INPUT_GRADIENT(input_gradient_bf16, bf16, 1)
INPUT_GRADIENT(input_gradient_bf16_vector, bf16, 8)
