package tenon.benchmarks.kernels;

import java.util.Collection;
import java.util.EnumMap;
import java.util.Map;
import org.openjdk.jmh.results.RunResult;
import org.openjdk.jmh.runner.Runner;
import org.openjdk.jmh.runner.RunnerException;
import org.openjdk.jmh.runner.options.ChainedOptionsBuilder;
import org.openjdk.jmh.runner.options.OptionsBuilder;
import org.openjdk.jmh.runner.options.TimeValue;
import org.openjdk.jmh.runner.options.VerboseMode;
import tenon.benchmarks.kernels.KernelBenchmark.Caches;
import tenon.engine.TenonException;
import tenon.engine.backend.Backend;

/** Runs JMH on one {@link KernelCase}. */
final class KernelRun {
    /** Larger than the last-level cache of a server's socket. */
    private static final long BEYOND_CACHES = 256L << 20;

    private static final int MOST_SETS = 512;

    private static KernelRun current;

    private final KernelCase kernelCase;
    private final Backend backend;

    private KernelRun(KernelCase kernelCase, Backend backend) {
        this.kernelCase = kernelCase;
        this.backend = backend;
    }

    static KernelRun current() {
        return current;
    }

    KernelReplay open(Caches caches) {
        return new KernelReplay(kernelCase, backend, caches == Caches.HOT ? 1 : sets());
    }

    private int sets() {
        return Math.clamp(BEYOND_CACHES / Math.max(1, kernelCase.bytes()) + 1, 1, MOST_SETS);
    }

    /**
     * Microseconds of a call, one value per iteration.
     *
     * @param milliseconds of one iteration; 0 for the annotated 200
     */
    static Map<Caches, double[]> measure(KernelCase kernelCase, Backend backend, int milliseconds) {
        current = new KernelRun(kernelCase, backend);
        // Machines without a writable temporary folder, or with another benchmark's lock in it, can measure too.
        System.setProperty("jmh.ignoreLock", "true");
        ChainedOptionsBuilder options = new OptionsBuilder()
                .include(KernelBenchmark.class.getName() + ".call")
                .verbosity(VerboseMode.SILENT)
                .shouldFailOnError(true);
        if (milliseconds > 0) {
            TimeValue time = TimeValue.milliseconds(milliseconds);
            options = options.warmupTime(time).measurementTime(time);
        }
        Map<Caches, double[]> microseconds = new EnumMap<>(Caches.class);
        try {
            Collection<RunResult> results = new Runner(options.build()).run();
            for (RunResult result : results) {
                microseconds.put(
                        Caches.valueOf(result.getParams().getParam("caches")),
                        result.getBenchmarkResults().stream()
                                .flatMap(one -> one.getIterationResults().stream())
                                .mapToDouble(iteration ->
                                        iteration.getPrimaryResult().getScore())
                                .toArray());
            }
        } catch (RunnerException e) {
            throw new TenonException("bench kernels: " + kernelCase.key() + " failed", e);
        }
        return microseconds;
    }
}
