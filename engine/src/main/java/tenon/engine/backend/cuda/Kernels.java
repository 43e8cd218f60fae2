package tenon.engine.backend.cuda;

import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import jcuda.CudaException;
import jcuda.driver.CUfunction;
import jcuda.driver.CUmodule;
import jcuda.driver.JCudaDriver;
import tenon.engine.DeviceException;

/**
 * Compiles the {@code .cu} files beside this class, each when its first kernel is asked for, and finds kernels in them. Compiled files are kept on disk ({@link KernelCache}).
 *
 * <p>The strict build has IEEE division, square root and denormals; {@link CudaOptions#fastMath} has the device's approximations instead. Neither
 * assumes numbers to be finite: NaN and infinities are found, kept and compared alike in both.
 */
final class Kernels implements AutoCloseable {
    private static final String PRELUDE = "prelude";
    private static final List<String> STRICT =
            List.of("--std=c++17", "--ftz=false", "--prec-div=true", "--prec-sqrt=true");
    private static final List<String> FAST =
            List.of("--std=c++17", "--use_fast_math", "--define-macro=TENON_FAST_MATH");

    private final CudaBackend backend;
    private final Nvrtc nvrtc = new Nvrtc();
    private final KernelCache cache;
    private final String architecture;
    private final String compiler;
    private final Map<String, CUmodule> modules = new HashMap<>();
    private final Map<String, Kernel> kernels = new HashMap<>();
    private long compiled;

    Kernels(CudaBackend backend) {
        this.backend = backend;
        cache = new KernelCache(backend.options.cache());
        architecture = nvrtc.architecture(backend.context.capability());
        compiler = "nvrtc " + nvrtc.version();
    }

    /**
     * A kernel to keep: looking it up costs a map access. The first kernel of a file compiles the file.
     *
     * @param file name of the resource without {@code .cu}
     * @param name of the kernel
     */
    Kernel get(String file, String name) {
        synchronized (backend.lock) {
            String key = file + "." + name;
            Kernel kernel = kernels.get(key);
            if (kernel == null) {
                backend.enter();
                CUmodule module = modules.get(file);
                if (module == null) {
                    module = load(file + ".cu", resource(PRELUDE + ".cuh") + resource(file + ".cu"));
                    modules.put(file, module);
                }
                kernel = find(module, key, name);
                kernels.put(key, kernel);
            }
            return kernel;
        }
    }

    private static Kernel find(CUmodule module, String key, String name) {
        CUfunction function = new CUfunction();
        Driver.run("cuModuleGetFunction " + key, () -> JCudaDriver.cuModuleGetFunction(function, module, name));
        return new Kernel(key, function);
    }

    private CUmodule load(String name, String source) {
        List<String> options = options();
        Path file = cache.file(name, source, architecture, options, compiler);
        byte[] code = cache.read(file);
        if (code != null) {
            try {
                return module(code);
            } catch (CudaException e) {
                if (!isDamage(e)) {
                    throw Driver.failure("cuModuleLoadData " + name, e);
                }
                cache.delete(file);
            }
        }
        code = nvrtc.compile(name, source, architecture, options);
        compiled++;
        cache.write(file, code);
        try {
            return module(code);
        } catch (CudaException e) {
            throw Driver.failure("cuModuleLoadData " + name, e);
        }
    }

    /** Whether it is the file that is bad, and not the device or its memory. */
    private static boolean isDamage(CudaException e) {
        return switch (e.getMessage()) {
            case "CUDA_ERROR_INVALID_IMAGE",
                    "CUDA_ERROR_INVALID_SOURCE",
                    "CUDA_ERROR_INVALID_PTX",
                    "CUDA_ERROR_NO_BINARY_FOR_GPU",
                    "CUDA_ERROR_INVALID_VALUE",
                    "CUDA_ERROR_FILE_NOT_FOUND",
                    "CUDA_ERROR_SHARED_OBJECT_INIT_FAILED",
                    "CUDA_ERROR_SHARED_OBJECT_SYMBOL_NOT_FOUND" -> true;
            default -> false;
        };
    }

    private CUmodule module(byte[] code) {
        CUmodule module = new CUmodule();
        try {
            // PTX is text, which the driver reads up to a 0; machine code has its length in it.
            JCudaDriver.cuModuleLoadData(module, code);
        } catch (CudaException e) {
            if (!Driver.isOutOfMemory(e) || backend.capturing()) {
                throw e;
            }
            // The allocator may hold the rest of the device's memory idle.
            backend.general().trim();
            JCudaDriver.cuModuleLoadData(module, code);
        }
        return module;
    }

    List<String> options() {
        return backend.options.fastMath() ? FAST : STRICT;
    }

    /** A resource of this package as text. */
    private static String resource(String name) {
        try (InputStream in = Kernels.class.getResourceAsStream(name)) {
            if (in == null) {
                throw new DeviceException("cuda: there is no kernel file " + name);
            }
            return new String(in.readAllBytes(), StandardCharsets.UTF_8);
        } catch (IOException e) {
            throw new UncheckedIOException("cuda: " + name + " cannot be read", e);
        }
    }

    /** Files that were compiled because the disk did not have them. */
    long compiled() {
        return compiled;
    }

    /** Files that are loaded. */
    int loaded() {
        return modules.size();
    }

    @Override
    public void close() {
        for (CUmodule module : new ArrayList<>(modules.values())) {
            Driver.runQuietly(() -> JCudaDriver.cuModuleUnload(module));
        }
        modules.clear();
        kernels.clear();
    }
}
