// Rankings.

// Larger keys come first: by value with NaN above everything and -0 equal to 0, then the lower index. No two keys are equal, and 0 is none.
__device__ __forceinline__ unsigned long long rankingKey(float x, int index) {
    unsigned bits = __float_as_uint(x == 0 ? 0.0f : x);
    unsigned order = x != x ? 0xFFFFFFFFu : (bits >> 31) != 0 ? ~bits : bits | 0x80000000u;
    return ((unsigned long long)order << 32) | (0xFFFFFFFFu - (unsigned)index);
}

struct Largest {
    static __device__ __forceinline__ unsigned long long of(unsigned long long a, unsigned long long b) { return a > b ? a : b; }
};

// The indices of the k largest of each row, a warp or a block to a row: k times the largest below the one before. Reads the row once from memory and k - 1 times from the cache; k is small.
template <bool BLOCK, typename T>
__device__ __forceinline__ void topK(const T *input, int *output, int64 rows, int classes, int k) {
    for (int64 row = Rows<BLOCK>::first(); row < rows; row += Rows<BLOCK>::step()) {
        const T *x = input + row * classes;
        unsigned long long limit = 0xFFFFFFFFFFFFFFFFull;
        for (int i = 0; i < k; i++) {
            unsigned long long best = 0;
            for (int64 c = Rows<BLOCK>::lane(); c < classes; c += Rows<BLOCK>::lanes()) {
                unsigned long long key = rankingKey(toFloat(x[c]), (int)c);
                best = key < limit && key > best ? key : best;
            }
            limit = Rows<BLOCK>::template reduce<Largest>(best);
            if (Rows<BLOCK>::lane() == 0) {
                output[row * k + i] = (int)(0xFFFFFFFFu - (unsigned)limit);
            }
        }
    }
}

// 4 bytes per element, 2 in BF16.
TENON_KERNEL(top_k_f32, const float *x, int *out, int64 rows, int classes, int k) { topK<false>(x, out, rows, classes, k); }
TENON_KERNEL(top_k_bf16, const bf16 *x, int *out, int64 rows, int classes, int k) { topK<false>(x, out, rows, classes, k); }
TENON_KERNEL(long_top_k_f32, const float *x, int *out, int64 rows, int classes, int k) { topK<true>(x, out, rows, classes, k); }
TENON_KERNEL(long_top_k_bf16, const bf16 *x, int *out, int64 rows, int classes, int k) { topK<true>(x, out, rows, classes, k); }
