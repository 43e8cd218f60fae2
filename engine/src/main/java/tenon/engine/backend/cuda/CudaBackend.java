package tenon.engine.backend.cuda;

import java.lang.foreign.MemorySegment;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.locks.ReentrantReadWriteLock;
import jcuda.CudaException;
import jcuda.driver.JCudaDriver;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import tenon.engine.DType;
import tenon.engine.DTypeException;
import tenon.engine.Device;
import tenon.engine.DeviceException;
import tenon.engine.NotCapturableException;
import tenon.engine.TenonException;
import tenon.engine.Tensor;
import tenon.engine.backend.ActivationKernels;
import tenon.engine.backend.Backend;
import tenon.engine.backend.BackendStatistics;
import tenon.engine.backend.BatchAugmentation;
import tenon.engine.backend.ChannelKernels;
import tenon.engine.backend.Communicator;
import tenon.engine.backend.ConvolutionKernels;
import tenon.engine.backend.DenseKernels;
import tenon.engine.backend.LossKernels;
import tenon.engine.backend.MetricKernels;
import tenon.engine.backend.NormalizationKernels;
import tenon.engine.backend.OpKind;
import tenon.engine.backend.PoolingKernels;
import tenon.engine.backend.RandomKernels;
import tenon.engine.backend.Staging;
import tenon.engine.backend.StepCapture;
import tenon.engine.backend.UpdateKernels;
import tenon.engine.memory.Allocator;
import tenon.engine.memory.CachingAllocator;
import tenon.engine.memory.Storage;
import tenon.engine.nativelib.CudaLibraries;
import tenon.engine.nativelib.CudaPart;

/**
 * An NVIDIA GPU: cuDNN, cuBLAS and own kernels over the driver API. Computes in F32, and in BF16 with F32 parameters; the other dtypes can be stored, copied, filled and cast.
 *
 * <p>Operations queue their work on one stream and return; {@link #synchronize} and downloads wait. Several threads may use one back-end, and a process may have several back-ends, on one
 * device or on many.
 */
public final class CudaBackend implements Backend {
    private static final Logger LOG = LoggerFactory.getLogger(CudaBackend.class);
    /** The first GPUs that compute in BF16: compute capability 8.0. */
    private static final int AMPERE = 80;
    /** Waits after each launch, so that an error is reported where it happens. */
    private static final boolean BLOCKING = Boolean.getBoolean("tenon.cuda.blocking");

    /** Held by whoever uses scratch memory, cuDNN, cuBLAS, or queues work that must not be torn apart. */
    final Object lock = new Object();

    final CudaOptions options;
    final DeviceContext context;
    final Stream compute;
    final Stream copy;
    final DeviceMemory memory;
    final Kernels kernels;
    final HostCopies hostCopies;
    final Scratch scratch;
    /** For algorithms of the libraries, which may run while {@link #scratch} holds their arguments. */
    final Scratch workspace;

    final StepScalars scalars;
    final CudnnHandle cudnn;

    private final CachingAllocator allocator;
    private final CudaStaging staging;
    private final CudaCapture capture;
    /** Closed in reverse. */
    private final Deque<AutoCloseable> resources = new ArrayDeque<>();

    private final List<Recording> recordings = new ArrayList<>();
    /** Held for reading by who waits for the compute stream without {@link #lock}: a stream that records must not be waited for. */
    private final ReentrantReadWriteLock captureGate = new ReentrantReadWriteLock();

    private volatile Recording recording;
    private volatile boolean closed;
    private Blas blas;
    private LibraryChooser chooser;

    final CudaArithmetic arithmetic = new CudaArithmetic(this);
    final CudaGemm gemm = new CudaGemm(this);
    final CudaActivation activation = new CudaActivation(this);
    final CudaChannels channels = new CudaChannels(this);
    final CudaBias bias = new CudaBias(this);
    final CudaConvolution convolution = new CudaConvolution(this);
    final CudaDense dense = new CudaDense(this);
    final CudaLosses losses = new CudaLosses(this);
    final CudaMetrics metrics = new CudaMetrics(this);
    final CudaNormalization normalization = new CudaNormalization(this);
    final CudaPooling pooling = new CudaPooling(this);
    final CudaRandom random = new CudaRandom(this);
    final CudaUpdates updates = new CudaUpdates(this);
    private final CudaAugmentation augmentation = new CudaAugmentation(this);

    private final ThreadLocal<Launch> launches = ThreadLocal.withInitial(() -> new Launch(this));

    private CudaBackend(CudaOptions options) {
        this.options = options;
        context = new DeviceContext(options.device());
        memory = new DeviceMemory(context, options.memoryLimit(), this::awaitUnlessRecording);
        resources.add(memory::close);
        try {
            context.enter();
            compute = owned(new Stream());
            copy = owned(new Stream());
            allocator = owned(new CachingAllocator(memory, Long.MAX_VALUE));
            kernels = owned(new Kernels(this));
            hostCopies = owned(new HostCopies(this));
            staging = owned(new CudaStaging(this));
            scratch = owned(new Scratch(this, allocator));
            workspace = owned(new Scratch(this, allocator));
            scalars = owned(new StepScalars(this));
            cudnn = owned(new CudnnHandle(this));
            capture = new CudaCapture(this);
        } catch (RuntimeException | Error e) {
            closed = true;
            closeAll();
            throw e;
        }
    }

    /** GPU 0, with {@link CudaOptions#defaults()}. */
    public static CudaBackend open() {
        return open(CudaOptions.defaults());
    }

    public static CudaBackend open(int device) {
        return open(CudaOptions.defaults().withDevice(device));
    }

    /** Throws as {@link #open(int)} does where there is no such GPU, or a library is missing; without opening anything. */
    public static void require(int device) {
        DeviceContext.find(device);
    }

    /**
     * How many GPUs the driver sees.
     *
     * @throws tenon.engine.DeviceException where there is no driver; says what to do
     */
    public static int deviceCount() {
        return DeviceContext.count();
    }

    /**
     * How several GPUs would sum their gradients, for people; opens nothing.
     *
     * @throws IllegalArgumentException where {@code -Dtenon.cuda.collectives} names no way
     */
    public static String collectives(boolean ncclFound) {
        return Collectives.expected(ncclFound);
    }

    /** @throws tenon.engine.DeviceException where there is no such GPU, or a library is missing; says what to do */
    public static CudaBackend open(CudaOptions options) {
        CudaBackend backend = new CudaBackend(options);
        LOG.debug(
                "{}: {}, compute capability {}",
                backend.name(),
                backend.context.gpuName(),
                backend.context.capability());
        return backend;
    }

    @Override
    public String name() {
        return "cuda:" + options.device();
    }

    @Override
    public String description() {
        return name() + " (" + gpuName() + ")";
    }

    @Override
    public Device device() {
        return new Device.Cuda(options.device());
    }

    /** Of the calling thread's work: while it records a step, the memory of that recording. */
    @Override
    public Allocator allocator() {
        Recording current = recording();
        return current == null ? allocator : current.pool();
    }

    /** The GPU's name. */
    public String gpuName() {
        return context.gpuName();
    }

    public CudaOptions options() {
        return options;
    }

    // ---- for the families ----

    /** Makes the device's context current on this thread, before a call of the driver, cuDNN or cuBLAS. */
    void enter() {
        if (closed) {
            throw new DeviceException(name() + ": the back-end is closed");
        }
        context.enter();
    }

    boolean isClosed() {
        return closed;
    }

    /** Keeps a resource until the back-end is closed; those that came last are closed first. */
    <T extends AutoCloseable> T owned(T resource) {
        synchronized (lock) {
            resources.addFirst(resource);
        }
        return resource;
    }

    /** Resources that are kept until then. */
    int ownedCount() {
        synchronized (lock) {
            return resources.size();
        }
    }

    /** The allocator outside of recordings, for what outlives them. */
    CachingAllocator general() {
        return allocator;
    }

    /** Of the same shape and dtype, with any contents. */
    Tensor like(Tensor tensor) {
        return Tensor.empty(this, tensor.shape(), tensor.dtype());
    }

    /** This thread's argument block, started for a kernel. */
    Launch launch(Kernel kernel) {
        return launches.get().start(kernel);
    }

    /** Called after work was queued. */
    void launched(String what) {
        launched(what, compute);
    }

    void launched(String what, Stream stream) {
        if (BLOCKING && recording == null) {
            try {
                stream.synchronize();
            } catch (DeviceException e) {
                throw new DeviceException(TenonException.where(what) + ": " + e.getMessage());
            }
        }
    }

    /** cuBLAS, made on first use. Under {@link #lock}. */
    Blas blas() {
        if (blas == null) {
            checkNotCapturing("cublasCreate");
            blas = owned(newBlas());
            LOG.debug("{}: {}", name(), blas.description());
        }
        return blas;
    }

    /** Made on first use. Under {@link #lock}. */
    LibraryChooser chooser() {
        if (chooser == null) {
            chooser = owned(new LibraryChooser(this));
        }
        return chooser;
    }

    private Blas newBlas() {
        CudaLibraries libraries = CudaLibraries.load();
        String asked = System.getProperty("tenon.cuda.blas", libraries.major() == 12 ? "jcublas" : "foreign");
        BlasMath math = BlasMath.of(options);
        return switch (asked) {
            case "jcublas" -> new JcublasBlas(this, math);
            case "foreign" -> new ForeignBlas(this, math, libraries.library(CudaPart.CUBLAS));
            default -> throw new IllegalArgumentException("-Dtenon.cuda.blas must be jcublas or foreign: " + asked);
        };
    }

    // ---- recorded steps ----

    /** True while this thread records a step: nothing may wait for the device or read from it. */
    boolean capturing() {
        return recording() != null;
    }

    /** What this thread records, or null. */
    Recording recording() {
        Recording current = recording;
        return current != null && current.thread() == Thread.currentThread() ? current : null;
    }

    /** For operations that read something back from the device, or wait for it. */
    void checkNotCapturing(String op) {
        if (capturing()) {
            throw new NotCapturableException(TenonException.where(op)
                    + ": it waits for the device, so a step with it cannot be recorded (it runs without recording)");
        }
    }

    /** Lets nobody wait for the compute stream from before {@link Recording#begin} until after its end. */
    void startRecording(Recording started) {
        captureGate.writeLock().lock();
        try {
            recording = started;
            started.begin();
            recordings.add(started);
        } catch (RuntimeException e) {
            recording = null;
            throw e;
        } finally {
            captureGate.writeLock().unlock();
        }
    }

    /** After the capture has ended. */
    void endRecording() {
        recording = null;
    }

    void forget(Recording ended) {
        recordings.remove(ended);
    }

    /** Waits until nothing that was queued uses memory given back before. Called with the monitor of an allocator held, so without {@link #lock}. */
    private void awaitUnlessRecording() {
        if (closed) {
            return;
        }
        captureGate.readLock().lock();
        try {
            // A recording began with an empty stream, and queues nothing.
            if (recording == null) {
                compute.synchronize();
            }
            copy.synchronize();
        } finally {
            captureGate.readLock().unlock();
        }
    }

    // ---- BF16 copies of weights ----

    /** Address of an up-to-date BF16 copy of an F32 weight; {@code blockAddress} of its storage is the weight itself. */
    long bf16(Tensor weight) {
        synchronized (lock) {
            Storage storage = weight.storage();
            ComputeCopy made = ComputeCopy.of(storage);
            if (made == null) {
                made = ComputeCopy.attach(this, storage, weight.elementCount());
            }
            touch(made);
            if (!made.isValid()) {
                made.renew(this);
            }
            return made.address();
        }
    }

    /** Where an update writes the rounded weight, or 0 where nobody has read a copy yet; {@link #bf16Written} must follow. */
    long bf16ToWrite(Tensor weight) {
        synchronized (lock) {
            ComputeCopy made = ComputeCopy.of(weight.storage());
            if (made == null) {
                Recording current = recording();
                if (current != null) {
                    current.updatesAlone(weight.storage());
                }
                return 0;
            }
            touch(made);
            return made.address();
        }
    }

    /** Declares that an update has written a weight and its copy, where it has one. */
    void bf16Written(Tensor weight) {
        synchronized (lock) {
            ComputeCopy made = ComputeCopy.of(weight.storage());
            if (made != null) {
                made.setValid(true);
            }
        }
    }

    private void touch(ComputeCopy used) {
        Recording current = recording();
        if (current != null) {
            current.touches(used);
        }
    }

    // ---- checks ----

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
        if (dtype == DType.BF16 && whyNo(dtype) != null) {
            return false;
        }
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
            case F32 -> null;
            case BF16 -> whyNoBf16();
            case F64, U8, I32 -> "the cuda back-end computes in F32 and BF16, not in " + dtype;
        };
    }

    private String whyNoBf16() {
        return context.capability() >= AMPERE
                ? null
                : String.format(
                        Locale.ROOT,
                        "bf16 is not available: it needs a GPU of compute capability 8.0 or newer, and %s has %.1f",
                        context.gpuName(),
                        context.capability() / 10.0);
    }

    // ---- memory ----

    @Override
    public void synchronize() {
        checkNotCapturing("synchronize");
        synchronized (lock) {
            enter();
            compute.synchronize();
            copy.synchronize();
        }
    }

    @Override
    public void upload(MemorySegment from, Tensor to) {
        checkNotCapturing("upload");
        hostCopies.upload(from, to.address());
    }

    @Override
    public void download(Tensor from, MemorySegment to) {
        checkNotCapturing("download");
        hostCopies.download(from.storage().blockAddress(), to);
    }

    @Override
    public void copy(Tensor from, Tensor to) {
        long bytes = to.byteSize();
        if (bytes == 0) {
            return;
        }
        synchronized (lock) {
            enter();
            try {
                JCudaDriver.cuMemcpyDtoDAsync(
                        Pointers.at(to.address()), Pointers.at(from.storage().blockAddress()), bytes, compute.handle());
            } catch (CudaException e) {
                throw Driver.failure("cuMemcpyDtoDAsync", e);
            }
            launched("copy");
        }
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
    public StepCapture capture() {
        return capture;
    }

    @Override
    public Staging staging() {
        return staging;
    }

    @Override
    public BatchAugmentation augmentation() {
        return augmentation;
    }

    /** Through NCCL, where it is found, else by copies between the GPUs; {@code -Dtenon.cuda.collectives=nccl}, {@code peer} or {@code host} chooses. */
    @Override
    public List<Communicator> communicators(List<Backend> group) {
        return Collectives.of(group);
    }

    @Override
    public BackendStatistics statistics() {
        synchronized (lock) {
            return new BackendStatistics(cudnn.plans() + kernels.loaded(), cudnn.descriptors(), memory.allocations());
        }
    }

    /** Frees everything but tensors that are still open, which stay valid until closed. */
    @Override
    public void close() {
        synchronized (lock) {
            if (closed) {
                return;
            }
            checkNotCapturing("close");
            context.enter();
            Driver.runQuietly(() -> JCudaDriver.cuStreamSynchronize(compute.handle()));
            Driver.runQuietly(() -> JCudaDriver.cuStreamSynchronize(copy.handle()));
            List.copyOf(recordings).forEach(Recording::close);
            closed = true;
            closeAll();
        }
    }

    private void closeAll() {
        while (!resources.isEmpty()) {
            try {
                resources.removeFirst().close();
            } catch (Exception e) {
                LOG.warn("{}: something could not be freed: {}", name(), e.toString());
            }
        }
    }
}
