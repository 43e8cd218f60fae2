package tenon.benchmarks;

import java.util.Locale;
import java.util.Map;
import java.util.Random;
import tenon.apps.networks.MiniVggNet;
import tenon.engine.DType;
import tenon.engine.Scope;
import tenon.engine.Shape;
import tenon.engine.Tensor;
import tenon.engine.backend.cpu.CpuBackend;

/** Where the training step of MiniVGGNet spends its time on the CPU back-end: one line per kernel and shape, most expensive first. */
public final class OpProfile {
    private OpProfile() {}

    /** Arguments: image side, channels, batch, steps (half as many go before, untimed), threads. */
    public static void main(String[] arguments) {
        if (arguments.length != 5) {
            System.err.println("wanted: SIDE CHANNELS BATCH STEPS THREADS");
            System.exit(2);
        }
        int[] numbers = new int[5];
        for (int i = 0; i < numbers.length; i++) {
            numbers[i] = Integer.parseInt(arguments[i]);
        }
        run(numbers[0], numbers[1], numbers[2], numbers[3], numbers[4]);
    }

    static void run(int side, int channels, int batch, int steps, int threads) {
        try (CpuBackend cpu = CpuBackend.open(threads)) {
            TimedBackend timed = new TimedBackend(cpu);
            try (var _ = Scope.open("model", timed.backend())) {
                TenonTraining training = new TenonTraining(new MiniVggNet(side, side, channels, 10), 0.01, 0.9, 5e-4);
                training.batch(noise(Shape.of(batch, side, side, channels)), Tensor.of(new int[batch], batch));
                for (int i = 0; i < steps / 2; i++) {
                    step(training);
                }
                timed.reset();
                long start = System.nanoTime();
                for (int i = 0; i < steps; i++) {
                    step(training);
                }
                print(timed, System.nanoTime() - start, steps);
            }
        }
    }

    private static void step(TenonTraining training) {
        training.forward();
        training.backward();
        training.update();
    }

    private static Tensor noise(Shape shape) {
        float[] values = new float[(int) shape.elementCount()];
        Random random = new Random(1);
        for (int i = 0; i < values.length; i++) {
            values[i] = (float) random.nextGaussian();
        }
        Tensor tensor = Tensor.empty(shape, DType.F32);
        tensor.upload(values);
        return tensor;
    }

    private static void print(TimedBackend timed, long total, int steps) {
        System.out.printf("%10s %6s %6s  %s%n", "ms/step", "share", "calls", "kernel, largest tensor");
        long kernels = 0;
        for (Map.Entry<String, TimedBackend.Entry> entry : timed.entries()) {
            TimedBackend.Entry value = entry.getValue();
            kernels += value.nanos;
            line(value.nanos, total, steps, Long.toString(value.calls / steps), entry.getKey());
        }
        line(total - kernels, total, steps, "", "outside kernels: layers, tape, allocator, timing");
        line(total, total, steps, "", "whole step");
    }

    private static void line(long nanos, long total, int steps, String calls, String what) {
        System.out.printf(
                Locale.ROOT, "%10.3f %5.1f%% %6s  %s%n", 1e-6 * nanos / steps, 100.0 * nanos / total, calls, what);
    }
}
