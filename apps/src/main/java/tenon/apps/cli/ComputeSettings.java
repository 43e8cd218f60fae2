package tenon.apps.cli;

import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.OptionalInt;
import java.util.Set;
import java.util.function.Consumer;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import java.util.stream.Stream;
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
 * @param device {@code cpu}, {@code cuda:N} or {@code reference}; or several GPUs for training, {@code cuda:0,cuda:1}, which {@code cuda:all} stands for
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
    private static final Pattern CUDA = Pattern.compile("cuda:(\\d{1,3})");
    private static final String ALL = "cuda:all";

    /** Throws unless this version can do it; cheap, so that it comes before any work. */
    public ComputeSettings {
        device = normalized(device.toLowerCase(Locale.ROOT));
        tf32 = tf32 != null && tf32;
        deterministic = deterministic == null || deterministic;
        if (tf32 && !device.startsWith("cuda")) {
            throw new UsageException("--tf32 needs a GPU: --device " + device + " (add --device cuda)");
        }
        if (threads < 1) {
            throw new UsageException("--threads must be at least 1: " + threads);
        }
    }

    private static String normalized(String device) {
        if (device.equals(ALL)) {
            return IntStream.range(0, Math.max(1, CudaBackend.deviceCount()))
                    .mapToObj(i -> "cuda:" + i)
                    .collect(Collectors.joining(","));
        }
        if (device.equals("cpu") || device.equals("reference")) {
            return device;
        }
        List<String> gpus = Stream.of(device.split(",", -1))
                .map(one -> one.equals("cuda") ? OptionalInt.of(0) : gpu(one))
                .map(number -> number.isPresent() ? "cuda:" + number.getAsInt() : "")
                .toList();
        if (gpus.contains("")) {
            throw new UsageException(
                    device.contains(",")
                            ? "--device: several devices must be GPUs, as in cuda:0,cuda:1: " + device
                            : "--device must be cpu, cuda, cuda:N or reference: " + device);
        }
        if (Set.copyOf(gpus).size() < gpus.size()) {
            throw new UsageException("--device: several devices must be different GPUs: " + device);
        }
        return String.join(",", gpus);
    }

    /** The devices by name, one unless there are several GPUs. */
    public List<String> devices() {
        return List.of(device.split(","));
    }

    /** Throws unless it is one device. */
    ComputeSettings requireOneDevice() {
        if (devices().size() > 1) {
            throw new UsageException("--device: several devices are for training: " + device);
        }
        return this;
    }

    /** The same on another device; what only a GPU can do is given up on others. */
    public ComputeSettings withDevice(String newDevice) {
        boolean keepsTf32 = tf32 && newDevice.toLowerCase(Locale.ROOT).startsWith("cuda");
        return new ComputeSettings(newDevice, threads, precision, keepsTf32, deterministic, seed, checkFinite);
    }

    /** Throws, and says what to do, where the device cannot be used; so it comes before any work. */
    void requireDevice() {
        devices().forEach(one -> gpu(one).ifPresent(CudaBackend::require));
    }

    /** Number of the GPU, if it is one. */
    private static OptionalInt gpu(String device) {
        Matcher cuda = CUDA.matcher(device);
        return cuda.matches() ? OptionalInt.of(Integer.parseInt(cuda.group(1))) : OptionalInt.empty();
    }

    /** Opens the back-end, or the first of several; the caller closes it. Also seeds this thread's generator. */
    public Backend open() {
        Generator.current().manualSeed(seed);
        return open(devices().getFirst());
    }

    /** Opens the back-ends after the first; the caller closes them. */
    public List<Backend> openFurther() {
        List<Backend> opened = new ArrayList<>();
        try {
            devices().stream().skip(1).forEach(one -> opened.add(open(one)));
            return opened;
        } catch (RuntimeException e) {
            opened.forEach(Backend::close);
            throw e;
        }
    }

    private Backend open(String one) {
        OptionalInt gpu = gpu(one);
        if (gpu.isPresent()) {
            return CudaBackend.open(CudaOptions.defaults()
                    .withDevice(gpu.getAsInt())
                    .withTf32(tf32)
                    .withDeterministic(deterministic));
        }
        return one.equals("cpu") ? CpuBackend.open(threads) : ReferenceBackend.open();
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
