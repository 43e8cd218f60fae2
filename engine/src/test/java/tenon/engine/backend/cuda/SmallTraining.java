package tenon.engine.backend.cuda;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.function.IntConsumer;
import tenon.engine.DType;
import tenon.engine.Generator;
import tenon.engine.Scope;
import tenon.engine.Shape;
import tenon.engine.Tensor;
import tenon.engine.backend.Backend;
import tenon.engine.backend.CapturedStep;
import tenon.engine.backend.Staging;
import tenon.engine.backend.StepState;
import tenon.engine.ops.Activation;
import tenon.engine.ops.BatchNormSpec;
import tenon.engine.ops.Casts;
import tenon.engine.ops.ConvSpec;
import tenon.engine.ops.Convolution;
import tenon.engine.ops.Dense;
import tenon.engine.ops.Dropout;
import tenon.engine.ops.Losses;
import tenon.engine.ops.Normalization;
import tenon.engine.ops.PoolSpec;
import tenon.engine.ops.Pooling;
import tenon.engine.ops.Reshape;

/**
 * A few training steps of a small network that use every way into the device: some steps op by op, then one that is recorded and replayed, if the back-end
 * can; batches through pinned memory on a stream of their own, if it can, into two places by turns. Equal on all back-ends but for rounding.
 */
final class SmallTraining {
    private static final int EAGER_STEPS = 3;
    private static final int STEPS = 9;
    /** Before the parameters are made. */
    static final int BEFORE = -1;
    /** Before the results are read. */
    static final int AFTER = STEPS;

    private static final int N = 4;
    private static final int SIZE = 10;
    private static final int CLASSES = 5;
    private static final float RATE = 0.2f;
    private static final float MOMENTUM = 0.9f;

    private final Backend backend;
    private final DType dtype;
    private final IntConsumer atStep;
    private final Random random = new Random(11);
    private final List<Tensor> parameters = new ArrayList<>();
    private final List<Tensor> velocities = new ArrayList<>();
    private final Tensor firstWeight;
    private final Tensor firstBias;
    private final Tensor gamma;
    private final Tensor beta;
    private final Tensor mean;
    private final Tensor variance;
    private final Tensor secondWeight;
    private final Tensor denseWeight;
    private final Tensor denseBias;
    private final Tensor[] input = new Tensor[2];
    private final Tensor[] target = new Tensor[2];
    /** Where every step, recorded ones included, puts its loss. */
    private final Tensor lastLoss;

    private final Tensor[] losses = new Tensor[STEPS];
    private final List<Double> seen = new ArrayList<>();

    private SmallTraining(Backend backend, DType dtype, IntConsumer atStep) {
        this.backend = backend;
        this.dtype = dtype;
        this.atStep = atStep;
        atStep.accept(BEFORE);
        firstWeight = parameter(0.4, 8, 3, 3, 3);
        firstBias = parameter(0.4, 8);
        gamma = parameter(1, 8);
        beta = parameter(0.4, 8);
        secondWeight = parameter(0.2, 12, 3, 3, 8);
        denseWeight = parameter(0.3, CLASSES, 12);
        denseBias = parameter(0.3, CLASSES);
        mean = Tensor.zeros(Shape.of(8), DType.F32);
        variance = Tensor.full(Shape.of(8), DType.F32, 1);
        for (int i = 0; i < 2; i++) {
            input[i] = Tensor.empty(Shape.of(N, SIZE, SIZE, 3), DType.F32);
            target[i] = Tensor.empty(Shape.of(N), DType.I32);
        }
        lastLoss = Tensor.zeros(Shape.of(), DType.F32);
        for (int i = 0; i < STEPS; i++) {
            losses[i] = Tensor.empty(Shape.of(), DType.F32);
        }
    }

    /**
     * Losses of all steps, then running statistics and weights.
     *
     * @param atStep called before each step with its number, with {@link #BEFORE} and with {@link #AFTER}
     */
    static double[] run(Backend backend, DType dtype, IntConsumer atStep) {
        Generator.current().manualSeed(3);
        try (Scope _ = Scope.open("training", backend)) {
            SmallTraining training = new SmallTraining(backend, dtype, atStep);
            if (backend.staging() != null) {
                training.trainStaged(backend.staging());
            } else {
                training.trainPlain();
            }
            return training.seen.stream().mapToDouble(Double::doubleValue).toArray();
        }
    }

    private Tensor parameter(double spread, int... dims) {
        float[] values = values(dims);
        for (int i = 0; i < values.length; i++) {
            values[i] *= (float) spread;
        }
        Tensor parameter = Tensor.of(values, dims).requireGrad(true);
        parameters.add(parameter);
        velocities.add(Tensor.zeros(parameter.shape(), DType.F32));
        return parameter;
    }

    private float[] values(int... dims) {
        float[] values = new float[(int) Shape.of(dims).elementCount()];
        for (int i = 0; i < values.length; i++) {
            values[i] = (float) random.nextGaussian();
        }
        return values;
    }

    private int[] labels() {
        return random.ints(N, 0, CLASSES).toArray();
    }

    private void trainPlain() {
        for (int step = 0; step < STEPS; step++) {
            int place = step % 2;
            atStep.accept(step);
            input[place].upload(values(N, SIZE, SIZE, 3));
            target[place].upload(MemorySegment.ofArray(labels()));
            eagerStep(step, place);
        }
        readResults();
    }

    // ---- with transfers beside the computation ----

    /** Batch i + 1 is on its way while step i computes. */
    private void trainStaged(Staging staging) {
        MemorySegment[] pinnedInput = new MemorySegment[2];
        MemorySegment[] pinnedTarget = new MemorySegment[2];
        Staging.Transfer[] inputs = new Staging.Transfer[2];
        Staging.Transfer[] targets = new Staging.Transfer[2];
        Staging.Mark[] used = new Staging.Mark[2];
        for (int i = 0; i < 2; i++) {
            pinnedInput[i] = staging.hostBuffer(input[i].byteSize());
            pinnedTarget[i] = staging.hostBuffer(target[i].byteSize());
            inputs[i] = staging.transfer();
            targets[i] = staging.transfer();
            used[i] = staging.mark();
        }
        CapturedStep[] recorded = new CapturedStep[2];
        try {
            int steps = STEPS;
            for (int step = -1; step < steps; step++) {
                int next = (step + 1) % 2;
                if (step >= 0) {
                    atStep.accept(step);
                }
                if (step + 1 < steps) {
                    inputs[next].awaitOnHost();
                    targets[next].awaitOnHost();
                    MemorySegment.copy(
                            MemorySegment.ofArray(values(N, SIZE, SIZE, 3)),
                            0,
                            pinnedInput[next],
                            0,
                            pinnedInput[next].byteSize());
                    MemorySegment.copy(
                            MemorySegment.ofArray(labels()),
                            ValueLayout.JAVA_INT,
                            0,
                            pinnedTarget[next],
                            ValueLayout.JAVA_INT,
                            0,
                            N);
                    inputs[next].upload(pinnedInput[next], input[next], used[next]);
                    targets[next].upload(pinnedTarget[next], target[next], used[next]);
                }
                if (step >= 0) {
                    int place = step % 2;
                    inputs[place].awaitOnDevice();
                    targets[place].awaitOnDevice();
                    if (step < EAGER_STEPS || backend.capture() == null) {
                        eagerStep(step, place);
                    } else {
                        recordedStep(recorded, step, place);
                    }
                    used[place].record();
                }
            }
            readResults();
        } finally {
            for (int i = 0; i < 2; i++) {
                if (recorded[i] != null) {
                    recorded[i].close();
                }
                inputs[i].close();
                targets[i].close();
                used[i].close();
                staging.free(pinnedInput[i]);
                staging.free(pinnedTarget[i]);
            }
        }
    }

    private void recordedStep(CapturedStep[] recorded, int step, int place) {
        StepState state = new StepState(rate(step), step, step + 1);
        if (recorded[place] == null) {
            recorded[place] = backend.capture().record(state, () -> compute(step, place));
        }
        recorded[place].replay(state);
        losses[step].copyFrom(lastLoss);
    }

    // ---- a step ----

    private void eagerStep(int step, int place) {
        compute(step, place);
        losses[step].copyFrom(lastLoss);
    }

    private static float rate(int step) {
        return RATE / (1 + step);
    }

    private void compute(int step, int place) {
        Generator.current().beginStep(step);
        try (Scope _ = Scope.open("step", backend)) {
            Tensor x = Casts.cast(input[place], dtype);
            x = Convolution.conv2d(x, firstWeight, firstBias, ConvSpec.of(1, 1));
            x = Normalization.batchNorm(
                    x, gamma, beta, mean, variance, BatchNormSpec.defaults().withActivation(Activation.RELU), true);
            x = Pooling.maxPool2d(x, PoolSpec.of(2, 2));
            x = Convolution.conv2d(x, secondWeight, null, ConvSpec.of(1, 1), Activation.RELU);
            x = Dropout.dropout(x, 0.2);
            x = Reshape.flatten(Pooling.globalAvgPool2d(x));
            x = Dense.dense(x, denseWeight, denseBias);
            Tensor loss = Losses.softmaxCrossEntropy(Casts.cast(x, DType.F32), target[place]);
            lastLoss.copyFrom(loss);
            parameters.forEach(Tensor::zeroGrad);
            loss.backward();
            update(step);
        }
    }

    private void update(int step) {
        int n = parameters.size();
        float[] decay = new float[n];
        float[] scale = new float[n];
        Tensor[] gradients = new Tensor[n];
        for (int i = 0; i < n; i++) {
            decay[i] = i % 2 * 0.01f;
            scale[i] = 1;
            gradients[i] = parameters.get(i).grad();
        }
        backend.updates()
                .sgd(
                        parameters.toArray(Tensor[]::new),
                        gradients,
                        velocities.toArray(Tensor[]::new),
                        rate(step),
                        MOMENTUM,
                        false,
                        1,
                        null,
                        decay,
                        scale);
    }

    private void readResults() {
        atStep.accept(AFTER);
        for (Tensor loss : losses) {
            read(loss);
        }
        read(mean);
        read(variance);
        parameters.forEach(this::read);
    }

    private void read(Tensor tensor) {
        for (double value : tensor.toDoubleArray()) {
            seen.add(value);
        }
    }
}
