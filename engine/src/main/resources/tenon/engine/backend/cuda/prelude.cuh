// What every kernel file of this folder may use. It is put in front of each of them and nothing is included, so that kernels compile where CUDA's headers are not installed.
//
// A kernel is declared by TENON_KERNEL(name, parameters...) { body } and does any number of elements on any grid of warps. Activations are F32 or BF16; arithmetic is in F32.
// Elements are counted by 64-bit numbers. The notes at the kernels give the bytes moved per element, F32 first.

#ifndef TENON_KERNEL
#define TENON_KERNEL(name, ...) extern "C" __global__ void name(__VA_ARGS__)
#endif

// ---- element types ----

typedef long long int64;
typedef unsigned char u8;
typedef unsigned short bf16;

__device__ __forceinline__ float toFloat(float x) { return x; }
__device__ __forceinline__ float toFloat(bf16 x) { return __uint_as_float((unsigned)x << 16); }
__device__ __forceinline__ float toFloat(u8 x) { return (float)x; }
__device__ __forceinline__ float toFloat(int x) { return (float)x; }

// Two floats rounded to BF16, to nearest even; NaN stays NaN.
__device__ __forceinline__ unsigned packBf16(float low, float high) {
#if defined(__CUDA_ARCH__) && __CUDA_ARCH__ >= 800
    unsigned pair;
    asm("cvt.rn.bf16x2.f32 %0, %1, %2;" : "=r"(pair) : "f"(high), "f"(low));
    return pair;
#else
    unsigned l = __float_as_uint(low);
    unsigned h = __float_as_uint(high);
    l = (l & 0x7FFFFFFFu) > 0x7F800000u ? l | 0x400000u : l + 0x7FFFu + ((l >> 16) & 1u);
    h = (h & 0x7FFFFFFFu) > 0x7F800000u ? h | 0x400000u : h + 0x7FFFu + ((h >> 16) & 1u);
    return (l >> 16) | (h & 0xFFFF0000u);
#endif
}

__device__ __forceinline__ bf16 toBf16(float x) { return (bf16)packBf16(x, 0.0f); }

__device__ __forceinline__ void put(float* p, float x) { *p = x; }
__device__ __forceinline__ void put(bf16* p, float x) { *p = toBf16(x); }

// ---- vectors: N elements in one access of at most 16 bytes, or two ----

// Elements that are accessed at once so that the larger type takes 16 bytes.
template <typename A, typename B = A>
struct Width {
    static const int N = 16 / (sizeof(A) > sizeof(B) ? sizeof(A) : sizeof(B));
};

__device__ __forceinline__ void load(const float* p, float (&v)[1]) { v[0] = *p; }
__device__ __forceinline__ void load(const bf16* p, float (&v)[1]) { v[0] = toFloat(*p); }

__device__ __forceinline__ void load(const float* p, float (&v)[4]) {
    float4 x = *reinterpret_cast<const float4*>(p);
    v[0] = x.x;
    v[1] = x.y;
    v[2] = x.z;
    v[3] = x.w;
}

__device__ __forceinline__ void load(const float* p, float (&v)[8]) {
    float4 x = *reinterpret_cast<const float4*>(p);
    float4 y = *reinterpret_cast<const float4*>(p + 4);
    v[0] = x.x;
    v[1] = x.y;
    v[2] = x.z;
    v[3] = x.w;
    v[4] = y.x;
    v[5] = y.y;
    v[6] = y.z;
    v[7] = y.w;
}

__device__ __forceinline__ void unpackBf16(unsigned pair, float& low, float& high) {
    low = __uint_as_float(pair << 16);
    high = __uint_as_float(pair & 0xFFFF0000u);
}

__device__ __forceinline__ void load(const bf16* p, float (&v)[4]) {
    uint2 x = *reinterpret_cast<const uint2*>(p);
    unpackBf16(x.x, v[0], v[1]);
    unpackBf16(x.y, v[2], v[3]);
}

__device__ __forceinline__ void load(const bf16* p, float (&v)[8]) {
    uint4 x = *reinterpret_cast<const uint4*>(p);
    unpackBf16(x.x, v[0], v[1]);
    unpackBf16(x.y, v[2], v[3]);
    unpackBf16(x.z, v[4], v[5]);
    unpackBf16(x.w, v[6], v[7]);
}

__device__ __forceinline__ void unpackBytes(unsigned four, float* v) {
    v[0] = (float)(four & 0xFFu);
    v[1] = (float)((four >> 8) & 0xFFu);
    v[2] = (float)((four >> 16) & 0xFFu);
    v[3] = (float)(four >> 24);
}

__device__ __forceinline__ void load(const u8* p, float (&v)[4]) { unpackBytes(*reinterpret_cast<const unsigned*>(p), v); }

__device__ __forceinline__ void load(const u8* p, float (&v)[8]) {
    uint2 x = *reinterpret_cast<const uint2*>(p);
    unpackBytes(x.x, v);
    unpackBytes(x.y, v + 4);
}

__device__ __forceinline__ void load(const int* p, float (&v)[4]) {
    int4 x = *reinterpret_cast<const int4*>(p);
    v[0] = (float)x.x;
    v[1] = (float)x.y;
    v[2] = (float)x.z;
    v[3] = (float)x.w;
}

__device__ __forceinline__ void store(float* p, const float (&v)[1]) { *p = v[0]; }
__device__ __forceinline__ void store(bf16* p, const float (&v)[1]) { *p = toBf16(v[0]); }

__device__ __forceinline__ void store(float* p, const float (&v)[4]) { *reinterpret_cast<float4*>(p) = make_float4(v[0], v[1], v[2], v[3]); }

__device__ __forceinline__ void store(float* p, const float (&v)[8]) {
    *reinterpret_cast<float4*>(p) = make_float4(v[0], v[1], v[2], v[3]);
    *reinterpret_cast<float4*>(p + 4) = make_float4(v[4], v[5], v[6], v[7]);
}

__device__ __forceinline__ void store(bf16* p, const float (&v)[4]) {
    *reinterpret_cast<uint2*>(p) = make_uint2(packBf16(v[0], v[1]), packBf16(v[2], v[3]));
}

__device__ __forceinline__ void store(bf16* p, const float (&v)[8]) {
    *reinterpret_cast<uint4*>(p) =
        make_uint4(packBf16(v[0], v[1]), packBf16(v[2], v[3]), packBf16(v[4], v[5]), packBf16(v[6], v[7]));
}

__device__ __forceinline__ bool aligned(const void* a) { return (reinterpret_cast<size_t>(a) & 15) == 0; }
__device__ __forceinline__ bool aligned(const void* a, const void* b) { return aligned(a) && aligned(b); }
__device__ __forceinline__ bool aligned(const void* a, const void* b, const void* c) { return aligned(a, b) && aligned(c); }

// ---- grid-stride loops ----

__device__ __forceinline__ int64 threadNumber() { return (int64)blockIdx.x * blockDim.x + threadIdx.x; }
__device__ __forceinline__ int64 threadCount() { return (int64)gridDim.x * blockDim.x; }

// a / b and a % b for a >= 0, b > 0; 64-bit division is some five times the work of 32-bit.
__device__ __forceinline__ int64 quotient(int64 a, int64 b) {
    return ((a | b) >> 32) == 0 ? (int64)((unsigned)a / (unsigned)b) : a / b;
}

__device__ __forceinline__ int64 remainder64(int64 a, int64 b) {
    return ((a | b) >> 32) == 0 ? (int64)((unsigned)a % (unsigned)b) : a % b;
}

// A position that walks cyclically over [0, size): two divisions at the start, none on the way.
struct Cycle {
    int at;
    int step;
    int size;

    __device__ __forceinline__ Cycle(int64 start, int64 stride, int length)
        : at((int)remainder64(start, length)), step((int)remainder64(stride, length)), size(length) {}

    __device__ __forceinline__ void next() {
        // Unsigned: the sum may pass 2^31.
        unsigned sum = (unsigned)at + (unsigned)step;
        at = (int)(sum >= (unsigned)size ? sum - (unsigned)size : sum);
    }
};

// Row and column of an element number that grows by a constant stride.
struct RowColumn {
    int64 row;
    int column;
    int64 rowStep;
    int columnStep;
    int columns;

    __device__ __forceinline__ RowColumn(int64 start, int64 stride, int width)
        : row(quotient(start, width)),
          column((int)(start - row * width)),
          rowStep(quotient(stride, width)),
          columnStep((int)(stride - rowStep * width)),
          columns(width) {}

    __device__ __forceinline__ void next() {
        unsigned sum = (unsigned)column + (unsigned)columnStep;
        bool wraps = sum >= (unsigned)columns;
        column = (int)(wraps ? sum - (unsigned)columns : sum);
        row += rowStep + (wraps ? 1 : 0);
    }
};

// y[i] = f(a[i]) for i in [0, n); y may be a.
template <typename A, typename Y, typename F>
__device__ __forceinline__ void map(const A* a, Y* y, int64 n, F f) {
    const int N = Width<A, Y>::N;
    int64 vectors = aligned(a, y) ? n / N : 0;
    for (int64 i = threadNumber(); i < vectors; i += threadCount()) {
        float v[N];
        load(a + i * N, v);
#pragma unroll
        for (int j = 0; j < N; j++) {
            v[j] = f(v[j]);
        }
        store(y + i * N, v);
    }
    for (int64 i = vectors * N + threadNumber(); i < n; i += threadCount()) {
        put(y + i, f(toFloat(a[i])));
    }
}

// y[i] = f(a[i], b[i]) for i in [0, n); y may be a or b.
template <typename A, typename B, typename Y, typename F>
__device__ __forceinline__ void map(const A* a, const B* b, Y* y, int64 n, F f) {
    const int N = Width<A, B>::N < Width<Y>::N ? Width<A, B>::N : Width<Y>::N;
    int64 vectors = aligned(a, b, y) ? n / N : 0;
    for (int64 i = threadNumber(); i < vectors; i += threadCount()) {
        float v[N];
        float w[N];
        load(a + i * N, v);
        load(b + i * N, w);
#pragma unroll
        for (int j = 0; j < N; j++) {
            v[j] = f(v[j], w[j]);
        }
        store(y + i * N, v);
    }
    for (int64 i = vectors * N + threadNumber(); i < n; i += threadCount()) {
        put(y + i, f(toFloat(a[i]), toFloat(b[i])));
    }
}

// N values of a row of `size` that repeats, from position `at` on.
template <typename R, int N>
__device__ __forceinline__ void loadCyclic(const R* row, int at, int size, bool whole, float (&v)[N]) {
    if (whole) {
        load(row + at, v);
        return;
    }
#pragma unroll
    for (int j = 0; j < N; j++) {
        v[j] = toFloat(row[at]);
        at = at + 1 == size ? 0 : at + 1;
    }
}

// y[i] = f(a[i], row[i mod columns]) for i in [0, n); y may be a.
template <typename A, typename R, typename Y, typename F>
__device__ __forceinline__ void mapRows(const A* a, const R* row, int columns, Y* y, int64 n, F f) {
    const int N = Width<A, Y>::N;
    int64 vectors = aligned(a, y) ? n / N : 0;
    bool whole = columns % N == 0 && aligned(row);
    Cycle c(threadNumber() * N, threadCount() * N, columns);
    for (int64 i = threadNumber(); i < vectors; i += threadCount(), c.next()) {
        float v[N];
        float r[N];
        load(a + i * N, v);
        loadCyclic(row, c.at, columns, whole, r);
#pragma unroll
        for (int j = 0; j < N; j++) {
            v[j] = f(v[j], r[j]);
        }
        store(y + i * N, v);
    }
    for (int64 i = vectors * N + threadNumber(); i < n; i += threadCount()) {
        put(y + i, f(toFloat(a[i]), toFloat(row[remainder64(i, columns)])));
    }
}

// y[i] = f(a[i], b[i], row[i mod columns]) for i in [0, n); y may be a or b, which have one type.
template <typename A, typename R, typename Y, typename F>
__device__ __forceinline__ void mapRows(const A* a, const A* b, const R* row, int columns, Y* y, int64 n, F f) {
    const int N = Width<A, Y>::N;
    int64 vectors = aligned(a, b, y) ? n / N : 0;
    bool whole = columns % N == 0 && aligned(row);
    Cycle c(threadNumber() * N, threadCount() * N, columns);
    for (int64 i = threadNumber(); i < vectors; i += threadCount(), c.next()) {
        float v[N];
        float w[N];
        float r[N];
        load(a + i * N, v);
        load(b + i * N, w);
        loadCyclic(row, c.at, columns, whole, r);
#pragma unroll
        for (int j = 0; j < N; j++) {
            v[j] = f(v[j], w[j], r[j]);
        }
        store(y + i * N, v);
    }
    for (int64 i = vectors * N + threadNumber(); i < n; i += threadCount()) {
        put(y + i, f(toFloat(a[i]), toFloat(b[i]), toFloat(row[remainder64(i, columns)])));
    }
}

// ---- reductions in a fixed order; every lane or thread gets the result ----

struct Sum {
    template <typename T>
    static __device__ __forceinline__ T of(T a, T b) {
        return a + b;
    }
};

// The larger, NaN ignored.
struct Max {
    static __device__ __forceinline__ float of(float a, float b) { return fmaxf(a, b); }
};

template <typename Op, typename T>
__device__ __forceinline__ T warpReduce(T x) {
#pragma unroll
    for (int mask = 16; mask > 0; mask >>= 1) {
        x = Op::of(x, __shfl_xor_sync(0xFFFFFFFFu, x, mask));
    }
    return x;
}

// All threads of the block call it, and there are whole warps. May be called again at once.
template <typename Op, typename T>
__device__ __forceinline__ T blockReduce(T x) {
    __shared__ T warps[32];
    x = warpReduce<Op>(x);
    if (threadIdx.x % 32 == 0) {
        warps[threadIdx.x / 32] = x;
    }
    __syncthreads();
    T total = warps[0];
    for (int w = 1; w < (int)(blockDim.x / 32); w++) {
        total = Op::of(total, warps[w]);
    }
    __syncthreads();
    return total;
}

// One row per warp, or per block where rows are long: what a thread's lane is within its row, and which rows it takes part in.
template <bool BLOCK>
struct Rows {
    static __device__ __forceinline__ int lane() { return BLOCK ? threadIdx.x : threadIdx.x % 32; }
    static __device__ __forceinline__ int lanes() { return BLOCK ? blockDim.x : 32; }
    static __device__ __forceinline__ int64 first() { return BLOCK ? (int64)blockIdx.x : threadNumber() / 32; }
    static __device__ __forceinline__ int64 step() { return BLOCK ? (int64)gridDim.x : threadCount() / 32; }

    template <typename Op, typename T>
    static __device__ __forceinline__ T reduce(T x) {
        return BLOCK ? blockReduce<Op>(x) : warpReduce<Op>(x);
    }
};

// Pairwise.
template <int N>
__device__ __forceinline__ float sumOf(const float (&v)[N]) {
    float s[N];
#pragma unroll
    for (int j = 0; j < N; j++) {
        s[j] = v[j];
    }
#pragma unroll
    for (int half = N / 2; half > 0; half /= 2) {
#pragma unroll
        for (int j = 0; j < half; j++) {
            s[j] += s[j + half];
        }
    }
    return s[0];
}

// This block's part of the sum of f(a[i]) over [0, n), to partial[block]: a few neighbours in F32, then in F64. The order depends on the grid alone.
template <typename A, typename F>
__device__ __forceinline__ void partialSum(const A* a, int64 n, double* partial, F f) {
    const int N = Width<A>::N;
    int64 vectors = aligned(a) ? n / N : 0;
    double sum = 0;
    for (int64 i = threadNumber(); i < vectors; i += threadCount()) {
        float v[N];
        load(a + i * N, v);
#pragma unroll
        for (int j = 0; j < N; j++) {
            v[j] = f(v[j]);
        }
        sum += sumOf(v);
    }
    for (int64 i = vectors * N + threadNumber(); i < n; i += threadCount()) {
        sum += f(toFloat(a[i]));
    }
    sum = blockReduce<Sum>(sum);
    if (threadIdx.x == 0) {
        partial[blockIdx.x] = sum;
    }
}

// The same of f(a[i], b[i]).
template <typename A, typename B, typename F>
__device__ __forceinline__ void partialSum(const A* a, const B* b, int64 n, double* partial, F f) {
    const int N = Width<A, B>::N;
    int64 vectors = aligned(a, b) ? n / N : 0;
    double sum = 0;
    for (int64 i = threadNumber(); i < vectors; i += threadCount()) {
        float v[N];
        float w[N];
        load(a + i * N, v);
        load(b + i * N, w);
#pragma unroll
        for (int j = 0; j < N; j++) {
            v[j] = f(v[j], w[j]);
        }
        sum += sumOf(v);
    }
    for (int64 i = vectors * N + threadNumber(); i < n; i += threadCount()) {
        sum += f(toFloat(a[i]), toFloat(b[i]));
    }
    sum = blockReduce<Sum>(sum);
    if (threadIdx.x == 0) {
        partial[blockIdx.x] = sum;
    }
}

// One block: the sum of the parts.
template <typename P>
__device__ __forceinline__ double totalOf(const P* partial, int64 count) {
    double sum = 0;
    for (int64 i = threadIdx.x; i < count; i += blockDim.x) {
        sum += (double)partial[i];
    }
    return blockReduce<Sum>(sum);
}

// ---- activations: the values are the ordinals of tenon.engine.ops.Activation.Kind ----

enum Activation { NONE, RELU, RELU6, LEAKY_RELU, ELU, SIGMOID, TANH };

// M(prefix of kernel names, activation) for each one.
#define TENON_ACTIVATIONS(M) \
    M(relu, RELU)            \
    M(relu6, RELU6)          \
    M(leaky_relu, LEAKY_RELU) \
    M(elu, ELU)              \
    M(sigmoid, SIGMOID)      \
    M(tanh, TANH)

__device__ __forceinline__ float hyperbolicTangent(float x) {
#ifdef TENON_FAST_MATH
    // CUDA 13 makes tanh.approx of tanhf, which is good to 11 bits; this to a few units in the last place, and 1 far out.
    float e = expm1f(-2 * fabsf(x));
    return copysignf(__fdiv_rn(-e, 2 + e), x);
#else
    return tanhf(x);
#endif
}

// NaN gives NaN.
template <int A>
__device__ __forceinline__ float activate(float x, float alpha) {
    if (A == RELU) {
        return x <= 0 ? 0 : x;
    } else if (A == RELU6) {
        return x <= 0 ? 0 : x > 6 ? 6 : x;
    } else if (A == LEAKY_RELU) {
        return x > 0 ? x : alpha * x;
    } else if (A == ELU) {
        return x > 0 ? x : alpha * expm1f(x);
    } else if (A == SIGMOID) {
        float e = expf(-fabsf(x));
        return (x < 0 ? e : 1) / (1 + e);
    } else if (A == TANH) {
        return hyperbolicTangent(x);
    }
    return x;
}

// Gradient before the activation from its result y and the gradient g of that.
template <int A>
__device__ __forceinline__ float activationGradient(float y, float g, float alpha) {
    if (A == RELU) {
        return y > 0 ? g : 0;
    } else if (A == RELU6) {
        return y > 0 && y < 6 ? g : 0;
    } else if (A == LEAKY_RELU) {
        return y > 0 ? g : alpha * g;
    } else if (A == ELU) {
        return y > 0 ? g : (y + alpha) * g;
    } else if (A == SIGMOID) {
        return y * (1 - y) * g;
    } else if (A == TANH) {
        return (1 - y * y) * g;
    }
    return g;
}

// ---- random numbers ----

// Block `number` of Philox4x32-10 (Salmon et al. 2011) under the counter (number, step, stream): draws 4·number to 4·number + 3 of tenon.engine.Rng.
__device__ __forceinline__ uint4 philox(unsigned long long seed, unsigned step, unsigned stream, int64 number) {
    unsigned c0 = (unsigned)number;
    unsigned c1 = (unsigned)((unsigned long long)number >> 32);
    unsigned c2 = step;
    unsigned c3 = stream;
    unsigned k0 = (unsigned)seed;
    unsigned k1 = (unsigned)(seed >> 32);
#pragma unroll
    for (int round = 0; round < 10; round++) {
        unsigned long long p0 = (unsigned long long)0xD2511F53u * c0;
        unsigned long long p1 = (unsigned long long)0xCD9E8D57u * c2;
        c0 = (unsigned)(p1 >> 32) ^ c1 ^ k0;
        c2 = (unsigned)(p0 >> 32) ^ c3 ^ k1;
        c1 = (unsigned)p1;
        c3 = (unsigned)p0;
        k0 += 0x9E3779B9u;
        k1 += 0xBB67AE85u;
    }
    return make_uint4(c0, c1, c2, c3);
}

// 32 random bits: draw `index`.
__device__ __forceinline__ unsigned draw(unsigned long long seed, unsigned step, unsigned stream, int64 index) {
    uint4 block = philox(seed, step, stream, index >> 2);
    unsigned low = index & 1 ? block.y : block.x;
    unsigned high = index & 1 ? block.w : block.z;
    return index & 2 ? high : low;
}
