package tenon.benchmarks.kernels;

import java.util.concurrent.TimeUnit;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Fork;
import org.openjdk.jmh.annotations.Level;
import org.openjdk.jmh.annotations.Measurement;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Param;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.TearDown;
import org.openjdk.jmh.annotations.Warmup;

/**
 * The call that {@link KernelRun} has chosen. It runs in the process that recorded the calls, because their arguments live there: all kernels are native or
 * vectorized loops that the JVM compiles apart from each other.
 */
@State(Scope.Benchmark)
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.MICROSECONDS)
@Fork(0)
@Warmup(iterations = 2, time = 200, timeUnit = TimeUnit.MILLISECONDS)
@Measurement(iterations = 5, time = 200, timeUnit = TimeUnit.MILLISECONDS)
public class KernelBenchmark {
    /** What the caches hold when a call starts. */
    public enum Caches {
        /** The same buffers in every call. */
        HOT,
        /** Buffers in turn, together beyond the caches. */
        COLD
    }

    @Param({"HOT", "COLD"})
    public Caches caches;

    private KernelReplay replay;

    /** Made by JMH. */
    public KernelBenchmark() {}

    @Setup(Level.Trial)
    public void open() {
        replay = KernelRun.current().open(caches);
    }

    @TearDown(Level.Trial)
    public void close() {
        replay.close();
    }

    @Benchmark
    public void call() {
        replay.run();
    }
}
