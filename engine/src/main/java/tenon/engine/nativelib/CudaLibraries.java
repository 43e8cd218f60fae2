package tenon.engine.nativelib;

import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.MethodHandle;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import tenon.engine.DeviceException;
import tenon.engine.nativelib.CudaSearch.Choice;

/**
 * CUDA's libraries, loaded in the order of their dependencies, from one family of folders as far as possible (see {@link CudaSearch}). Once for the process.
 *
 * <p>Libraries of CUDA 12 and 13 work, as far as the driver runs them; {@code -Dtenon.cuda.major=12} or {@code 13} chooses.
 */
public final class CudaLibraries {
    static final String MAJOR = "tenon.cuda.major";
    /** cuBLAS, NVRTC and cuDNN 9 are of CUDA 12 or 13, which older drivers do not run. */
    private static final int OLDEST_DRIVER = 12;

    private static final FunctionDescriptor ONE_POINTER =
            FunctionDescriptor.of(ValueLayout.JAVA_INT, ValueLayout.ADDRESS);
    private static final FunctionDescriptor TWO_POINTERS =
            FunctionDescriptor.of(ValueLayout.JAVA_INT, ValueLayout.ADDRESS, ValueLayout.ADDRESS);
    private static final FunctionDescriptor NUMBER_AND_POINTER =
            FunctionDescriptor.of(ValueLayout.JAVA_INT, ValueLayout.JAVA_INT, ValueLayout.ADDRESS);

    private static CudaLibraries loaded;
    private static NativeLibrary driver;

    private final int major;
    private final Map<CudaPart, NativeLibrary> libraries = new EnumMap<>(CudaPart.class);

    private CudaLibraries(int major) {
        this.major = major;
    }

    /**
     * Loads what the back-end needs.
     *
     * @throws DeviceException that lists everything that is missing, and how to get it
     */
    public static synchronized CudaLibraries load() {
        if (loaded == null) {
            loaded = load(CudaSearch.here());
        }
        return loaded;
    }

    /** The driver's library. */
    static synchronized NativeLibrary driver(CudaSearch search) {
        if (driver == null) {
            checkPlatform();
            Path path = search.driver().orElseThrow(() -> new DeviceException(noDriver(search)));
            try {
                driver = NativeLibrary.load(path);
            } catch (UnsatisfiedLinkError e) {
                throw new DeviceException("cuda: the NVIDIA driver's library " + path + " does not load: "
                        + e.getMessage() + " (reinstall the driver)");
            }
        }
        return driver;
    }

    private static void checkPlatform() {
        String system = System.getProperty("os.name").toLowerCase(Locale.ROOT);
        String processor = System.getProperty("os.arch");
        if (!system.contains("linux") || !processor.equals("amd64")) {
            throw new DeviceException("cuda: the CUDA back-end needs Linux (WSL included) on x86-64: here are " + system
                    + ", " + processor + " (use --device cpu)");
        }
    }

    static String noDriver(CudaSearch search) {
        return search.seesGpu()
                ? "cuda: the machine has an NVIDIA GPU, but libcuda.so.1, the driver's library, was not found (looked"
                        + " in " + search.lookedAt() + "): " + CudaPart.DRIVER.howToInstall(0)
                : "cuda: no NVIDIA GPU, and no driver (libcuda.so.1), was found (use --device cpu; where there should"
                        + " be one: " + CudaPart.DRIVER.howToInstall(0) + ")";
    }

    private static CudaLibraries load(CudaSearch search) {
        NativeLibrary driverLibrary = driver(search);
        int version = CudaDriver.of(driverLibrary).version();
        checkDriver(version);
        int newest = version / 1000;
        int asked = Integer.getInteger(MAJOR, 0);
        Choice choice = search.choose(asked, newest);
        String missing = missing(search, choice);
        if (!missing.isEmpty()) {
            throw new DeviceException("cuda: " + missing);
        }
        NativeLibrary cudnn = open(CudaPart.CUDNN, choice.files().get(CudaPart.CUDNN));
        int built = builtFor(cudnn);
        if (asked == 0 && built != 0 && built != choice.major()) {
            Choice other = search.choose(built, newest);
            if (missing(search, other).isEmpty() && other.files().containsValue(cudnn.path())) {
                choice = other;
            }
        }
        CudaLibraries result = new CudaLibraries(choice.major());
        result.libraries.put(CudaPart.DRIVER, driverLibrary);
        for (CudaPart part : List.of(CudaPart.CUBLAS_LT, CudaPart.CUBLAS, CudaPart.NVRTC_BUILTINS, CudaPart.NVRTC)) {
            Path file = choice.files().get(part);
            if (file != null) {
                result.libraries.put(part, open(part, file));
            }
        }
        openParts(CudaSearch.cudnnParts(cudnn.path()));
        result.libraries.put(CudaPart.CUDNN, cudnn);
        Path nccl = choice.files().get(CudaPart.NCCL);
        if (nccl != null) {
            result.libraries.put(CudaPart.NCCL, open(CudaPart.NCCL, nccl));
        }
        return result;
    }

    static void checkDriver(int version) {
        if (version / 1000 < OLDEST_DRIVER) {
            throw new DeviceException("cuda: the driver must run CUDA " + OLDEST_DRIVER + " or newer: it runs CUDA "
                    + CudaDriver.text(version) + " (update it: " + CudaPart.DRIVER.howToInstall(0) + ")");
        }
    }

    /** Everything that is missing in one text; empty if nothing is. */
    static String missing(CudaSearch search, Choice choice) {
        Map<String, String> missing = new LinkedHashMap<>();
        CudaSearch.required()
                .filter(part -> !choice.files().containsKey(part))
                .forEach(part -> missing.put(
                        part.howToInstall(choice.major()), part.label() + " (" + part.file(choice.major()) + ")"));
        if (missing.isEmpty()) {
            return "";
        }
        List<String> texts = new ArrayList<>();
        missing.forEach((how, what) -> texts.add(what + " not found: " + how));
        return String.join("; ", texts) + ". Looked in " + search.lookedAt() + "; -D" + CudaSearch.PROPERTY
                + "=FOLDER names further folders";
    }

    private static NativeLibrary open(CudaPart part, Path path) {
        try {
            return NativeLibrary.load(path);
        } catch (UnsatisfiedLinkError e) {
            throw new DeviceException(
                    "cuda: " + part.label() + " was found but does not load: " + path + ": " + e.getMessage()
                            + " (is the installation complete? "
                            + part.howToInstall(path.toString().contains(".so.13") ? 13 : 12) + ")");
        }
    }

    /** Each part needs others that lie beside it; whatever does not load yet is tried again after the rest. */
    private static void openParts(List<Path> parts) {
        List<Path> waiting = parts;
        while (!waiting.isEmpty()) {
            List<Path> refused = new ArrayList<>();
            UnsatisfiedLinkError reason = null;
            for (Path part : waiting) {
                try {
                    NativeLibrary.load(part);
                } catch (UnsatisfiedLinkError e) {
                    refused.add(part);
                    reason = e;
                }
            }
            if (refused.size() == waiting.size()) {
                throw new DeviceException("cuda: a part of cuDNN was found but does not load: " + refused.getFirst()
                        + ": " + reason.getMessage());
            }
            waiting = refused;
        }
    }

    /** Release of CUDA that this cuDNN goes with, 0 if it does not say. */
    private static int builtFor(NativeLibrary cudnn) {
        if (!cudnn.has("cudnnGetCudartVersion")) {
            return 0;
        }
        try {
            return (int) ((long) cudnn.function("cudnnGetCudartVersion", FunctionDescriptor.of(ValueLayout.JAVA_LONG))
                            .invokeExact()
                    / 1000);
        } catch (Throwable e) {
            throw new IllegalStateException("cudnnGetCudartVersion failed", e);
        }
    }

    /** The release of CUDA that cuBLAS and NVRTC are of: 12 or 13. */
    public int major() {
        return major;
    }

    /** What is loaded, the driver first. */
    Set<CudaPart> parts() {
        return libraries.keySet();
    }

    /** A loaded library. */
    public NativeLibrary library(CudaPart part) {
        NativeLibrary library = libraries.get(part);
        if (library == null) {
            throw new DeviceException("cuda: " + part.label() + " not found: " + part.howToInstall(major));
        }
        return library;
    }

    /** What a library says about itself, e.g. {@code 9.10.2}; the version in its file's name where it says nothing. */
    String version(CudaPart part) {
        NativeLibrary library = library(part);
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment out = arena.allocate(ValueLayout.JAVA_INT, 3);
            if (part == CudaPart.CUDNN && library.has("cudnnGetVersion")) {
                return text((long) library.function("cudnnGetVersion", FunctionDescriptor.of(ValueLayout.JAVA_LONG))
                        .invokeExact());
            }
            if (part == CudaPart.NCCL && library.has("ncclGetVersion")) {
                int _ = (int) library.function("ncclGetVersion", ONE_POINTER).invokeExact(out);
                return text(out.get(ValueLayout.JAVA_INT, 0));
            }
            if (part == CudaPart.NVRTC) {
                int _ = (int)
                        library.function("nvrtcVersion", TWO_POINTERS).invokeExact(out, out.asSlice(Integer.BYTES));
                return out.get(ValueLayout.JAVA_INT, 0) + "." + out.getAtIndex(ValueLayout.JAVA_INT, 1);
            }
            if (part == CudaPart.CUBLAS && library.has("cublasGetProperty")) {
                MethodHandle property = library.function("cublasGetProperty", NUMBER_AND_POINTER);
                for (int i = 0; i < 3; i++) {
                    int _ = (int) property.invokeExact(i, out.asSlice((long) i * Integer.BYTES));
                }
                return out.get(ValueLayout.JAVA_INT, 0) + "." + out.getAtIndex(ValueLayout.JAVA_INT, 1) + "."
                        + out.getAtIndex(ValueLayout.JAVA_INT, 2);
            }
        } catch (Throwable e) {
            throw new IllegalStateException("the version of " + library.path() + " cannot be asked for", e);
        }
        return CudaSearch.version(library.path());
    }

    /** 91002 as 9.10.2. */
    private static String text(long version) {
        return version / 10000 + "." + version / 100 % 100 + "." + version % 100;
    }

    /** NCCL, which only several GPUs need. */
    public Optional<NativeLibrary> nccl() {
        return Optional.ofNullable(libraries.get(CudaPart.NCCL));
    }

    /** cuBLAS of another release than the one in use, where there is one. */
    public static Optional<NativeLibrary> cublas(int major) {
        Choice choice = CudaSearch.here().choose(major, major);
        if (!choice.files().containsKey(CudaPart.CUBLAS)) {
            return Optional.empty();
        }
        Path companion = choice.files().get(CudaPart.CUBLAS_LT);
        if (companion != null) {
            open(CudaPart.CUBLAS_LT, companion);
        }
        return Optional.of(open(CudaPart.CUBLAS, choice.files().get(CudaPart.CUBLAS)));
    }
}
