package tenon.engine.backend.cuda;

import java.nio.file.Path;
import java.util.Arrays;
import java.util.Locale;
import java.util.function.Consumer;
import java.util.stream.Collectors;

/**
 * Settings of a CUDA back-end.
 *
 * @param device number of the GPU, from 0
 * @param memoryLimit most bytes of device memory held, cached blocks included
 * @param tf32 whether products of F32 matrices and convolutions may round their factors to TF32 (10 bits of mantissa) for the tensor cores
 * @param deterministic whether equal runs must compute equal bits; without, faster algorithms that add in varying order are allowed
 * @param workspaceLimit most bytes of scratch memory that an algorithm of a library may ask for
 * @param convolution which of cuDNN's interfaces computes convolutions
 * @param batchNorm what computes batch normalization in training
 * @param pooling what computes max and average pooling
 * @param fastMath whether own kernels are compiled with approximate functions
 * @param cache folder that keeps compiled kernels
 */
public record CudaOptions(
        int device,
        long memoryLimit,
        boolean tf32,
        boolean deterministic,
        long workspaceLimit,
        ConvolutionChoice convolution,
        LibraryChoice batchNorm,
        LibraryChoice pooling,
        boolean fastMath,
        Path cache) {
    /** cuDNN's two interfaces to convolutions. */
    public enum ConvolutionChoice {
        /** Whichever is faster, measured once per geometry. */
        MEASURED,
        /** The calls per operation that exist since cuDNN's first versions. */
        LEGACY,
        /** Operation graphs ({@code cudnnBackend…}). */
        GRAPH
    }

    /** Own kernels or cuDNN, for what both can do; own kernels do the rest. */
    public enum LibraryChoice {
        /** Whichever is faster, measured once per geometry. */
        MEASURED,
        OWN,
        CUDNN
    }

    private static final long GIB = 1L << 30;

    public CudaOptions {
        if (device < 0 || memoryLimit < 1 || workspaceLimit < 0) {
            throw new IllegalArgumentException(
                    "cuda: device and workspaceLimit must be at least 0, memoryLimit at least 1:" + " device=" + device
                            + ", memoryLimit=" + memoryLimit + ", workspaceLimit=" + workspaceLimit);
        }
    }

    /**
     * Device 0. Each setting follows a system property, where given: {@code tenon.cuda.memory.limit}, {@code tenon.cuda.tf32}, {@code tenon.cuda.deterministic}, {@code
     * tenon.cuda.workspace.limit}, {@code tenon.cuda.convolution}, {@code tenon.cuda.batchnorm}, {@code tenon.cuda.pooling}, {@code tenon.cuda.fastmath}, {@code tenon.cuda.cache}.
     */
    public static CudaOptions defaults() {
        return new CudaOptions(
                0,
                Long.getLong("tenon.cuda.memory.limit", Long.MAX_VALUE),
                Boolean.getBoolean("tenon.cuda.tf32"),
                Boolean.parseBoolean(System.getProperty("tenon.cuda.deterministic", "true")),
                Long.getLong("tenon.cuda.workspace.limit", GIB),
                choice(ConvolutionChoice.class, "tenon.cuda.convolution"),
                choice(LibraryChoice.class, "tenon.cuda.batchnorm"),
                choice(LibraryChoice.class, "tenon.cuda.pooling"),
                Boolean.getBoolean("tenon.cuda.fastmath"),
                defaultCache());
    }

    private static <E extends Enum<E>> E choice(Class<E> type, String property) {
        String named = System.getProperty(property, "measured");
        try {
            return Enum.valueOf(type, named.toUpperCase(Locale.ROOT));
        } catch (IllegalArgumentException _) {
            String names = Arrays.stream(type.getEnumConstants())
                    .map(each -> each.name().toLowerCase(Locale.ROOT))
                    .collect(Collectors.joining(", "));
            throw new IllegalArgumentException("-D" + property + " must be one of " + names + ": " + named);
        }
    }

    private static Path defaultCache() {
        String named = System.getProperty("tenon.cuda.cache");
        if (named != null) {
            return Path.of(named);
        }
        String home = System.getenv("XDG_CACHE_HOME");
        Path caches =
                home != null && !home.isEmpty() ? Path.of(home) : Path.of(System.getProperty("user.home"), ".cache");
        return caches.resolve("tenon").resolve("kernels");
    }

    public CudaOptions withDevice(int newDevice) {
        return with(copy -> copy.device = newDevice);
    }

    public CudaOptions withMemoryLimit(long newLimit) {
        return with(copy -> copy.memoryLimit = newLimit);
    }

    public CudaOptions withTf32(boolean allowed) {
        return with(copy -> copy.tf32 = allowed);
    }

    public CudaOptions withDeterministic(boolean required) {
        return with(copy -> copy.deterministic = required);
    }

    public CudaOptions withWorkspaceLimit(long newLimit) {
        return with(copy -> copy.workspaceLimit = newLimit);
    }

    public CudaOptions withConvolution(ConvolutionChoice choice) {
        return with(copy -> copy.convolution = choice);
    }

    public CudaOptions withBatchNorm(LibraryChoice choice) {
        return with(copy -> copy.batchNorm = choice);
    }

    public CudaOptions withPooling(LibraryChoice choice) {
        return with(copy -> copy.pooling = choice);
    }

    public CudaOptions withFastMath(boolean allowed) {
        return with(copy -> copy.fastMath = allowed);
    }

    public CudaOptions withCache(Path folder) {
        return with(copy -> copy.cache = folder);
    }

    private CudaOptions with(Consumer<Copy> change) {
        Copy copy = new Copy(this);
        change.accept(copy);
        return copy.options();
    }

    /** The settings, open to a change. */
    private static final class Copy {
        private int device;
        private long memoryLimit;
        private boolean tf32;
        private boolean deterministic;
        private long workspaceLimit;
        private ConvolutionChoice convolution;
        private LibraryChoice batchNorm;
        private LibraryChoice pooling;
        private boolean fastMath;
        private Path cache;

        Copy(CudaOptions of) {
            device = of.device;
            memoryLimit = of.memoryLimit;
            tf32 = of.tf32;
            deterministic = of.deterministic;
            workspaceLimit = of.workspaceLimit;
            convolution = of.convolution;
            batchNorm = of.batchNorm;
            pooling = of.pooling;
            fastMath = of.fastMath;
            cache = of.cache;
        }

        CudaOptions options() {
            return new CudaOptions(
                    device,
                    memoryLimit,
                    tf32,
                    deterministic,
                    workspaceLimit,
                    convolution,
                    batchNorm,
                    pooling,
                    fastMath,
                    cache);
        }
    }
}
