// Sums over several devices: tensors into one buffer and back, and the sum of what the devices have at one place of it.

// Mirrored by tenon.engine.backend.cuda.UpdateTable. Addresses are multiples of 16.
struct Piece {
    float *tensor;
    float *buffer;
    int64 unused[3];
    int64 count;
    int64 alsoUnused;
};

#define CHUNK 8192

// One block to a chunk {piece, number within it}: to = from for its elements.
template <bool GATHER>
__device__ __forceinline__ void move(const Piece *pieces, const int2 *chunks) {
    int2 chunk = chunks[blockIdx.x];
    const Piece &piece = pieces[chunk.x];
    const float *source = GATHER ? piece.tensor : piece.buffer;
    float *target = GATHER ? piece.buffer : piece.tensor;
    int64 from = (int64)chunk.y * CHUNK;
    int64 to = piece.count < from + CHUNK ? piece.count : from + CHUNK;
    int64 vectorEnd = to - (to - from) % 4;
    for (int64 i = from + 4 * (int64)threadIdx.x; i < vectorEnd; i += 4 * (int64)blockDim.x) {
        float v[4];
        load(source + i, v);
        store(target + i, v);
    }
    for (int64 i = vectorEnd + threadIdx.x; i < to; i += blockDim.x) {
        target[i] = source[i];
    }
}

// 8 bytes per element.
TENON_KERNEL(gather_pieces, const Piece *pieces, const int2 *chunks) { move<true>(pieces, chunks); }

// 8 bytes per element.
TENON_KERNEL(scatter_pieces, const Piece *pieces, const int2 *chunks) { move<false>(pieces, chunks); }

// The sum in the order of ranks: that of this rank is `own`, the others' follow each other in `others`, `stride` elements apart.
template <int N>
__device__ __forceinline__ void sumAt(float *own, const float *others, int64 stride, int rank, int size, int64 i) {
    float sum[N];
    load((rank == 0 ? own : others) + i, sum);
    for (int r = 1; r < size; r++) {
        float v[N];
        load((r == rank ? own : others + (r < rank ? r : r - 1) * stride) + i, v);
#pragma unroll
        for (int j = 0; j < N; j++) {
            sum[j] += v[j];
        }
    }
    store(own + i, sum);
}

// stride and addresses are multiples of 4 elements. 4 · (size + 1) bytes per element.
TENON_KERNEL(sum_of_ranks, float *own, const float *others, int64 stride, int rank, int size, int64 count) {
    int64 threads = (int64)gridDim.x * blockDim.x;
    int64 first = (int64)blockIdx.x * blockDim.x + threadIdx.x;
    int64 vectorEnd = count - count % 4;
    for (int64 i = 4 * first; i < vectorEnd; i += 4 * threads) {
        sumAt<4>(own, others, stride, rank, size, i);
    }
    for (int64 i = vectorEnd + first; i < count; i += threads) {
        sumAt<1>(own, others, stride, rank, size, i);
    }
}
