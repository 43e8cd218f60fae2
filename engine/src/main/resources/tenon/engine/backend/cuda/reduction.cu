// Sums in two passes: parts of the input, then the parts. Orders depend on shapes alone; a few neighbours are added in F32, everything else in F64.

// ---- all elements ----

// 4 bytes per element, 2 in BF16.
TENON_KERNEL(sum_parts_f32, const float *x, double *partial, int64 n) {
    partialSum(x, n, partial, [](float v) { return v; });
}

TENON_KERNEL(sum_parts_bf16, const bf16 *x, double *partial, int64 n) {
    partialSum(x, n, partial, [](float v) { return v; });
}

TENON_KERNEL(total_f32, const double *partial, int64 count, double divisor, float *out) {
    double total = totalOf(partial, count);
    if (threadIdx.x == 0) {
        *out = (float)(total / divisor);
    }
}

TENON_KERNEL(total_bf16, const double *partial, int64 count, double divisor, bf16 *out) {
    double total = totalOf(partial, count);
    if (threadIdx.x == 0) {
        *out = toBf16((float)(total / divisor));
    }
}

TENON_KERNEL(total_f64, const double *partial, int64 count, double *out) {
    double total = totalOf(partial, count);
    if (threadIdx.x == 0) {
        *out = total;
    }
}

// One block: mean of a few F32 numbers, such as the losses of a batch.
TENON_KERNEL(mean_f32, const float *x, int64 count, float *out) {
    double total = totalOf(x, count);
    if (threadIdx.x == 0) {
        *out = (float)(total / count);
    }
}

// ---- columns of a row-major matrix ----

// A block of 256 threads takes `lanes` vectors of N columns, a power of two up to 32, and every gridDim.y-th of the groups of 256 / lanes rows: its sums go to partial[blockIdx.y][column].
// f(x, g) is summed; g may be x.
template <int N, typename T, typename F>
__device__ __forceinline__ void columnParts(
    const T *x, const T *g, int64 rows, int columns, int lanes, double *partial, F f) {
    __shared__ double sums[N * 256];
    int tid = threadIdx.x;
    int lane = tid % lanes;
    int height = 256 / lanes;
    int64 column = ((int64)blockIdx.x * lanes + lane) * N;
    int64 stride = (int64)gridDim.y * height;
    double sum[N];
#pragma unroll
    for (int j = 0; j < N; j++) {
        sum[j] = 0;
    }
    if (column < columns) {
        int64 row = (int64)blockIdx.y * height + tid / lanes;
        for (; row + 3 * stride < rows; row += 4 * stride) {
            float v[4][N];
            float w[4][N];
#pragma unroll
            for (int k = 0; k < 4; k++) {
                load(x + (row + k * stride) * columns + column, v[k]);
                load(g + (row + k * stride) * columns + column, w[k]);
            }
#pragma unroll
            for (int j = 0; j < N; j++) {
                sum[j] += (f(v[0][j], w[0][j]) + f(v[1][j], w[1][j])) + (f(v[2][j], w[2][j]) + f(v[3][j], w[3][j]));
            }
        }
        for (; row < rows; row += stride) {
            float v[N];
            float w[N];
            load(x + row * columns + column, v);
            load(g + row * columns + column, w);
#pragma unroll
            for (int j = 0; j < N; j++) {
                sum[j] += f(v[j], w[j]);
            }
        }
    }
#pragma unroll
    for (int j = 0; j < N; j++) {
        sums[j * 256 + tid] = sum[j];
    }
    for (int half = height / 2; half > 0; half /= 2) {
        __syncthreads();
        if (tid < half * lanes) {
#pragma unroll
            for (int j = 0; j < N; j++) {
                sums[j * 256 + tid] += sums[j * 256 + tid + half * lanes];
            }
        }
    }
    __syncthreads();
    if (tid < lanes && column < columns) {
#pragma unroll
        for (int j = 0; j < N; j++) {
            partial[(int64)blockIdx.y * columns + column + j] = sums[j * 256 + tid];
        }
    }
}

// 4 bytes per element, 2 in BF16. The variants with `_1` are for any number of columns, the others for multiples of 16 bytes.
#define COLUMN_PARTS(name, T, N)                                                                                    \
    TENON_KERNEL(column_parts_##name, const T *x, int64 rows, int columns, int lanes, double *partial) {            \
        columnParts<N>(x, x, rows, columns, lanes, partial, [](float v, float) { return v; });                      \
    }
COLUMN_PARTS(f32, float, 4)
COLUMN_PARTS(bf16, bf16, 8)
COLUMN_PARTS(f32_1, float, 1)
COLUMN_PARTS(bf16_1, bf16, 1)

// Gradient of PReLU's slopes: x·g where x is not above 0. 8 bytes per element, 4 in BF16.
#define PRELU_PARTS(name, T, N)                                                                                         \
    TENON_KERNEL(prelu_parts_##name, const T *x, const T *g, int64 rows, int columns, int lanes, double *partial) {     \
        columnParts<N>(x, g, rows, columns, lanes, partial, [](float v, float w) { return v > 0 ? 0 : v * w; });        \
    }
PRELU_PARTS(f32, float, 4)
PRELU_PARTS(bf16, bf16, 8)
PRELU_PARTS(f32_1, float, 1)
PRELU_PARTS(bf16_1, bf16, 1)

// Adds the stripes up; blocks of 256 threads, 32 columns by 8 groups of stripes.
template <typename T>
__device__ __forceinline__ void columnTotals(const double *partial, int stripes, int columns, T *out) {
    __shared__ double sums[8][32];
    int lane = threadIdx.x % 32;
    int group = threadIdx.x / 32;
    int64 column = (int64)blockIdx.x * 32 + lane;
    double sum = 0;
    if (column < columns) {
        for (int s = group; s < stripes; s += 8) {
            sum += partial[(int64)s * columns + column];
        }
    }
    sums[group][lane] = sum;
    __syncthreads();
    if (group == 0 && column < columns) {
        for (int i = 1; i < 8; i++) {
            sum += sums[i][lane];
        }
        put(out + column, (float)sum);
    }
}

TENON_KERNEL(column_totals_f32, const double *partial, int stripes, int columns, float *out) {
    columnTotals(partial, stripes, columns, out);
}

TENON_KERNEL(column_totals_bf16, const double *partial, int stripes, int columns, bf16 *out) {
    columnTotals(partial, stripes, columns, out);
}

// ---- rows of a row-major matrix ----

template <bool BLOCK, typename T>
__device__ __forceinline__ void rowSums(const T *x, int64 rows, int64 width, T *out) {
    const int N = Width<T>::N;
    bool whole = width % N == 0 && aligned(x);
    for (int64 row = Rows<BLOCK>::first(); row < rows; row += Rows<BLOCK>::step()) {
        const T *line = x + row * width;
        double sum = 0;
        if (whole) {
            for (int64 i = Rows<BLOCK>::lane(); i < width / N; i += Rows<BLOCK>::lanes()) {
                float v[N];
                load(line + i * N, v);
                sum += sumOf(v);
            }
        } else {
            for (int64 i = Rows<BLOCK>::lane(); i < width; i += Rows<BLOCK>::lanes()) {
                sum += toFloat(line[i]);
            }
        }
        sum = Rows<BLOCK>::template reduce<Sum>(sum);
        if (Rows<BLOCK>::lane() == 0) {
            put(out + row, (float)sum);
        }
    }
}

// 4 bytes per element, 2 in BF16; a warp or a block to each row.
TENON_KERNEL(row_sums_f32, const float *x, int64 rows, int64 width, float *out) { rowSums<false>(x, rows, width, out); }
TENON_KERNEL(row_sums_bf16, const bf16 *x, int64 rows, int64 width, bf16 *out) { rowSums<false>(x, rows, width, out); }
TENON_KERNEL(long_row_sums_f32, const float *x, int64 rows, int64 width, float *out) { rowSums<true>(x, rows, width, out); }
TENON_KERNEL(long_row_sums_bf16, const bf16 *x, int64 rows, int64 width, bf16 *out) { rowSums<true>(x, rows, width, out); }

// ---- any mix of summed and kept dimensions ----

// A warp to each result. Sizes are the input's, innermost first, 1 where there are fewer; bit d of `summed` tells whether dimension d is summed over. Each input element is read once, uncoalesced where
// the innermost dimension is kept.
#define SUM_DIMENSIONS(name, T)                                                                                          \
    TENON_KERNEL(                                                                                                        \
        name, const T *x, T *out, int64 outputs, int64 terms, int summed, int64 size0, int64 size1, int64 size2,         \
        int64 size3, int64 size4, int64 size5) {                                                                         \
        const int64 sizes[6] = {size0, size1, size2, size3, size4, size5};                                               \
        for (int64 o = threadNumber() / 32; o < outputs; o += threadCount() / 32) {                                      \
            double sum = 0;                                                                                              \
            for (int64 t = threadIdx.x % 32; t < terms; t += 32) {                                                       \
                int64 restO = o;                                                                                         \
                int64 restT = t;                                                                                         \
                int64 at = 0;                                                                                            \
                int64 stride = 1;                                                                                        \
                _Pragma("unroll") for (int d = 0; d < 6; d++) {                                                          \
                    if (sizes[d] != 1) {                                                                                 \
                        int64 rest = (summed >> d) & 1 ? restT : restO;                                                  \
                        int64 outer = quotient(rest, sizes[d]);                                                          \
                        at += (rest - outer * sizes[d]) * stride;                                                        \
                        stride *= sizes[d];                                                                              \
                        if ((summed >> d) & 1) {                                                                         \
                            restT = outer;                                                                               \
                        } else {                                                                                         \
                            restO = outer;                                                                               \
                        }                                                                                                \
                    }                                                                                                    \
                }                                                                                                        \
                sum += toFloat(x[at]);                                                                                   \
            }                                                                                                            \
            sum = warpReduce<Sum>(sum);                                                                                  \
            if (threadIdx.x % 32 == 0) {                                                                                 \
                put(out + o, (float)sum);                                                                                \
            }                                                                                                            \
        }                                                                                                                \
    }
SUM_DIMENSIONS(sum_dimensions_f32, float)
SUM_DIMENSIONS(sum_dimensions_bf16, bf16)
