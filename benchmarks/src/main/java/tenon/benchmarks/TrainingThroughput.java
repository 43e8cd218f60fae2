package tenon.benchmarks;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Locale;
import java.util.Random;
import org.bytedeco.pytorch.global.torch;
import org.bytedeco.pytorch.global.torch.MemoryFormat;
import org.bytedeco.pytorch.global.torch.ScalarType;
import tenon.apps.networks.MiniVggNet;
import tenon.benchmarks.libtorch.TorchNetworks;
import tenon.benchmarks.libtorch.TorchOptions;
import tenon.benchmarks.libtorch.TorchTensors;
import tenon.benchmarks.libtorch.TorchTraining;
import tenon.engine.DType;
import tenon.engine.Scope;
import tenon.engine.Shape;
import tenon.engine.Tensor;
import tenon.engine.backend.Backend;
import tenon.engine.backend.cpu.CpuBackend;
import tenon.engine.backend.reference.ReferenceBackend;
import tenon.engine.ops.BatchNormSpec;

/**
 * Times the training step of MiniVGGNet (dropout, loss and SGD with momentum and weight decay included) on one batch of noise, here or in libtorch, in
 * this process alone. {@code benchmarks/run} calls it in turn for both.
 */
public final class TrainingThroughput {
    private static final double RATE = 0.01;
    private static final double MOMENTUM = 0.9;
    private static final double WEIGHT_DECAY = 5e-4;

    private TrainingThroughput() {}

    /** Arguments: tenon, libtorch or libtorch-channels-last; image side; channels; batch; timed steps (half as many go before, untimed); threads. */
    public static void main(String[] arguments) throws IOException {
        if (arguments.length != 6) {
            System.err.println("wanted: tenon|libtorch|libtorch-channels-last SIDE CHANNELS BATCH STEPS THREADS");
            System.exit(2);
        }
        String engine = arguments[0];
        int side = Integer.parseInt(arguments[1]);
        int channels = Integer.parseInt(arguments[2]);
        int batch = Integer.parseInt(arguments[3]);
        int steps = Integer.parseInt(arguments[4]);
        int threads = Integer.parseInt(arguments[5]);
        double[] pixels =
                new Random(1).doubles((long) batch * side * side * channels).toArray();
        int[] labels = new Random(2).ints(batch, 0, 10).toArray();
        // Opening the CPU back-end sets how long OpenMP's threads spin, which is not libtorch's setting.
        try (Backend backend = engine.equals("tenon") ? CpuBackend.open(threads) : ReferenceBackend.open();
                var _ = Scope.open("model", backend)) {
            MiniVggNet net = new MiniVggNet(side, side, channels, 10);
            try (TrainingStep step = switch (engine) {
                case "tenon" -> tenon(net, pixels, labels, Shape.of(batch, side, side, channels));
                case "libtorch" -> libtorch(net, pixels, labels, side, channels, threads, MemoryFormat.Contiguous);
                case "libtorch-channels-last" ->
                    libtorch(net, pixels, labels, side, channels, threads, MemoryFormat.ChannelsLast);
                default -> throw new IllegalArgumentException("engine: " + engine);
            }) {
                report(engine, step, batch, steps);
            }
        }
    }

    private static TrainingStep tenon(MiniVggNet net, double[] pixels, int[] labels, Shape shape) {
        float[] values = new float[pixels.length];
        for (int i = 0; i < values.length; i++) {
            values[i] = (float) pixels[i];
        }
        Tensor images = Tensor.empty(shape, DType.F32);
        images.upload(values);
        TenonTraining training = new TenonTraining(net, RATE, MOMENTUM, WEIGHT_DECAY);
        training.batch(images, Tensor.of(labels, labels.length));
        return training;
    }

    private static TrainingStep libtorch(
            MiniVggNet net, double[] pixels, int[] labels, int side, int channels, int threads, MemoryFormat format) {
        torch.set_num_threads(threads);
        var twin = TorchNetworks.miniVgg(
                net,
                Shape.of(side, side, channels),
                10,
                BatchNormSpec.keras(),
                new TorchOptions(ScalarType.Float, format, true));
        TorchTraining training = new TorchTraining(twin, RATE, MOMENTUM, WEIGHT_DECAY);
        training.batch(twin.image(pixels, labels.length, side, side, channels), TorchTensors.labels(labels));
        return training;
    }

    private static void report(String engine, TrainingStep step, int batch, int steps) throws IOException {
        long[] total = new long[steps];
        long[] parts = new long[3];
        for (int i = -steps / 2; i < steps; i++) {
            long start = System.nanoTime();
            step.forward();
            long forward = System.nanoTime();
            step.backward();
            long backward = System.nanoTime();
            step.update();
            long end = System.nanoTime();
            if (i >= 0) {
                total[i] = end - start;
                parts[0] += forward - start;
                parts[1] += backward - forward;
                parts[2] += end - backward;
            }
        }
        Arrays.sort(total);
        double median = total[steps / 2] * 1e-9;
        System.out.printf(
                Locale.ROOT,
                "%-22s %6.0f images/s  median step %.2f ms  mean forward %.2f, backward %.2f, update %.2f ms  peak"
                        + " memory %d MB%n",
                engine,
                batch / median,
                1e3 * median,
                parts[0] * 1e-6 / steps,
                parts[1] * 1e-6 / steps,
                parts[2] * 1e-6 / steps,
                peakKilobytes() / 1024);
    }

    private static long peakKilobytes() throws IOException {
        for (String line : Files.readAllLines(Path.of("/proc/self/status"))) {
            if (line.startsWith("VmHWM:")) {
                return Long.parseLong(line.replaceAll("\\D", ""));
            }
        }
        return 0;
    }
}
