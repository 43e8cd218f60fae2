// Dropout and random fills: element i uses draw i of the sequence (seed, stream, step), as tenon.engine.Rng defines it. The step is read from device memory, so that a recorded step draws anew each
// time it runs.

// y = 0 where the upper 24 bits of the draw are below the threshold, else factor·x; y may be x. 8 bytes per element, 4 in BF16, and a quarter of a Philox block.
template <typename T>
__device__ __forceinline__ void dropout(
    const T *x, T *y, int threshold, float factor, int64 seed, int stream, const int *step, int64 n) {
    const int N = Width<T>::N;
    int now = *step;
    int64 vectors = aligned(x, y) ? n / N : 0;
    for (int64 i = threadNumber(); i < vectors; i += threadCount()) {
        float v[N];
        load(x + i * N, v);
#pragma unroll
        for (int j = 0; j < N; j += 4) {
            uint4 draws = philox(seed, now, stream, i * (N / 4) + j / 4);
            v[j] = (int)(draws.x >> 8) < threshold ? 0 : v[j] * factor;
            v[j + 1] = (int)(draws.y >> 8) < threshold ? 0 : v[j + 1] * factor;
            v[j + 2] = (int)(draws.z >> 8) < threshold ? 0 : v[j + 2] * factor;
            v[j + 3] = (int)(draws.w >> 8) < threshold ? 0 : v[j + 3] * factor;
        }
        store(y + i * N, v);
    }
    for (int64 i = vectors * N + threadNumber(); i < n; i += threadCount()) {
        unsigned bits = draw(seed, now, stream, i);
        put(y + i, (int)(bits >> 8) < threshold ? 0 : toFloat(x[i]) * factor);
    }
}

TENON_KERNEL(
    dropout_f32, const float *x, float *y, int threshold, float factor, int64 seed, int stream, const int *step, int64 n) {
    dropout(x, y, threshold, factor, seed, stream, step, n);
}

TENON_KERNEL(
    dropout_bf16, const bf16 *x, bf16 *y, int threshold, float factor, int64 seed, int stream, const int *step, int64 n) {
    dropout(x, y, threshold, factor, seed, stream, step, n);
}

// low + width·u in F64 without fused operations, then rounded: the bits of every other back-end. 4 bytes per element, 2 in BF16.
template <typename T>
__device__ __forceinline__ void uniform(T *y, double low, double width, int64 seed, int stream, const int *step, int64 n) {
    int now = *step;
    for (int64 i = threadNumber(); i < n; i += threadCount()) {
        float u = (draw(seed, now, stream, i) >> 8) * 5.9604644775390625e-8f;  // 2^-24
        put(y + i, (float)__dadd_rn(low, __dmul_rn(width, u)));
    }
}

TENON_KERNEL(uniform_f32, float *y, double low, double width, int64 seed, int stream, const int *step, int64 n) {
    uniform(y, low, width, seed, stream, step, n);
}

TENON_KERNEL(uniform_bf16, bf16 *y, double low, double width, int64 seed, int stream, const int *step, int64 n) {
    uniform(y, low, width, seed, stream, step, n);
}

// mean + deviation·g with g by Box and Muller from draws 2·i and 2·i + 1, in F64. The logarithm and the cosine of two machines differ in their last bits, which decides the rounding to F32 once in
// hundreds of millions of elements: the numbers of elements so near to a tie that it might, one in some hundred thousand, are put on a list, for the host to compute. *doubtful, 0 before, counts them,
// and the first `capacity` are on the list.
template <typename T>
__device__ __forceinline__ void normal(
    T *y, double mean, double deviation, int64 seed, int stream, int step, int *doubtful, int64 *list, int capacity, int64 n) {
    for (int64 i = threadNumber(); i < n; i += threadCount()) {
        // Both draws lie in one block.
        uint4 draws = philox(seed, step, stream, i / 2);
        unsigned first = i % 2 == 0 ? draws.x : draws.z;
        unsigned second = i % 2 == 0 ? draws.y : draws.w;
        double u = ((double)first + 1) * 2.3283064365386962890625e-10;  // 2^-32
        double angle = __dmul_rn(6.283185307179586, second * 2.3283064365386962890625e-10);
        double g = sqrt(-2 * log(u)) * cos(angle);
        double scaled = __dmul_rn(deviation, g);
        double value = __dadd_rn(mean, scaled);
        // Generously: the functions are good to 2 units in the last place, 2^-52 of their results.
        double error = fabs(scaled) * 2.2737367544323206e-13 + fabs(value) * 4.440892098500626e-16;  // 2^-42, 2^-51
        if ((float)(value - error) != (float)(value + error)) {
            int at = atomicAdd(doubtful, 1);
            if (at < capacity) {
                list[at] = i;
            }
        }
        put(y + i, (float)value);
    }
}

TENON_KERNEL(
    normal_f32, float *y, double mean, double deviation, int64 seed, int stream, int step, int *doubtful, int64 *list, int capacity,
    int64 n) {
    normal(y, mean, deviation, seed, stream, step, doubtful, list, capacity, n);
}

TENON_KERNEL(
    normal_bf16, bf16 *y, double mean, double deviation, int64 seed, int stream, int step, int *doubtful, int64 *list, int capacity,
    int64 n) {
    normal(y, mean, deviation, seed, stream, step, doubtful, list, capacity, n);
}
