// Copies between a channel range of a wide matrix and a narrow one, with an activation on the way.

// to[r][i] = from[r][i] for i in [0, count), in units of 2 to 16 bytes; strides between rows in units. Twice the element size per element.
#define COPY(name, Unit)                                                                                               \
    TENON_KERNEL(name, const Unit *from, int64 fromStride, Unit *to, int64 toStride, int count, int64 n) {             \
        RowColumn at(threadNumber(), threadCount(), count);                                                            \
        for (int64 i = threadNumber(); i < n; i += threadCount(), at.next()) {                                         \
            to[at.row * toStride + at.column] = from[at.row * fromStride + at.column];                                 \
        }                                                                                                              \
    }
COPY(copy_2, unsigned short)
COPY(copy_4, unsigned)
COPY(copy_8, uint2)
COPY(copy_16, uint4)

template <int A, int N, typename T>
__device__ __forceinline__ void activateRows(const T *x, T *y, int columns, int64 yColumns, float alpha, int64 n) {
    RowColumn at(threadNumber() * N, threadCount() * N, columns);
    for (int64 i = threadNumber() * N; i < n; i += threadCount() * N, at.next()) {
        float v[N];
        load(x + i, v);
#pragma unroll
        for (int j = 0; j < N; j++) {
            v[j] = activate<A>(v[j], alpha);
        }
        store(y + at.row * yColumns + at.column, v);
    }
}

template <int A, int N, typename T>
__device__ __forceinline__ void activateRowsBackward(
    const T *y, const T *gradOutput, int64 yColumns, T *gradInput, int columns, float alpha, int64 n) {
    RowColumn at(threadNumber() * N, threadCount() * N, columns);
    for (int64 i = threadNumber() * N; i < n; i += threadCount() * N, at.next()) {
        int64 wide = at.row * yColumns + at.column;
        float v[N];
        float g[N];
        load(y + wide, v);
        load(gradOutput + wide, g);
#pragma unroll
        for (int j = 0; j < N; j++) {
            v[j] = activationGradient<A>(v[j], g[j], alpha);
        }
        store(gradInput + i, v);
    }
}

// y[r][c] = activation(x[r][c]) with y pointing at the range in the wide matrix; n counts x's elements. `vectors` says that widths and addresses are multiples of 16 bytes. Forward 8 bytes per element,
// backward 12; half in BF16.
#define ACTIVATE(name, A, type, T)                                                                                       \
    TENON_KERNEL(                                                                                                        \
        name##_forward_##type, const T *x, T *y, int columns, int64 yColumns, float alpha, int64 n, int vectors) {       \
        if (vectors) {                                                                                                   \
            activateRows<A, Width<T>::N>(x, y, columns, yColumns, alpha, n);                                             \
        } else {                                                                                                         \
            activateRows<A, 1>(x, y, columns, yColumns, alpha, n);                                                       \
        }                                                                                                                \
    }                                                                                                                    \
    TENON_KERNEL(                                                                                                        \
        name##_backward_##type, const T *y, const T *gradOutput, int64 yColumns, T *gradInput, int columns, float alpha, \
        int64 n, int vectors) {                                                                                          \
        if (vectors) {                                                                                                   \
            activateRowsBackward<A, Width<T>::N>(y, gradOutput, yColumns, gradInput, columns, alpha, n);                 \
        } else {                                                                                                         \
            activateRowsBackward<A, 1>(y, gradOutput, yColumns, gradInput, columns, alpha, n);                           \
        }                                                                                                                \
    }
#define ACTIVATE_BOTH(name, A)   \
    ACTIVATE(name, A, f32, float) \
    ACTIVATE(name, A, bf16, bf16)
TENON_ACTIVATIONS(ACTIVATE_BOTH)
