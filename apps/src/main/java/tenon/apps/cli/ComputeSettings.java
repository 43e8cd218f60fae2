package tenon.apps.cli;

import java.util.Locale;
import java.util.OptionalInt;
import java.util.function.Consumer;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import tenon.engine.Generator;
import tenon.engine.Precision;
import tenon.engine.backend.Backend;
import tenon.engine.backend.cpu.CpuBackend;
import tenon.engine.backend.cuda.CudaBackend;
import tenon.engine.backend.cuda.CudaOptions;
import tenon.engine.backend.reference.ReferenceBackend;

/**
 * What a run computes with: {@link ComputeOptions} as a value, which a run's folder keeps.
 *
 * @param device {@code cpu}, {@code cuda:N} or {@code reference}
 * @param threads compute threads of the CPU
 * @param precision the one asked for; see {@link #precision(Backend, Console)}
 * @param tf32 whether a GPU may round factors of products in fp32 for its tensor cores; null, in runs of before there was the choice, is false
 * @param deterministic whether equal runs must compute equal bits on a GPU, as they do elsewhere; null, in runs of before there was the choice, is true
 * @param seed decides initial weights, order, augmentation and dropout
 * @param checkFinite whether every operation's result is searched for NaN and infinity
 */
public record ComputeSettings(
        String device,
        int threads,
        Precision precision,
        Boolean tf32,
        Boolean deterministic,
        long seed,
        boolean checkFinite) {
    private static final Pattern CUDA = Pattern.compile("cuda(:(\\d{1,3}))?");

    /** Throws unless this version can do it; cheap, so that it comes before any work. */
    public ComputeSettings {
        device = device.toLowerCase(Locale.ROOT);
        if (!device.equals("cpu")
                && !device.equals("reference")
                && !CUDA.matcher(device).matches()) {
            throw new UsageException("--device must be cpu, cuda, cuda:N or reference: " + device);
        }
        device = device.equals("cuda") ? "cuda:0" : device;
        tf32 = tf32 != null && tf32;
        deterministic = deterministic == null || deterministic;
        if (tf32 && !device.startsWith("cuda")) {
            throw new UsageException("--tf32 needs a GPU: --device " + device + " (add --device cuda)");
        }
        if (threads < 1) {
            throw new UsageException("--threads must be at least 1: " + threads);
        }
    }

    /** The same on another device; what only a GPU can do is given up on others. */
    public ComputeSettings withDevice(String newDevice) {
        boolean keepsTf32 =
                tf32 && CUDA.matcher(newDevice.toLowerCase(Locale.ROOT)).matches();
        return new ComputeSettings(newDevice, threads, precision, keepsTf32, deterministic, seed, checkFinite);
    }

    /** Throws, and says what to do, where the device cannot be used; so it comes before any work. */
    void requireDevice() {
        OptionalInt gpu = gpu();
        if (gpu.isPresent()) {
            CudaBackend.require(gpu.getAsInt());
        }
    }

    /** Number of the GPU, if it is one. */
    private OptionalInt gpu() {
        Matcher cuda = CUDA.matcher(device);
        return cuda.matches() ? OptionalInt.of(Integer.parseInt(cuda.group(2))) : OptionalInt.empty();
    }

    /** Opens the back-end; the caller closes it. Also seeds this thread's generator. */
    public Backend open() {
        Generator.current().manualSeed(seed);
        OptionalInt gpu = gpu();
        if (gpu.isPresent()) {
            return CudaBackend.open(CudaOptions.defaults()
                    .withDevice(gpu.getAsInt())
                    .withTf32(tf32)
                    .withDeterministic(deterministic));
        }
        return device.equals("cpu") ? CpuBackend.open(threads) : ReferenceBackend.open();
    }

    /** The precision to compute in: the one asked for, or fp32, with a warning, where the back-end lacks it. */
    public Precision precision(Backend backend, Console console) {
        return precision(backend, console::warn);
    }

    /** As {@link #precision(Backend, Console)}, for callers without a console. */
    public Precision precision(Backend backend, Consumer<String> warning) {
        if (precision.availableOn(backend)) {
            return precision;
        }
        warning.accept("--precision " + precision + ": " + backend.name() + " has no kernels for it on this machine;"
                + " computing in " + Precision.FP32);
        return Precision.FP32;
    }
}
