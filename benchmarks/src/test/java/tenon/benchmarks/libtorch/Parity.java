package tenon.benchmarks.libtorch;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.withinPercentage;

import java.util.LinkedHashMap;
import java.util.Map;
import java.util.function.Supplier;
import java.util.random.RandomGenerator;
import java.util.random.RandomGeneratorFactory;
import org.bytedeco.javacpp.PointerScope;
import org.bytedeco.pytorch.InferenceMode;
import org.bytedeco.pytorch.global.torch.ScalarType;
import tenon.benchmarks.TenonTraining;
import tenon.engine.DType;
import tenon.engine.Generator;
import tenon.engine.GradMode;
import tenon.engine.Precision;
import tenon.engine.Scope;
import tenon.engine.Shape;
import tenon.engine.Tensor;
import tenon.engine.backend.Backend;
import tenon.engine.ops.Casts;
import tenon.layers.Dropout;
import tenon.layers.Module;

/**
 * What ten SGD steps (momentum 0.9, weight decay 5e-4, no dropout) from the same weights on the same batch of noise gave here and in libtorch.
 *
 * @param ours losses
 * @param theirs losses
 * @param start parameters and running statistics before
 * @param ourEnd and after
 */
record Parity(
        double[] ours,
        double[] theirs,
        Map<String, double[]> start,
        Map<String, double[]> ourEnd,
        Map<String, double[]> theirEnd) {
    private static final int STEPS = 10;
    // Numbers that F32 represents well enough for both sides to read the same from them.
    private static final double MOMENTUM = 0.9f;
    private static final double WEIGHT_DECAY = 5e-4f;

    /**
     * What is trained.
     *
     * @param input [H, W, C]
     */
    record Task(Supplier<? extends Module> network, Shape input, int classes, int batch, double rate) {}

    /** @param dtype F64 for the reference back-end, or F32 */
    static Parity run(Task task, Backend backend, DType dtype) {
        return run(task, backend, dtype, 21);
    }

    /** @param seed of images and labels */
    static Parity run(Task task, Backend backend, DType dtype, long seed) {
        ScalarType type = dtype == DType.F64 ? ScalarType.Double : ScalarType.Float;
        RandomGenerator random = RandomGeneratorFactory.of("L64X128MixRandom").create(seed);
        double[] ourLosses = new double[STEPS];
        double[] theirLosses = new double[STEPS];
        try (var _ = Scope.open("model", backend);
                var _ = new PointerScope()) {
            Module net = withoutDropout(task.network);
            net.convertTo(dtype);
            TorchNetwork torchNet = new TorchNetwork(net, task.input, TorchOptions.comparable(type));
            Map<String, double[]> start = torchNet.state();
            try (TenonTraining ours = new TenonTraining(net, task.rate, MOMENTUM, WEIGHT_DECAY);
                    TorchTraining theirs = new TorchTraining(torchNet, task.rate, MOMENTUM, WEIGHT_DECAY)) {
                double[] images = random.doubles(task.batch * task.input.elementCount(), -2, 2)
                        .toArray();
                int[] labels = random.ints(task.batch, 0, task.classes).toArray();
                for (int step = 0; step < STEPS; step++) {
                    ourLosses[step] = step(ours, task.input, dtype, images, labels);
                    theirLosses[step] = step(theirs, torchNet, task.input, images, labels);
                }
            }
            Map<String, double[]> end = new LinkedHashMap<>();
            net.state().forEach((name, tensor) -> end.put(name, tensor.toDoubleArray()));
            return new Parity(ourLosses, theirLosses, start, end, torchNet.state());
        }
    }

    /**
     * Largest difference between the logits here and in libtorch, both in evaluation mode and F32, over the largest logit; with statistics such as
     * training leaves.
     */
    static double outputDifference(Task task, Backend backend) {
        RandomGenerator random = RandomGeneratorFactory.of("L64X128MixRandom").create(22);
        int[] dims = {task.batch, task.input.dim(0), task.input.dim(1), task.input.dim(2)};
        try (var _ = Scope.open("model", backend);
                var _ = GradMode.noGrad();
                var _ = new PointerScope();
                var _ = new InferenceMode()) {
            Generator.current().manualSeed(1);
            Module net = task.network.get();
            randomizeNorms(net, random);
            net.eval();
            TorchNetwork torchNet = new TorchNetwork(net, task.input, TorchOptions.comparable(ScalarType.Float));
            double[] images =
                    random.doubles(Shape.of(dims).elementCount(), -2, 2).toArray();
            double[] ours =
                    net.apply(Casts.cast(Tensor.of(images, dims), DType.F32)).toDoubleArray();
            double[] theirs = TorchTensors.toArray(
                    torchNet.forward(torchNet.image(images, dims[0], dims[1], dims[2], dims[3]), false));
            double largest = 0;
            double difference = 0;
            for (int i = 0; i < ours.length; i++) {
                largest = Math.max(largest, Math.abs(theirs[i]));
                difference = Math.max(difference, Math.abs(ours[i] - theirs[i]));
                if (Double.isNaN(ours[i])) {
                    return Double.NaN;
                }
            }
            return difference / largest;
        }
    }

    private static void randomizeNorms(Module net, RandomGenerator random) {
        net.state().forEach((name, tensor) -> {
            if (!name.endsWith("weight")) {
                boolean positive = name.endsWith("runningVariance") || name.endsWith("gamma");
                double low = positive ? 0.5 : -0.5;
                float[] values = new float[(int) tensor.elementCount()];
                for (int i = 0; i < values.length; i++) {
                    values[i] = (float) (low + random.nextDouble());
                }
                tensor.upload(values);
            }
        });
    }

    /** The losses of the same steps here alone, in F32 or BF16. */
    static double[] losses(Task task, Backend backend, Precision precision) {
        RandomGenerator random = RandomGeneratorFactory.of("L64X128MixRandom").create(21);
        double[] losses = new double[STEPS];
        try (var _ = Scope.open("model", backend)) {
            Module net = withoutDropout(task.network);
            net.computeIn(precision);
            double[] images = random.doubles(task.batch * task.input.elementCount(), -2, 2)
                    .toArray();
            int[] labels = random.ints(task.batch, 0, task.classes).toArray();
            try (TenonTraining training = new TenonTraining(net, task.rate, MOMENTUM, WEIGHT_DECAY)) {
                for (int step = 0; step < STEPS; step++) {
                    losses[step] = step(training, task.input, DType.F32, images, labels);
                }
            }
        }
        return losses;
    }

    static Module withoutDropout(Supplier<? extends Module> network) {
        Generator.current().manualSeed(1);
        Module net = network.get();
        net.walk(module -> {
            if (module instanceof Dropout) {
                module.eval();
            }
        });
        return net;
    }

    private static double step(TenonTraining training, Shape input, DType dtype, double[] images, int[] labels) {
        try (var _ = Scope.open("batch")) {
            Tensor batch = Tensor.of(images, labels.length, input.dim(0), input.dim(1), input.dim(2));
            training.batch(Casts.cast(batch, dtype), Tensor.of(labels, labels.length));
            training.forward();
            training.backward();
            return training.update();
        }
    }

    private static double step(TorchTraining training, TorchNetwork net, Shape input, double[] images, int[] labels) {
        try (var _ = new PointerScope()) {
            training.batch(
                    net.image(images, labels.length, input.dim(0), input.dim(1), input.dim(2)),
                    TorchTensors.labels(labels));
            training.forward();
            training.backward();
            return training.update();
        }
    }

    Parity assertLosses(double tolerance) {
        for (int step = 0; step < STEPS; step++) {
            assertThat(ours[step])
                    .as("loss of step %d", step)
                    .isCloseTo(theirs[step], withinPercentage(100 * tolerance));
        }
        return this;
    }

    /** Of parameters and running statistics, relative to the larger of their magnitude and 0.1. */
    double largestDifference() {
        double largest = 0;
        for (String name : ourEnd.keySet()) {
            double[] actual = ourEnd.get(name);
            double[] expected = theirEnd.get(name);
            for (int i = 0; i < expected.length; i++) {
                largest = Math.max(largest, difference(actual[i], expected[i]));
            }
        }
        return largest;
    }

    private static double difference(double actual, double expected) {
        return Math.abs(actual - expected) / Math.max(0.1, Math.abs(expected));
    }

    /** Parameters and running statistics, relative to the larger of their magnitude and 0.1. */
    Parity assertStates(double tolerance) {
        assertThat(theirEnd.keySet()).containsExactlyInAnyOrderElementsOf(ourEnd.keySet());
        ourEnd.forEach((name, actual) -> {
            double[] expected = theirEnd.get(name);
            assertThat(actual).as(name).hasSameSizeAs(expected);
            for (int i = 0; i < expected.length; i++) {
                if (!(difference(actual[i], expected[i]) <= tolerance)) {
                    throw new AssertionError("%s: element %d must agree: here=%s, libtorch=%s"
                            .formatted(name, i, actual[i], expected[i]));
                }
            }
        });
        return this;
    }

    /** The movement of each tensor, in the Euclidean norm. */
    Parity assertMovements(double tolerance) {
        ourEnd.forEach((name, actual) -> {
            double movement = Math.sqrt(squares(theirEnd.get(name), start.get(name)));
            assertThat(movement).as("movement of %s", name).isPositive();
            assertThat(Math.sqrt(squares(actual, theirEnd.get(name))) / movement)
                    .as("difference of %s over its movement", name)
                    .isLessThanOrEqualTo(tolerance);
        });
        return this;
    }

    /** Difference of all parameters over their movement, in the Euclidean norm. */
    double differenceOverMovement() {
        double difference = 0;
        double movement = 0;
        for (String name : ourEnd.keySet()) {
            if (name.contains(".running")) {
                continue;
            }
            difference += squares(ourEnd.get(name), theirEnd.get(name));
            movement += squares(theirEnd.get(name), start.get(name));
        }
        return Math.sqrt(difference / movement);
    }

    private static double squares(double[] a, double[] b) {
        double sum = 0;
        for (int i = 0; i < a.length; i++) {
            sum += (a[i] - b[i]) * (a[i] - b[i]);
        }
        return sum;
    }
}
