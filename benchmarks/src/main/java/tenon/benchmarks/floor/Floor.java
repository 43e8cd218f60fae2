package tenon.benchmarks.floor;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.function.Supplier;
import java.util.function.ToLongFunction;
import tenon.benchmarks.Statistics;
import tenon.engine.Precision;
import tenon.engine.Scope;
import tenon.engine.Shape;
import tenon.engine.Tensor;
import tenon.engine.backend.cpu.CpuBackend;
import tenon.layers.Module;

/**
 * Times the oneDNN primitives of a network's training step: chained, which is one after the other on distinct buffers as in training, and each alone, again and again on
 * the same buffers, where caches help as they never do in training. The update is Tenon's one-pass SGD with momentum on all threads: the same by oneDNN's
 * primitives takes several passes over memory.
 */
public final class Floor {
    private static final double ALONE_SECONDS = 0.01;

    private Floor() {}

    /**
     * Measures for about {@code seconds} after two untimed steps, but at least three steps.
     *
     * @param network makes the network when called; its output is [N, classes]
     * @param input [N, H, W, C]
     * @param alone whether each primitive is also timed by itself, which takes some ten steps' time
     */
    public static FloorResult measure(
            Supplier<Module> network, Shape input, Precision precision, int threads, double seconds, boolean alone) {
        try (CpuBackend backend = CpuBackend.open(threads);
                var _ = Scope.open("floor", backend);
                OneDnn dnnl = new OneDnn(threads)) {
            Chain chain = chain(dnnl, backend, network, input, precision);
            Update update = new Update(backend, chain.parameters());
            for (int i = 0; i < 2; i++) {
                chain.run();
                update.run();
            }
            List<long[]> samples = samples(chain, update, seconds);
            List<FloorResult.Line> lines = new ArrayList<>();
            for (int i = 0; i < chain.steps().size(); i++) {
                Step step = chain.steps().get(i);
                int index = i;
                lines.add(new FloorResult.Line(
                        step.family(),
                        step.layer(),
                        step.shape(),
                        step.primitive().implementation(),
                        step.primitive().isReference(),
                        step.flops(),
                        step.bytes(),
                        median(samples, sample -> sample[index]),
                        alone ? alone(step.primitive()) : Double.NaN));
            }
            int last = chain.steps().size();
            return new FloorResult(
                    input.dim(0),
                    precision,
                    threads,
                    samples.size(),
                    median(samples, sample -> Arrays.stream(sample, 0, last).sum()),
                    median(samples, sample -> sample[last]),
                    median(samples, sample -> Arrays.stream(sample).sum()),
                    lines);
        }
    }

    static Chain chain(OneDnn dnnl, CpuBackend backend, Supplier<Module> network, Shape input, Precision precision) {
        return ChainBuilder.build(
                dnnl, new Buffers(backend), precision.dtype(), ForwardRecorder.record(network, input));
    }

    /** Nanoseconds of each primitive and, last, of the update, for each step. */
    private static List<long[]> samples(Chain chain, Update update, double seconds) {
        List<long[]> samples = new ArrayList<>();
        long begin = System.nanoTime();
        while (samples.size() < 3 || System.nanoTime() - begin < 1e9 * seconds) {
            long[] sample = new long[chain.steps().size() + 1];
            long before = System.nanoTime();
            for (int i = 0; i < sample.length; i++) {
                if (i < sample.length - 1) {
                    chain.steps().get(i).primitive().run();
                } else {
                    update.run();
                }
                long now = System.nanoTime();
                sample[i] = now - before;
                before = now;
            }
            samples.add(sample);
        }
        return samples;
    }

    private static double median(List<long[]> samples, ToLongFunction<long[]> nanos) {
        return 1e-9 * Statistics.median(samples.stream().mapToDouble(nanos::applyAsLong));
    }

    private static double alone(Primitive primitive) {
        primitive.run();
        List<long[]> samples = new ArrayList<>();
        long begin = System.nanoTime();
        while (samples.size() < 3 || System.nanoTime() - begin < 1e9 * ALONE_SECONDS) {
            long before = System.nanoTime();
            primitive.run();
            samples.add(new long[] {System.nanoTime() - before});
        }
        return median(samples, sample -> sample[0]);
    }

    /** SGD with momentum 0.9 and weight decay 5e-4; the rate is so small that the weights stay what they are. */
    private static final class Update {
        private final CpuBackend backend;
        private final Tensor[] values;
        private final Tensor[] gradients;
        private final Tensor[] velocities;
        private final float[] decays;
        private final float[] rates;

        Update(CpuBackend backend, List<Chain.Parameter> parameters) {
            this.backend = backend;
            values = parameters.stream().map(Chain.Parameter::value).toArray(Tensor[]::new);
            gradients = parameters.stream().map(Chain.Parameter::gradient).toArray(Tensor[]::new);
            velocities = parameters.stream().map(Chain.Parameter::velocity).toArray(Tensor[]::new);
            decays = new float[values.length];
            rates = new float[values.length];
            Arrays.fill(decays, 5e-4f);
            Arrays.fill(rates, 1);
        }

        void run() {
            backend.updates().sgd(values, gradients, velocities, 1e-7f, 0.9f, false, 1, null, decays, rates);
        }
    }
}
