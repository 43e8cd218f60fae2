package tenon.engine.backend.cuda;

import java.lang.foreign.MemorySegment;
import tenon.engine.DType;
import tenon.engine.DTypeException;
import tenon.engine.Device;
import tenon.engine.NotCapturableException;
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

/**
 * An NVIDIA GPU: cuDNN, cuBLAS and own kernels over the driver API. Computes in F32, and in BF16 with F32 parameters; the other dtypes can be stored, copied, filled and cast.
 *
 * <p>Operations queue their work on one stream and return; {@link #synchronize} and downloads wait. Several threads may use one back-end, and a process may have several back-ends, on one
 * device or on many.
 */
public final class CudaBackend implements Backend {
    /** Held by whoever uses scratch memory, cuDNN, cuBLAS, or queues work that must not be torn apart. */
    final Object lock = new Object();

    final CudaOptions options;
    final Stream compute = new Stream();
    final Stream copy = new Stream();
    final Kernels kernels = new Kernels(this);
    final Scratch scratch = new Scratch(this);
    /** For algorithms of the libraries, which may run while {@link #scratch} holds their arguments. */
    final Scratch workspace = new Scratch(this);

    final StepScalars scalars = new StepScalars(this);
    final CudnnHandle cudnn = new CudnnHandle(this);

    final CudaArithmetic arithmetic = new CudaArithmetic(this);
    final CudaGemm gemm = new CudaGemm(this);
    final CudaActivation activation = new CudaActivation(this);
    final CudaChannels channels = new CudaChannels(this);
    final CudaConvolution convolution = new CudaConvolution(this);
    final CudaDense dense = new CudaDense(this);
    final CudaLosses losses = new CudaLosses(this);
    final CudaMetrics metrics = new CudaMetrics(this);
    final CudaNormalization normalization = new CudaNormalization(this);
    final CudaPooling pooling = new CudaPooling(this);
    final CudaRandom random = new CudaRandom(this);
    final CudaUpdates updates = new CudaUpdates(this);

    private final ThreadLocal<Launch> launches = ThreadLocal.withInitial(() -> new Launch(this));

    private CudaBackend(CudaOptions options) {
        this.options = options;
    }

    /** GPU 0, with {@link CudaOptions#defaults()}. */
    public static CudaBackend open() {
        return open(CudaOptions.defaults());
    }

    public static CudaBackend open(int device) {
        return open(CudaOptions.defaults().withDevice(device));
    }

    /** @throws tenon.engine.DeviceException where there is no such GPU, or a library is missing; says what to do */
    public static CudaBackend open(CudaOptions options) {
        return new CudaBackend(options);
    }

    @Override
    public String name() {
        return "cuda:" + options.device();
    }

    @Override
    public Device device() {
        return new Device.Cuda(options.device());
    }

    /** Of the calling thread's work: while it records a step, the memory of that recording. */
    @Override
    public Allocator allocator() {
        throw new UnsupportedOperationException(name() + ": allocator");
    }

    public CudaOptions options() {
        return options;
    }

    // ---- for the families ----

    /** Makes the device's context current on this thread, before a call of the driver, cuDNN or cuBLAS. */
    void enter() {}

    /** This thread's argument block, started for a kernel. */
    Launch launch(Kernel kernel) {
        return launches.get().start(kernel);
    }

    /** cuBLAS, made on first use. */
    Blas blas() {
        throw new UnsupportedOperationException(name() + ": blas");
    }

    /** True while this thread records a step: nothing may wait for the device or read from it. */
    boolean capturing() {
        return false;
    }

    /** For operations that read something back from the device. */
    void checkNotCapturing(String op) {
        if (capturing()) {
            throw new NotCapturableException(TenonException.where(op)
                    + ": it waits for the device, so a step with it cannot be recorded (it runs without recording)");
        }
    }

    /** Address of an up-to-date BF16 copy of an F32 weight; {@link Tensor#storage()}'s {@code blockAddress} is the weight itself. */
    long bf16(Tensor weight) {
        throw new UnsupportedOperationException(name() + ": bf16");
    }

    /** Throws unless the tensor is F32 or BF16. */
    void checkDType(String op, Tensor tensor) {
        String reason = whyNo(tensor.dtype());
        if (reason != null) {
            throw new DTypeException(TenonException.where(op) + ": " + reason + ": tensor=" + tensor);
        }
    }

    /** Throws unless the tensors are both F32 or both BF16. */
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
                    + " are F32 on the cuda back-end: tensor=" + tensor);
        }
    }

    /** An op's input and output agree in F32 or BF16, and its weight is F32. */
    void checkDTypes(String op, Tensor input, Tensor output, Tensor weight) {
        checkDType(op, input, output);
        checkF32(op, weight);
    }

    @Override
    public boolean supports(OpKind op, DType dtype) {
        return switch (op) {
            case GEMM -> gemm.supports(op, dtype);
            case DENSE -> dense.supports(op, dtype);
            case CONV2D -> convolution.supports(op, dtype);
            case MAX_POOL, AVG_POOL -> pooling.supports(op, dtype);
            case BATCH_NORM -> normalization.supports(op, dtype);
            case RELU, RELU6, LEAKY_RELU, ELU, SIGMOID, TANH, PRELU, ADD_ACTIVATION -> activation.supports(op, dtype);
            case DROPOUT -> random.supports(op, dtype);
            case ADD, MUL, REDUCE -> arithmetic.supports(op, dtype);
            case CONCAT -> channels.supports(op, dtype);
            case SOFTMAX, SOFTMAX_CROSS_ENTROPY, SIGMOID_CROSS_ENTROPY, MSE -> losses.supports(op, dtype);
            case TOP_K -> metrics.supports(op, dtype);
            case SGD, ADAM, RMSPROP -> updates.supports(op, dtype);
        };
    }

    @Override
    public String whyNo(DType dtype) {
        return switch (dtype) {
            case F32, BF16 -> null;
            case F64, U8, I32 -> "the cuda back-end computes in F32 and BF16, not in " + dtype;
        };
    }

    // ---- memory ----

    @Override
    public void synchronize() {
        throw new UnsupportedOperationException(name() + ": synchronize");
    }

    @Override
    public void upload(MemorySegment from, Tensor to) {
        throw new UnsupportedOperationException(name() + ": upload");
    }

    @Override
    public void download(Tensor from, MemorySegment to) {
        throw new UnsupportedOperationException(name() + ": download");
    }

    @Override
    public void copy(Tensor from, Tensor to) {
        throw new UnsupportedOperationException(name() + ": copy");
    }

    @Override
    public void cast(Tensor from, Tensor to) {
        arithmetic.cast(from, to);
    }

    @Override
    public void fill(Tensor tensor, double value) {
        arithmetic.fill(tensor, value);
    }

    @Override
    public boolean isFinite(Tensor tensor) {
        checkNotCapturing("is_finite");
        return arithmetic.isFinite(tensor);
    }

    // ---- arithmetic ----

    @Override
    public void gemm(boolean transposeA, boolean transposeB, double alpha, Tensor a, Tensor b, double beta, Tensor c) {
        gemm.run(transposeA, transposeB, alpha, a, b, beta, c);
    }

    @Override
    public void add(Tensor a, Tensor b, Tensor out) {
        arithmetic.add(a, b, out);
    }

    @Override
    public void multiply(Tensor a, Tensor b, Tensor out) {
        arithmetic.multiply(a, b, out);
    }

    @Override
    public void scale(Tensor in, double factor, Tensor out) {
        arithmetic.scale(in, factor, out);
    }

    @Override
    public void sumTo(Tensor in, Tensor out) {
        arithmetic.sumTo(in, out);
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
        return new BackendStatistics(cudnn.plans(), cudnn.descriptors(), 0);
    }

    @Override
    public void close() {}
}
