package tenon.engine.backend.reference;

import java.lang.foreign.MemorySegment;
import java.util.EnumSet;
import java.util.Set;
import tenon.engine.DType;
import tenon.engine.Device;
import tenon.engine.Tensor;
import tenon.engine.backend.ActivationKernels;
import tenon.engine.backend.Backend;
import tenon.engine.backend.BackendStatistics;
import tenon.engine.backend.ChannelKernels;
import tenon.engine.backend.ConvolutionKernels;
import tenon.engine.backend.DenseKernels;
import tenon.engine.backend.LossKernels;
import tenon.engine.backend.MetricKernels;
import tenon.engine.backend.NormalizationKernels;
import tenon.engine.backend.OpKind;
import tenon.engine.backend.PoolingKernels;
import tenon.engine.backend.RandomKernels;
import tenon.engine.backend.UpdateKernels;
import tenon.engine.memory.Allocator;
import tenon.engine.memory.CachingAllocator;
import tenon.engine.memory.HostMemory;

/**
 * The reference back-end: every op for F32 and F64, slowly. BF16, U8 and I32 can be moved, filled and cast, and used as the indices and workspaces
 * that an op asks for.
 */
public final class ReferenceBackend implements Backend {
    /** Ops whose activations can be BF16; their parameters stay in F32. */
    private static final Set<OpKind> BF16_OPS = EnumSet.of(
            OpKind.GEMM,
            OpKind.CONV2D,
            OpKind.DENSE,
            OpKind.MAX_POOL,
            OpKind.AVG_POOL,
            OpKind.BATCH_NORM,
            OpKind.RELU,
            OpKind.RELU6,
            OpKind.LEAKY_RELU,
            OpKind.ELU,
            OpKind.SIGMOID,
            OpKind.TANH,
            OpKind.PRELU,
            OpKind.DROPOUT,
            OpKind.ADD,
            OpKind.MUL,
            OpKind.ADD_ACTIVATION,
            OpKind.CONCAT,
            OpKind.REDUCE,
            OpKind.SOFTMAX,
            OpKind.SOFTMAX_CROSS_ENTROPY,
            OpKind.SIGMOID_CROSS_ENTROPY,
            OpKind.MSE,
            OpKind.TOP_K);

    private final Allocator allocator;
    private final DenseKernels dense = new ReferenceDense();
    private final ConvolutionKernels convolution = new ReferenceConvolution();
    private final PoolingKernels pooling = new ReferencePooling();
    private final NormalizationKernels normalization = new ReferenceNormalization();
    private final ActivationKernels activation = new ReferenceActivation();
    private final ChannelKernels channels = new ReferenceChannels();
    private final LossKernels losses = new ReferenceLosses();
    private final RandomKernels random = new ReferenceRandom();
    private final MetricKernels metrics = new ReferenceMetrics();
    private final UpdateKernels updates = new ReferenceUpdates();

    private ReferenceBackend(long limitBytes) {
        allocator = new CachingAllocator(new HostMemory(), limitBytes);
    }

    /** Memory limited by {@code -Dtenon.memory.limit} in bytes, or not at all. */
    public static ReferenceBackend open() {
        return open(Long.getLong("tenon.memory.limit", Long.MAX_VALUE));
    }

    /** @param limitBytes most bytes held from the system at any time */
    public static ReferenceBackend open(long limitBytes) {
        return new ReferenceBackend(limitBytes);
    }

    @Override
    public String name() {
        return "reference";
    }

    @Override
    public Device device() {
        return Device.CPU;
    }

    @Override
    public Allocator allocator() {
        return allocator;
    }

    @Override
    public boolean supports(OpKind op, DType dtype) {
        return dtype == DType.F32 || dtype == DType.F64 || dtype == DType.BF16 && BF16_OPS.contains(op);
    }

    @Override
    public String whyNo(DType dtype) {
        return switch (dtype) {
            case F32, F64, BF16 -> null;
            case U8, I32 -> "the reference back-end computes in floating dtypes, not in " + dtype;
        };
    }

    @Override
    public void synchronize() {}

    @Override
    public void upload(MemorySegment from, Tensor to) {
        to.segment().copyFrom(from);
    }

    @Override
    public void download(Tensor from, MemorySegment to) {
        to.copyFrom(from.segment());
    }

    @Override
    public void copy(Tensor from, Tensor to) {
        to.segment().copyFrom(from.segment());
    }

    @Override
    public void cast(Tensor from, Tensor to) {
        Elements x = Elements.of(from);
        Elements y = Elements.of(to);
        for (long i = 0; i < to.elementCount(); i++) {
            y.set(i, x.get(i));
        }
    }

    @Override
    public void fill(Tensor tensor, double value) {
        Elements elements = Elements.of(tensor);
        for (long i = 0; i < tensor.elementCount(); i++) {
            elements.set(i, value);
        }
    }

    @Override
    public boolean isFinite(Tensor tensor) {
        Elements elements = Elements.of(tensor);
        for (long i = 0; i < tensor.elementCount(); i++) {
            if (!Double.isFinite(elements.get(i))) {
                return false;
            }
        }
        return true;
    }

    @Override
    public void gemm(boolean transposeA, boolean transposeB, double alpha, Tensor a, Tensor b, double beta, Tensor c) {
        ReferenceArithmetic.gemm(transposeA, transposeB, alpha, a, b, beta, c);
    }

    @Override
    public void add(Tensor a, Tensor b, Tensor out) {
        ReferenceArithmetic.broadcast(a, b, out, Double::sum);
    }

    @Override
    public void multiply(Tensor a, Tensor b, Tensor out) {
        ReferenceArithmetic.broadcast(a, b, out, (x, y) -> x * y);
    }

    @Override
    public void scale(Tensor in, double factor, Tensor out) {
        Elements x = Elements.of(in);
        Elements y = Elements.of(out);
        for (long i = 0; i < out.elementCount(); i++) {
            y.set(i, factor * x.get(i));
        }
    }

    @Override
    public void sumTo(Tensor in, Tensor out) {
        ReferenceArithmetic.sumTo(in, out);
    }

    @Override
    public DenseKernels dense() {
        return dense;
    }

    @Override
    public ConvolutionKernels convolution() {
        return convolution;
    }

    @Override
    public PoolingKernels pooling() {
        return pooling;
    }

    @Override
    public NormalizationKernels normalization() {
        return normalization;
    }

    @Override
    public ActivationKernels activation() {
        return activation;
    }

    @Override
    public ChannelKernels channels() {
        return channels;
    }

    @Override
    public LossKernels losses() {
        return losses;
    }

    @Override
    public RandomKernels random() {
        return random;
    }

    @Override
    public MetricKernels metrics() {
        return metrics;
    }

    @Override
    public UpdateKernels updates() {
        return updates;
    }

    @Override
    public BackendStatistics statistics() {
        return new BackendStatistics(0, 0, allocator.statistics().nativeAllocations());
    }

    @Override
    public void close() {
        allocator.close();
    }
}
