package tenon.engine.backend.cuda;

import static org.assertj.core.api.Assertions.assertThat;
import static tenon.engine.testing.TensorAssert.assertIdentical;

import java.lang.foreign.MemorySegment;
import java.util.Arrays;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import tenon.engine.DType;
import tenon.engine.Rng;
import tenon.engine.Scope;
import tenon.engine.Shape;
import tenon.engine.Tensor;
import tenon.engine.backend.CapturedStep;
import tenon.engine.backend.StepState;
import tenon.engine.testing.CudaTesting;
import tenon.engine.testing.Tensors;
import tenon.simulator.Simulator;

/** What the contract of updates cannot see: copies, launches and recorded steps. */
class CudaUpdatesTest {
    private static final int[] SIZES = {1, 8192, 3, 0, 8193, 31, 20_000};

    private CudaBackend backend;
    private Scope scope;

    @BeforeEach
    void open() {
        backend = CudaTesting.open();
        scope = Scope.open("test", backend);
    }

    @AfterEach
    void close() {
        if (scope != null) {
            scope.close();
            backend.close();
        }
    }

    private static Tensor[] random(int seed) {
        Tensor[] tensors = new Tensor[SIZES.length];
        for (int i = 0; i < tensors.length; i++) {
            tensors[i] = Tensors.of(DType.F32, Shape.of(SIZES[i]), values(SIZES[i], seed, i));
        }
        return tensors;
    }

    private static double[] values(int size, int seed, int stream) {
        Rng rng = new Rng(seed, stream, 0);
        double[] values = new double[size];
        for (int i = 0; i < size; i++) {
            values[i] = (float) rng.nextUniform(-1, 1);
        }
        return values;
    }

    private static float[] full(float value) {
        float[] values = new float[SIZES.length];
        Arrays.fill(values, value);
        return values;
    }

    private void sgd(Tensor[] w, Tensor[] g, Tensor[] v, float rate) {
        backend.updates().sgd(w, g, v, rate, 0.9f, false, 0.5f, null, full(0.01f), full(1));
    }

    private void adam(Tensor[] w, Tensor[] g, Tensor[] m, Tensor[] v, float rate, int t) {
        backend.updates().adam(w, g, m, v, rate, 0.9f, 0.999f, 1e-4f, t, true, 1, null, full(0.01f), full(0.5f));
    }

    private double[] copyOf(Tensor weight) {
        long copy = backend.bf16(weight);
        try (Tensor f32 = Tensor.empty(weight.shape(), DType.F32)) {
            backend.launch(backend.kernels.get("arithmetic", "cast_bf16_f32"))
                    .address(copy)
                    .address(f32.address())
                    .int64(weight.elementCount())
                    .elements(weight.elementCount());
            return f32.toDoubleArray();
        }
    }

    private static double[] rounded(Tensor weight) {
        double[] values = weight.toDoubleArray();
        for (int i = 0; i < values.length; i++) {
            values[i] = DType.bf16ToFloat(DType.floatToBf16((float) values[i]));
        }
        return values;
    }

    @Test
    void copiesOfWeightsAreWrittenInTheSamePass() {
        Tensor[] w = random(1);
        for (Tensor weight : w) {
            backend.bf16(weight);
        }
        Tensor[] v = random(2);
        sgd(w, random(3), v, 0.1f);
        Simulator simulator = CudaTesting.simulator();
        long before = simulator.calls("cuLaunchKernel");
        sgd(w, random(4), v, 0.1f);
        assertThat(simulator.calls("cuLaunchKernel") - before).isEqualTo(1);
        for (Tensor weight : w) {
            // The copy is up to date: asking for it launches nothing.
            long launches = simulator.calls("cuLaunchKernel");
            backend.bf16(weight);
            assertThat(simulator.calls("cuLaunchKernel")).isEqualTo(launches);
            assertIdentical("copy", copyOf(weight), rounded(weight));
        }
    }

    @Test
    void nothingIsSentTwice() {
        Tensor[] w = random(1);
        Tensor[] g = random(2);
        Tensor[] v = random(3);
        sgd(w, g, v, 0.1f);
        Simulator simulator = CudaTesting.simulator();
        simulator.clearCalls();
        sgd(w, g, v, 0.05f);
        // The rate alone.
        assertThat(simulator.calls("cuMemcpyHtoDAsync") + simulator.calls("cuMemcpyHtoDAsync_v2"))
                .isEqualTo(1);
        assertThat(simulator.calls("cuLaunchKernel")).isEqualTo(1);
    }

    @Test
    void otherTensorsAreNoticed() {
        Tensor[] w = random(1);
        Tensor[] expected = random(1);
        for (int step = 0; step < 3; step++) {
            backend.updates().sgd(w, random(5 + step), null, 0.1f, 0, false, 1, null, full(0), full(1));
        }
        for (int i = 0; i < w.length; i++) {
            double[] values = expected[i].toDoubleArray();
            for (int step = 0; step < 3; step++) {
                double[] g = values(SIZES[i], 5 + step, i);
                for (int j = 0; j < values.length; j++) {
                    values[j] = (float) values[j] - 0.1f * (float) g[j];
                }
            }
            double[] actual = w[i].toDoubleArray();
            for (int j = 0; j < values.length; j++) {
                assertThat(Math.abs(actual[j] - values[j])).isLessThan(1e-6);
            }
        }
    }

    @Test
    void nothingToUpdateIsNothing() {
        Tensor[] none = {};
        backend.updates().sgd(none, none, null, 0.1f, 0, false, 1, null, new float[0], new float[0]);
        Tensor[] empty = {Tensor.empty(Shape.of(0), DType.F32)};
        backend.updates().sgd(empty, empty, null, 0.1f, 0, false, 1, null, new float[1], new float[1]);
        assertThat(backend.updates().sumOfSquares(empty)).isZero();
    }

    /** Replays take rate and number of the update from their state, so they compute what calls with these values compute. */
    @Test
    void recordedUpdatesFollowTheState() {
        Tensor[] w = random(1);
        Tensor[] g = random(2);
        Tensor[] m = random(3);
        Tensor[] v = random(4);
        Tensor[] recordedW = random(1);
        Tensor[] recordedM = random(3);
        Tensor[] recordedV = random(4);
        for (Tensor[] states : new Tensor[][] {v, recordedV}) {
            for (Tensor state : states) {
                backend.multiply(state, state, state);
            }
        }
        for (Tensor weight : recordedW) {
            backend.bf16(weight);
        }
        try (CapturedStep step = backend.capture()
                .record(new StepState(0.1f, 0, 1), () -> adam(recordedW, g, recordedM, recordedV, 0.1f, 1))) {
            for (int t = 1; t <= 4; t++) {
                float rate = 0.1f / t;
                adam(w, g, m, v, rate, t);
                step.replay(new StepState(rate, t, t));
            }
            for (int i = 0; i < w.length; i++) {
                assertIdentical("weight " + i, recordedW[i].toDoubleArray(), w[i].toDoubleArray());
                assertIdentical("m " + i, recordedM[i].toDoubleArray(), m[i].toDoubleArray());
                assertIdentical("v " + i, recordedV[i].toDoubleArray(), v[i].toDoubleArray());
                assertIdentical("copy " + i, copyOf(recordedW[i]), rounded(w[i]));
            }
        }
    }

    /** A recorded step with a label out of range leaves weights and states alone, in the replays where it has one. */
    @ParameterizedTest
    @ValueSource(ints = {-1, 3, Integer.MIN_VALUE})
    void badLabelsHoldRecordedUpdatesBack(int bad) {
        Tensor[] w = random(1);
        Tensor[] g = random(2);
        Tensor[] v = random(3);
        Tensor labels = Tensor.of(new int[] {0, 1, 2, 0}, 4);
        backend.losses().findBadIndex(labels, 3);
        try (CapturedStep step = backend.capture().record(new StepState(0.1, 0, 1), () -> {
            assertThat(backend.losses().findBadIndex(labels, 3)).isEqualTo(-1);
            sgd(w, g, v, 0.1f);
        })) {
            double[] before = w[6].toDoubleArray();
            step.replay(new StepState(0.1, 0, 1));
            double[] once = w[6].toDoubleArray();
            assertThat(once).isNotEqualTo(before);
            double[] velocity = v[6].toDoubleArray();
            labels.upload(MemorySegment.ofArray(new int[] {0, 1, bad, 2}));
            step.replay(new StepState(0.1, 1, 2));
            assertIdentical("weight", w[6].toDoubleArray(), once);
            assertIdentical("velocity", v[6].toDoubleArray(), velocity);
        }
    }

    /** What a recorded step computes of a label out of range, until somebody asks for the problem: nothing is read, and the loss is NaN. */
    @Test
    void badLabelsMakeTheLossNaN() {
        Tensor logits = Tensors.of(DType.F32, Shape.of(2, 3), 1, 2, 3, 4, 5, 6);
        Tensor loss = Tensor.zeros(Shape.scalar(), DType.F32);
        for (int bad : new int[] {3, -1, Integer.MAX_VALUE}) {
            backend.losses().softmaxCrossEntropyForward(logits, Tensor.of(new int[] {1, bad}, 2), 0, loss, null);
            assertThat(loss.item()).isNaN();
        }
    }
}
