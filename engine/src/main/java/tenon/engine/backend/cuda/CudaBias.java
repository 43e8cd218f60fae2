package tenon.engine.backend.cuda;

import tenon.engine.DType;
import tenon.engine.Tensor;
import tenon.engine.ops.Activation;

/** What a layer does beside its product: bias and activation in one pass over the product, and the bias's gradient. */
final class CudaBias {
    private static final String FILE = "convolution";
    private static final int PER_THREAD = 4;

    private final CudaBackend backend;
    private final Variants sumChunks;
    private final Kernel[] add = new Kernel[3 * Activation.Kind.values().length];
    private Kernel mergeChunks;

    CudaBias(CudaBackend backend) {
        this.backend = backend;
        sumChunks = new Variants(backend, FILE, "sum_chunks");
    }

    /**
     * to = activation(from + bias), computed in F32 and rounded once.
     *
     * @param from F32, or BF16 if {@code to} is; may be {@code to}
     * @param bias F32 of {@code channels} values, 0 for none
     */
    void add(
            long from,
            DType fromType,
            long bias,
            Activation activation,
            int channels,
            long to,
            DType toType,
            long count) {
        backend.launch(kernel(fromType, toType, activation.kind()))
                .address(from)
                .address(bias)
                .int32(channels)
                .float32(activation.alpha())
                .address(to)
                .int64(count)
                .elements(Math.ceilDiv(count, (long) PER_THREAD));
    }

    private Kernel kernel(DType from, DType to, Activation.Kind kind) {
        int types = from == DType.BF16 ? 2 : to == DType.BF16 ? 1 : 0;
        int i = 3 * kind.ordinal() + types;
        if (add[i] == null) {
            String name = kind == Activation.Kind.NONE ? "bias" : "bias_" + new Activation(kind, 0).opName();
            add[i] = backend.kernels.get(
                    FILE,
                    name
                            + switch (types) {
                                case 0 -> "_f32";
                                case 1 -> "_f32_bf16";
                                default -> "_bf16";
                            });
        }
        return add[i];
    }

    /** gradBias = sums of gradOutput over all but the last dimension, in an order that depends on the shape alone. */
    void gradient(Tensor gradOutput, Tensor gradBias) {
        DType dtype = gradOutput.dtype();
        long rows = gradOutput.shape().outerCount();
        int channels = gradOutput.shape().dim(-1);
        int vector = Variants.vector(dtype, channels, gradOutput.address());
        RowBlocks blocks = RowBlocks.of(rows, channels, vector);
        synchronized (backend.lock) {
            if (mergeChunks == null) {
                mergeChunks = backend.kernels.get(FILE, "merge_chunks");
            }
            long partials = backend.scratch.get((long) blocks.chunks() * channels * Float.BYTES);
            backend.launch(sumChunks.get(dtype, vector))
                    .address(gradOutput.address())
                    .int64(rows)
                    .int32(channels)
                    .int64(blocks.chunkRows())
                    .int32(blocks.lanesLog())
                    .address(partials)
                    .grid(blocks.columns(), blocks.chunks(), 1, RowBlocks.THREADS);
            backend.launch(mergeChunks)
                    .address(partials)
                    .int32(blocks.chunks())
                    .int32(channels)
                    .address(gradBias.address())
                    .grid(RowBlocks.merging(channels), 1, 1, RowBlocks.THREADS);
        }
    }
}
