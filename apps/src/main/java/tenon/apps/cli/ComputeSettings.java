package tenon.apps.cli;

import java.util.Locale;
import tenon.engine.Generator;
import tenon.engine.Precision;
import tenon.engine.backend.Backend;
import tenon.engine.backend.cpu.CpuBackend;
import tenon.engine.backend.reference.ReferenceBackend;

/**
 * What a run computes with: {@link ComputeOptions} as a value, which a run's folder keeps.
 *
 * @param device {@code cpu} or {@code reference}
 * @param threads compute threads
 * @param precision the one asked for; see {@link #precision(Backend, Console)}
 * @param seed decides initial weights, order, augmentation and dropout
 * @param checkFinite whether every operation's result is searched for NaN and infinity
 */
public record ComputeSettings(String device, int threads, Precision precision, long seed, boolean checkFinite) {
    /** Throws unless this version can do it; cheap, so that it comes before any work. */
    public ComputeSettings {
        device = device.toLowerCase(Locale.ROOT);
        if (device.startsWith("cuda")) {
            throw new UsageException("--device " + device
                    + " is not available in this version: it computes on the CPU (--device cpu; ./tenon doctor"
                    + " shows what is there)");
        }
        if (!device.equals("cpu") && !device.equals("reference")) {
            throw new UsageException("--device must be cpu or reference: " + device);
        }
        if (threads < 1) {
            throw new UsageException("--threads must be at least 1: " + threads);
        }
    }

    /** Opens the back-end; the caller closes it. Also seeds this thread's generator. */
    public Backend open() {
        Generator.current().manualSeed(seed);
        return device.equals("cpu") ? CpuBackend.open(threads) : ReferenceBackend.open();
    }

    /** The precision to compute in: the one asked for, or fp32, with a warning, where the back-end lacks it. */
    public Precision precision(Backend backend, Console console) {
        if (precision.availableOn(backend)) {
            return precision;
        }
        console.warn("--precision " + precision + ": " + backend.name() + " has no kernels for it on this machine;"
                + " computing in " + Precision.FP32);
        return Precision.FP32;
    }
}
