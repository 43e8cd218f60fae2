package tenon.apps.cli;

import picocli.CommandLine.Option;
import tenon.engine.Generator;
import tenon.engine.backend.Backend;
import tenon.engine.backend.cpu.CpuBackend;
import tenon.engine.backend.reference.ReferenceBackend;

/** What a command computes with. Mixed into the commands that run networks. */
public final class ComputeOptions {
    @Option(
            names = "--device",
            paramLabel = "NAME",
            defaultValue = "cpu",
            description = "cpu, or reference (plain loops, slow). Default: ${DEFAULT-VALUE}.")
    private String device;

    @Option(
            names = "--threads",
            paramLabel = "N",
            description = "Compute threads. Default: one per processor the process may use.")
    private Integer threads;

    @Option(
            names = "--precision",
            paramLabel = "NAME",
            defaultValue = "fp32",
            description = "fp32: single precision everywhere. Default: ${DEFAULT-VALUE}.")
    private String precision;

    @Option(
            names = "--seed",
            paramLabel = "N",
            defaultValue = "42",
            description = "Decides initial weights, order, augmentation and dropout. Default: ${DEFAULT-VALUE}.")
    private long seed;

    @Option(
            names = "--check-finite",
            description = "Stop at the first NaN or infinity and name the operation that made it (slower).")
    private boolean checkFinite;

    public long seed() {
        return seed;
    }

    public boolean checkFinite() {
        return checkFinite;
    }

    public String device() {
        return device;
    }

    public String precision() {
        return precision;
    }

    /** Compute threads: those asked for, or one per processor. */
    public int threads() {
        return threads != null ? threads : Runtime.getRuntime().availableProcessors();
    }

    /** Throws unless the options name something that this version can do; cheap, so that it comes before any work. */
    public void check() {
        if (device.startsWith("cuda")) {
            throw new UsageException("--device " + device
                    + " is not available in this version: it computes on the CPU (--device cpu; ./tenon doctor"
                    + " shows what is there)");
        }
        if (!device.equals("cpu") && !device.equals("reference")) {
            throw new UsageException("--device must be cpu or reference: " + device);
        }
        if (precision.equals("bf16")) {
            throw new UsageException(
                    "--precision bf16 is not available in this version, which trains in fp32 (--precision fp32)");
        }
        if (!precision.equals("fp32")) {
            throw new UsageException("--precision must be fp32: " + precision);
        }
        if (threads != null && threads < 1) {
            throw new UsageException("--threads must be at least 1: " + threads);
        }
    }

    /** Opens the back-end; the caller closes it. Also seeds this thread's generator. */
    public Backend open() {
        check();
        return open(device, threads(), seed);
    }

    /** As {@link #open()} with the settings of an earlier run. */
    public static Backend open(String device, int threads, long seed) {
        Generator.current().manualSeed(seed);
        return device.equals("cpu") ? CpuBackend.open(threads) : ReferenceBackend.open();
    }
}
