// Sums, products, casts and fills. Every output may be an input of the same size.

// a + b and a·b of equal shapes: 12 bytes per element, 6 in BF16.
TENON_KERNEL(add_f32, const float *a, const float *b, float *y, int64 n) {
    map(a, b, y, n, [](float v, float w) { return v + w; });
}
TENON_KERNEL(add_bf16, const bf16 *a, const bf16 *b, bf16 *y, int64 n) {
    map(a, b, y, n, [](float v, float w) { return v + w; });
}
TENON_KERNEL(multiply_f32, const float *a, const float *b, float *y, int64 n) {
    map(a, b, y, n, [](float v, float w) { return v * w; });
}
TENON_KERNEL(multiply_bf16, const bf16 *a, const bf16 *b, bf16 *y, int64 n) {
    map(a, b, y, n, [](float v, float w) { return v * w; });
}

// The same with b repeated for every row of `columns` elements; 1 column is a scalar in device memory. 8 bytes per element, 4 in BF16.
TENON_KERNEL(add_rows_f32, const float *a, const float *row, float *y, int columns, int64 n) {
    mapRows(a, row, columns, y, n, [](float v, float w) { return v + w; });
}
TENON_KERNEL(add_rows_bf16, const bf16 *a, const bf16 *row, bf16 *y, int columns, int64 n) {
    mapRows(a, row, columns, y, n, [](float v, float w) { return v + w; });
}
TENON_KERNEL(multiply_rows_f32, const float *a, const float *row, float *y, int columns, int64 n) {
    mapRows(a, row, columns, y, n, [](float v, float w) { return v * w; });
}
TENON_KERNEL(multiply_rows_bf16, const bf16 *a, const bf16 *row, bf16 *y, int columns, int64 n) {
    mapRows(a, row, columns, y, n, [](float v, float w) { return v * w; });
}

// Any mix of stretched dimensions: sizes of the result, innermost first and 1 where there are fewer, and the strides of a and b, 0 where they are stretched. 12 bytes per element, 6 in BF16, and a
// division for each dimension.
#define STRIDES                                                                                                              \
    int64 size0, int64 size1, int64 size2, int64 size3, int64 size4, int64 size5, int64 a0, int64 a1, int64 a2, int64 a3,    \
        int64 a4, int64 a5, int64 b0, int64 b1, int64 b2, int64 b3, int64 b4, int64 b5
#define BROADCAST(name, T, expression)                                                                  \
    TENON_KERNEL(name, const T *a, const T *b, T *y, int64 n, STRIDES) {                                \
        const int64 sizes[6] = {size0, size1, size2, size3, size4, size5};                              \
        const int64 stridesA[6] = {a0, a1, a2, a3, a4, a5};                                             \
        const int64 stridesB[6] = {b0, b1, b2, b3, b4, b5};                                             \
        for (int64 i = threadNumber(); i < n; i += threadCount()) {                                     \
            int64 rest = i;                                                                             \
            int64 atA = 0;                                                                              \
            int64 atB = 0;                                                                              \
            _Pragma("unroll") for (int d = 0; d < 6; d++) {                                             \
                if (sizes[d] != 1) {                                                                    \
                    int64 outer = quotient(rest, sizes[d]);                                             \
                    int64 at = rest - outer * sizes[d];                                                 \
                    atA += at * stridesA[d];                                                            \
                    atB += at * stridesB[d];                                                            \
                    rest = outer;                                                                       \
                }                                                                                       \
            }                                                                                           \
            float v = toFloat(a[atA]);                                                                  \
            float w = toFloat(b[atB]);                                                                  \
            put(y + i, expression);                                                                     \
        }                                                                                               \
    }
BROADCAST(add_broadcast_f32, float, v + w)
BROADCAST(add_broadcast_bf16, bf16, v + w)
BROADCAST(multiply_broadcast_f32, float, v *w)
BROADCAST(multiply_broadcast_bf16, bf16, v *w)

// y = factor·x. 8 bytes per element, 4 in BF16.
TENON_KERNEL(scale_f32, const float *x, float factor, float *y, int64 n) {
    map(x, y, n, [=](float v) { return factor * v; });
}
TENON_KERNEL(scale_bf16, const bf16 *x, float factor, bf16 *y, int64 n) {
    map(x, y, n, [=](float v) { return factor * v; });
}

// Casts: the sizes of both types per element. A 32-bit integer rounds to F32 first, as on every back-end.
#define CAST(from, From, to, To)                                            \
    TENON_KERNEL(cast_##from##_##to, const From *x, To *y, int64 n) {       \
        map(x, y, n, [](float v) { return v; });                            \
    }
CAST(f32, float, bf16, bf16)
CAST(bf16, bf16, f32, float)
CAST(u8, u8, f32, float)
CAST(u8, u8, bf16, bf16)
CAST(i32, int, f32, float)
CAST(i32, int, bf16, bf16)

// Fills `bytes` bytes with a pattern of eight, low byte first, whatever the element type. The address is a multiple of 16.
TENON_KERNEL(fill, u8 *y, int64 pattern, int64 bytes) {
    unsigned low = (unsigned)pattern;
    unsigned high = (unsigned)((unsigned long long)pattern >> 32);
    uint4 four = make_uint4(low, high, low, high);
    for (int64 i = threadNumber(); i < bytes / 16; i += threadCount()) {
        reinterpret_cast<uint4 *>(y)[i] = four;
    }
    for (int64 i = bytes / 16 * 16 + threadNumber(); i < bytes; i += threadCount()) {
        y[i] = (u8)((unsigned long long)pattern >> (8 * (i & 7)));
    }
}

// Sets *flag where an element is NaN or infinite: all bits of the exponent are set. 4 bytes per element, 2 in BF16.
template <typename T>
__device__ __forceinline__ void findNonFinite(const T *x, int *flag, int64 n) {
    const int N = Width<T>::N;
    int64 vectors = aligned(x) ? n / N : 0;
    bool bad = false;
    for (int64 i = threadNumber(); i < vectors; i += threadCount()) {
        float v[N];
        load(x + i * N, v);
#pragma unroll
        for (int j = 0; j < N; j++) {
            bad |= (__float_as_uint(v[j]) & 0x7F800000u) == 0x7F800000u;
        }
    }
    for (int64 i = vectors * N + threadNumber(); i < n; i += threadCount()) {
        bad |= (__float_as_uint(toFloat(x[i])) & 0x7F800000u) == 0x7F800000u;
    }
    // Whoever writes, writes 1: no order and no atomics needed.
    if (bad) {
        *flag = 1;
    }
}

TENON_KERNEL(find_non_finite_f32, const float *x, int *flag, int64 n) { findNonFinite(x, flag, n); }
TENON_KERNEL(find_non_finite_bf16, const bf16 *x, int *flag, int64 n) { findNonFinite(x, flag, n); }
