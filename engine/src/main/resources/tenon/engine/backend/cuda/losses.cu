// Softmax and losses. Logits are F32 or BF16; probabilities, floating targets and losses are F32. One warp to a row, or one block (`long_`) where rows are long; a row is read again from the
// first-level cache.

#define LOWEST (-__int_as_float(0x7F800000))

// The row's maximum, and the sum of e^(x - maximum); NaN anywhere makes the sum NaN.
template <bool BLOCK, typename T>
__device__ __forceinline__ void rowStatistics(const T *x, int classes, float &maximum, float &sum) {
    maximum = LOWEST;
    for (int64 c = Rows<BLOCK>::lane(); c < classes; c += Rows<BLOCK>::lanes()) {
        maximum = fmaxf(maximum, toFloat(x[c]));
    }
    maximum = Rows<BLOCK>::template reduce<Max>(maximum);
    sum = 0;
    for (int64 c = Rows<BLOCK>::lane(); c < classes; c += Rows<BLOCK>::lanes()) {
        sum += expf(toFloat(x[c]) - maximum);
    }
    sum = Rows<BLOCK>::template reduce<Sum>(sum);
}

template <bool BLOCK, typename T>
__device__ __forceinline__ void softmaxForward(const T *input, T *output, int64 rows, int classes) {
    for (int64 row = Rows<BLOCK>::first(); row < rows; row += Rows<BLOCK>::step()) {
        const T *x = input + row * classes;
        float maximum;
        float sum;
        rowStatistics<BLOCK>(x, classes, maximum, sum);
        for (int64 c = Rows<BLOCK>::lane(); c < classes; c += Rows<BLOCK>::lanes()) {
            put(output + row * classes + c, expf(toFloat(x[c]) - maximum) / sum);
        }
    }
}

template <bool BLOCK, typename T>
__device__ __forceinline__ void softmaxBackward(const T *output, const T *gradOutput, T *gradInput, int64 rows, int classes) {
    for (int64 row = Rows<BLOCK>::first(); row < rows; row += Rows<BLOCK>::step()) {
        const T *y = output + row * classes;
        const T *g = gradOutput + row * classes;
        float dot = 0;
        for (int64 c = Rows<BLOCK>::lane(); c < classes; c += Rows<BLOCK>::lanes()) {
            dot += toFloat(g[c]) * toFloat(y[c]);
        }
        dot = Rows<BLOCK>::template reduce<Sum>(dot);
        for (int64 c = Rows<BLOCK>::lane(); c < classes; c += Rows<BLOCK>::lanes()) {
            put(gradInput + row * classes + c, toFloat(y[c]) * (toFloat(g[c]) - dot));
        }
    }
}

// q(c) = hit·target(c) + floor, hit = 1 - smoothing and floor = smoothing / classes.
__device__ __forceinline__ float targetOf(const int *labels, int64 row, int, int c, float hit, float floor) {
    return (labels[row] == c ? hit : 0) + floor;
}

__device__ __forceinline__ float targetOf(const float *target, int64 row, int classes, int c, float hit, float floor) {
    return hit * target[row * classes + c] + floor;
}

// A label outside of [0, classes) reads nothing and makes the loss NaN.
__device__ __forceinline__ bool isKnown(const int *labels, int64 row, int classes) {
    return (unsigned)labels[row] < (unsigned)classes;
}

__device__ __forceinline__ bool isKnown(const float *, int64, int) { return true; }

// losses[row] = sum of -q·log softmax, where q = 0 contributes 0 even where the logarithm is infinite; probabilities may be null.
template <bool BLOCK, typename T, typename Target>
__device__ __forceinline__ void crossEntropyForward(
    const T *logits, const Target *target, float hit, float floor, float *losses, float *probabilities, int64 rows, int classes) {
    for (int64 row = Rows<BLOCK>::first(); row < rows; row += Rows<BLOCK>::step()) {
        const T *x = logits + row * classes;
        float maximum;
        float sum;
        rowStatistics<BLOCK>(x, classes, maximum, sum);
        float logSum = logf(sum);
        float loss = 0;
        for (int64 c = Rows<BLOCK>::lane(); c < classes; c += Rows<BLOCK>::lanes()) {
            float above = toFloat(x[c]) - maximum;
            float q = targetOf(target, row, classes, (int)c, hit, floor);
            loss += q == 0 ? 0 : q * (logSum - above);
            if (probabilities != nullptr) {
                probabilities[row * classes + c] = expf(above) / sum;
            }
        }
        loss = Rows<BLOCK>::template reduce<Sum>(loss);
        if (Rows<BLOCK>::lane() == 0) {
            losses[row] = isKnown(target, row, classes) ? loss : __int_as_float(0x7FC00000);
        }
    }
}


// gradLogits = gradLoss·(probabilities·(sum of q) - q) / rows
template <bool BLOCK, typename T, typename Target>
__device__ __forceinline__ void crossEntropyBackward(
    const float *probabilities,
    const Target *target,
    float hit,
    float floor,
    const float *gradLoss,
    T *gradLogits,
    int64 rows,
    int classes) {
    float factor = *gradLoss / (float)rows;
    for (int64 row = Rows<BLOCK>::first(); row < rows; row += Rows<BLOCK>::step()) {
        float mass = 0;
        for (int64 c = Rows<BLOCK>::lane(); c < classes; c += Rows<BLOCK>::lanes()) {
            mass += targetOf(target, row, classes, (int)c, hit, floor);
        }
        mass = Rows<BLOCK>::template reduce<Sum>(mass);
        for (int64 c = Rows<BLOCK>::lane(); c < classes; c += Rows<BLOCK>::lanes()) {
            float q = targetOf(target, row, classes, (int)c, hit, floor);
            put(gradLogits + row * classes + c, factor * (probabilities[row * classes + c] * mass - q));
        }
    }
}

// Softmax forward 8 bytes per element, backward 12; half in BF16.
#define SOFTMAX(prefix, BLOCK, type, T)                                                                              \
    TENON_KERNEL(prefix##softmax_forward_##type, const T *x, T *y, int64 rows, int classes) {                        \
        softmaxForward<BLOCK>(x, y, rows, classes);                                                                  \
    }                                                                                                                \
    TENON_KERNEL(                                                                                                    \
        prefix##softmax_backward_##type, const T *y, const T *gradOutput, T *gradInput, int64 rows, int classes) {   \
        softmaxBackward<BLOCK>(y, gradOutput, gradInput, rows, classes);                                             \
    }
SOFTMAX(, false, f32, float)
SOFTMAX(, false, bf16, bf16)
SOFTMAX(long_, true, f32, float)
SOFTMAX(long_, true, bf16, bf16)

// Cross-entropy with labels: 8 bytes per logit (6 from BF16) forward, 8 (6) backward; 4 more with floating targets.
#define CROSS_ENTROPY(prefix, BLOCK, kind, Target, type, T)                                                            \
    TENON_KERNEL(                                                                                                      \
        prefix##cross_entropy_##kind##_forward_##type, const T *logits, const Target *target, float hit, float floor,  \
        float *losses, float *probabilities, int64 rows, int classes) {                                                \
        crossEntropyForward<BLOCK>(logits, target, hit, floor, losses, probabilities, rows, classes);                  \
    }                                                                                                                  \
    TENON_KERNEL(                                                                                                      \
        prefix##cross_entropy_##kind##_backward_##type, const float *probabilities, const Target *target, float hit,   \
        float floor, const float *gradLoss, T *gradLogits, int64 rows, int classes) {                                  \
        crossEntropyBackward<BLOCK>(probabilities, target, hit, floor, gradLoss, gradLogits, rows, classes);           \
    }
#define CROSS_ENTROPIES(prefix, BLOCK)                              \
    CROSS_ENTROPY(prefix, BLOCK, labels, int, f32, float)           \
    CROSS_ENTROPY(prefix, BLOCK, labels, int, bf16, bf16)           \
    CROSS_ENTROPY(prefix, BLOCK, probabilities, float, f32, float)  \
    CROSS_ENTROPY(prefix, BLOCK, probabilities, float, bf16, bf16)
CROSS_ENTROPIES(, false)
CROSS_ENTROPIES(long_, true)

// Elementwise losses: 8 bytes per element (6 from BF16) forward, 12 (8) backward.
#define ELEMENTWISE(type, T)                                                                                               \
    TENON_KERNEL(sigmoid_cross_entropy_parts_##type, const T *logits, const float *target, double *partial, int64 n) {     \
        partialSum(logits, target, n, partial, [](float x, float t) {                                                      \
            return (x > 0 ? x : 0) - x * t + log1pf(expf(-fabsf(x)));                                                      \
        });                                                                                                                \
    }                                                                                                                      \
    TENON_KERNEL(                                                                                                          \
        sigmoid_cross_entropy_backward_##type, const T *logits, const float *target, const float *gradLoss, T *gradLogits, \
        int64 n) {                                                                                                         \
        float factor = *gradLoss / (float)n;                                                                               \
        map(logits, target, gradLogits, n, [=](float x, float t) { return factor * (activate<SIGMOID>(x, 0) - t); });      \
    }                                                                                                                      \
    TENON_KERNEL(squared_error_parts_##type, const T *x, const float *target, double *partial, int64 n) {                  \
        partialSum(x, target, n, partial, [](float v, float t) { return (v - t) * (v - t); });                             \
    }                                                                                                                      \
    TENON_KERNEL(                                                                                                          \
        squared_error_backward_##type, const T *x, const float *target, const float *gradLoss, T *gradInput, int64 n) {    \
        float factor = 2 * *gradLoss / (float)n;                                                                           \
        map(x, target, gradInput, n, [=](float v, float t) { return factor * (v - t); });                                  \
    }
ELEMENTWISE(f32, float)
ELEMENTWISE(bf16, bf16)

// *found, 0 before, becomes n - i for the first i whose label lies outside of [0, classes). 4 bytes per row.
TENON_KERNEL(find_bad_label, const int *labels, int classes, unsigned long long *found, int64 n) {
    for (int64 i = threadNumber(); i < n; i += threadCount()) {
        if ((unsigned)labels[i] >= (unsigned)classes) {
            atomicMax(found, (unsigned long long)(n - i));
        }
    }
}

// Sets bits of *problem where a label lies outside of [0, classes): for recorded steps, which nobody waits for. 4 bytes per row.
TENON_KERNEL(flag_bad_label, const int *labels, int classes, int *problem, int bits, int64 n) {
    bool bad = false;
    for (int64 i = threadNumber(); i < n; i += threadCount()) {
        bad |= (unsigned)labels[i] >= (unsigned)classes;
    }
    if (bad) {
        atomicOr(problem, bits);
    }
}
