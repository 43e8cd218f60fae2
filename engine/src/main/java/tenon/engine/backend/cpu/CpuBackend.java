package tenon.engine.backend.cpu;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.EnumSet;
import java.util.List;
import java.util.Set;
import tenon.engine.DType;
import tenon.engine.DTypeException;
import tenon.engine.Device;
import tenon.engine.TenonException;
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
import tenon.engine.memory.Storage;
import tenon.engine.nativelib.DnnlInfo;

/**
 * oneDNN, and Java kernels on the Vector API for what it lacks. Computes in F32, and in BF16 where oneDNN has kernels for this processor (see
 * {@link #whyNo}): activations and their gradients are BF16 then, parameters, statistics and losses stay F32. The other dtypes can be stored, copied,
 * filled and cast.
 *
 * <p>Primitives are compiled on first use per (op, spec, shapes) and kept. Work runs on the calling thread and {@code threads − 1} others and has ended when
 * a method returns. Several threads may use one back-end; oneDNN's ops then take turns.
 */
public final class CpuBackend implements Backend {
    /** Fewest elements of a cheap operation that are worth a second thread. */
    static final long GRAIN = 8192;
    /** Elements that a loop runs over in one call. */
    private static final long BLOCK = 4096;

    /** Stands for the worker threads in the question whether they may touch a caller's memory. */
    private static final Thread ANY_THREAD = Thread.ofPlatform().unstarted(() -> {});

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

    final Dnnl dnnl;
    final PrimitiveCache cache = new PrimitiveCache();
    final WeightLayouts layouts = new WeightLayouts(this);
    final Parallel parallel;
    final Partials partials = new Partials();
    final Reductions reductions = new Reductions(this);
    final ArithmeticLoops arithmetic = ArithmeticLoops.best();

    private final CachingAllocator allocator;
    private final Gemm gemm;
    private final Broadcast broadcast = new Broadcast(this);
    private final CpuDense dense = new CpuDense(this);
    private final CpuConvolution convolution = new CpuConvolution(this);
    private final CpuPooling pooling = new CpuPooling(this);
    private final CpuNormalization normalization;
    /** Null without. */
    final CpuWinograd winograd;

    private final CpuActivation activation = new CpuActivation(this);
    private final CpuChannels channels = new CpuChannels(this);
    private final CpuLosses losses = new CpuLosses(this);
    private final CpuRandom random = new CpuRandom(this);
    private final CpuMetrics metrics = new CpuMetrics(this);
    private final CpuUpdates updates = new CpuUpdates(this);
    private final String whyNoBf16;
    private boolean closed;

    private CpuBackend(CpuOptions options) {
        allocator = new CachingAllocator(new HostMemory(), options.memoryLimit());
        dnnl = new Dnnl(options.threads(), new Scratch(allocator), new Scratch(allocator));
        whyNoBf16 = DnnlInfo.hasBf16()
                ? null
                : "bf16 is not available: oneDNN has no bf16 kernels on "
                        + DnnlInfo.read().instructionSet();
        gemm = new Gemm(dnnl, cache);
        parallel = Parallel.open(options.threads(), dnnl.openMp);
        normalization = new CpuNormalization(this, options.threads());
        winograd = CpuWinograd.open(this, allocator, options.threads());
    }

    /** With {@link CpuOptions#defaults()}. */
    public static CpuBackend open() {
        return open(CpuOptions.defaults());
    }

    public static CpuBackend open(int threads) {
        return open(CpuOptions.defaults().withThreads(threads));
    }

    public static CpuBackend open(CpuOptions options) {
        return new CpuBackend(options);
    }

    @Override
    public String name() {
        return "cpu";
    }

    @Override
    public String description() {
        return threads() == 1 ? "cpu (1 thread)" : "cpu (" + threads() + " threads)";
    }

    @Override
    public Device device() {
        return Device.CPU;
    }

    @Override
    public Allocator allocator() {
        return allocator;
    }

    public int threads() {
        return parallel.threads();
    }

    @Override
    public boolean supports(OpKind op, DType dtype) {
        return dtype == DType.F32 || dtype == DType.BF16 && whyNoBf16 == null && BF16_OPS.contains(op);
    }

    @Override
    public String whyNo(DType dtype) {
        return switch (dtype) {
            case F32 -> null;
            case BF16 -> whyNoBf16;
            case F64, U8, I32 -> "the cpu back-end computes in F32 and BF16, not in " + dtype;
        };
    }

    /** Every compiled oneDNN primitive with the kernel it got. */
    public List<PrimitiveReport> primitiveReport() {
        synchronized (dnnl) {
            return cache.report();
        }
    }

    /** Nothing to wait for: every call ends with its work done. */
    @Override
    public void synchronize() {}

    // ---- checks ----

    /** Throws unless the tensor is F32 or, where this machine can, BF16. */
    void checkDType(String op, Tensor tensor) {
        String reason = whyNo(tensor.dtype());
        if (reason != null) {
            throw new DTypeException(TenonException.where(op) + ": " + reason + ": tensor=" + tensor);
        }
    }

    /** Throws unless the tensors are both F32 or, where this machine can, both BF16. */
    void checkDType(String op, Tensor a, Tensor b) {
        checkDType(op, a);
        if (a.dtype() != b.dtype()) {
            throw new DTypeException(TenonException.where(op) + ": dtypes must be equal: " + a + ", " + b);
        }
    }

    void checkDType(String op, Tensor a, Tensor b, Tensor c) {
        checkDType(op, a, b);
        checkDType(op, a, c);
    }

    /** For parameters, statistics and losses, which are F32 whatever the activations are. */
    void checkF32(String op, Tensor tensor) {
        if (tensor.dtype() != DType.F32) {
            throw new DTypeException(TenonException.where(op) + ": parameters, their gradients, statistics and losses"
                    + " are F32 on the cpu back-end: tensor=" + tensor);
        }
    }

    /** An op's input and output agree in F32 or BF16, and its weight is F32. */
    void checkDTypes(String op, Tensor input, Tensor output, Tensor weight) {
        checkDType(op, input, output);
        checkF32(op, weight);
    }

    boolean isClosed() {
        return closed;
    }

    /** The weight's form where it has one; null for ordinary tensors. */
    static WeightForm form(Tensor tensor) {
        return (WeightForm) tensor.storage().form();
    }

    /** Address of a weight's values in a layout that a primitive reads. */
    long weightAddress(Tensor weight, WeightLayout wanted) {
        if (wanted.plain() && form(weight) == null) {
            return weight.address();
        }
        return WeightForm.of(this, weight.storage(), wanted.geometry()).read(wanted);
    }

    /** Address at which a primitive may write a weight's gradient in its own layout. */
    long newWeightAddress(Tensor gradient, WeightLayout layout) {
        if (layout.plain() && form(gradient) == null) {
            return gradient.address();
        }
        return WeightForm.of(this, gradient.storage(), layout.geometry()).overwrite(layout);
    }

    /** Runs an elementwise kernel on all threads. */
    void elementwise(long count, Parallel.Range body) {
        parallel.range(count, GRAIN, (from, to) -> blocks(from, to, BLOCK, body));
    }

    /**
     * Runs {@code body} over [from, to) block by block: a loop that runs long is compiled while it runs (on-stack replacement), which boxes the vectors of loops that are
     * compiled well when they are entered often.
     */
    static void blocks(long from, long to, long block, Parallel.Range body) {
        for (long start = from; start < to; start += block) {
            body.run(start, Math.min(to, start + block));
        }
    }

    // ---- memory ----

    @Override
    public void upload(MemorySegment from, Tensor to) {
        copyBytes(from, to.segment());
    }

    @Override
    public void download(Tensor from, MemorySegment to) {
        MemorySegment readable = from.readableSegment();
        if (readable != null) {
            copyBytes(readable, to);
            return;
        }
        synchronized (dnnl) {
            WeightForm form = (WeightForm) from.storage().form();
            Storage plain = allocator.allocate(from.byteSize());
            try {
                form.export(plain.address());
                copyBytes(plain.segment().asSlice(0, from.byteSize()), to);
            } finally {
                plain.release();
            }
        }
    }

    @Override
    public void copy(Tensor from, Tensor to) {
        copyBytes(from.segment(), to.segment());
    }

    void copyBytes(MemorySegment from, MemorySegment to) {
        if (from.isAccessibleBy(ANY_THREAD) && to.isAccessibleBy(ANY_THREAD)) {
            parallel.range(
                    from.byteSize(),
                    8 * GRAIN,
                    (first, last) -> MemorySegment.copy(from, first, to, first, last - first));
        } else {
            MemorySegment.copy(from, 0, to, 0, from.byteSize());
        }
    }

    @Override
    public void cast(Tensor from, Tensor to) {
        Casts.run(this, from, to);
    }

    @Override
    public void fill(Tensor tensor, double value) {
        MemorySegment out = tensor.segment();
        long count = tensor.elementCount();
        switch (tensor.dtype()) {
            case F32, BF16 -> {
                boolean bf16 = tensor.dtype() == DType.BF16;
                elementwise(count, (from, to) -> arithmetic.fill(bf16, out, (float) value, from, to));
            }
            case U8 -> out.fill((byte) (int) value);
            case I32 ->
                elementwise(count, (from, to) -> {
                    for (long i = from; i < to; i++) {
                        Floats.setInt(out, i, (int) value);
                    }
                });
            case F64 ->
                elementwise(count, (from, to) -> {
                    for (long i = from; i < to; i++) {
                        out.setAtIndex(ValueLayout.JAVA_DOUBLE, i, value);
                    }
                });
        }
    }

    @Override
    public boolean isFinite(Tensor tensor) {
        checkDType("is_finite", tensor);
        return reductions.isFinite(tensor);
    }

    // ---- arithmetic ----

    @Override
    public void gemm(boolean transposeA, boolean transposeB, double alpha, Tensor a, Tensor b, double beta, Tensor c) {
        checkDType("gemm", a, b, c);
        if (c.elementCount() == 0) {
            return;
        }
        if (a.elementCount() == 0) {
            if (beta == 0) {
                fill(c, 0);
            } else {
                scale(c, beta, c);
            }
            return;
        }
        gemm.run(transposeA, transposeB, alpha, a, b, beta, c);
    }

    @Override
    public void add(Tensor a, Tensor b, Tensor out) {
        checkDType("add", a, b, out);
        broadcast.run(Broadcast.Operation.ADD, a, b, out);
    }

    @Override
    public void addInPlace(Tensor accumulator, Tensor x) {
        if (!WeightForm.add(this, accumulator, x)) {
            add(accumulator, x, accumulator);
        }
    }

    @Override
    public void multiply(Tensor a, Tensor b, Tensor out) {
        checkDType("multiply", a, b, out);
        broadcast.run(Broadcast.Operation.MULTIPLY, a, b, out);
    }

    @Override
    public void scale(Tensor in, double factor, Tensor out) {
        checkDType("scale", in, out);
        MemorySegment from = in.segment();
        MemorySegment to = out.segment();
        boolean bf16 = in.dtype() == DType.BF16;
        elementwise(in.elementCount(), (first, last) -> arithmetic.scale(bf16, from, (float) factor, to, first, last));
    }

    @Override
    public void sumTo(Tensor in, Tensor out) {
        checkDType("sum", in, out);
        reductions.sumTo(in, out);
    }

    // ---- families ----

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
        synchronized (dnnl) {
            return new BackendStatistics(
                    dnnl.primitives, dnnl.descriptors, allocator.statistics().nativeAllocations());
        }
    }

    /** Frees primitives, scratch memory and cached blocks; tensors that are still open stay valid until closed. */
    @Override
    public void close() {
        synchronized (dnnl) {
            if (!closed) {
                closed = true;
                cache.close();
                if (winograd != null) {
                    winograd.close();
                }
                layouts.close();
                dnnl.close();
                parallel.close();
                allocator.close();
            }
        }
    }
}
