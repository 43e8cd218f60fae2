package tenon.engine.ops;

import static org.assertj.core.api.Assertions.assertThat;
import static tenon.engine.testing.TensorAssert.assertNear;
import static tenon.engine.testing.TensorAssert.assertValues;

import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;
import tenon.engine.DType;
import tenon.engine.Rng;
import tenon.engine.Scope;
import tenon.engine.Shape;
import tenon.engine.Tensor;
import tenon.engine.backend.Backend;
import tenon.engine.backend.UpdateKernels;
import tenon.engine.testing.BackendContract;
import tenon.engine.testing.TensorAssert;
import tenon.engine.testing.Tensors;
import tenon.engine.testing.Tolerance;

/** Optimizer kernels: two steps by hand, and many against the reference. */
abstract class UpdateContract extends BackendContract {
    private static final float[] NO_DECAY = {0};
    private static final float[] FULL_RATE = {1};

    private static Tensor[] one(double value) {
        return new Tensor[] {Tensors.of(DType.F32, Shape.of(1), value)};
    }

    @Test
    void plainSgdByHand() {
        Tensor[] w = one(1);
        for (int step = 0; step < 2; step++) {
            backend.updates().sgd(w, one(0.5), null, 0.1f, 0, false, 2, null, new float[] {0.2f}, new float[] {0.5f});
            // g = 2·0.5 + 0.2·w, w −= 0.05·g
            assertNear(w[0], step == 0 ? 0.94 : 0.8806);
        }
    }

    @Test
    void sgdWithMomentumByHand() {
        Tensor[] w = one(1);
        Tensor[] v = one(0);
        for (int step = 0; step < 2; step++) {
            backend.updates().sgd(w, one(0.5), v, 0.1f, 0.5f, false, 2, null, new float[] {0.2f}, new float[] {0.5f});
            assertNear(v[0], step == 0 ? 1.2 : 1.788);
            assertNear(w[0], step == 0 ? 0.94 : 0.8506);
        }
    }

    @Test
    void nesterovByHand() {
        Tensor[] w = one(1);
        Tensor[] v = one(0);
        for (int step = 0; step < 2; step++) {
            backend.updates().sgd(w, one(0.5), v, 0.1f, 0.5f, true, 2, null, new float[] {0.2f}, new float[] {0.5f});
            // d = g + 0.5·v
            assertNear(v[0], step == 0 ? 1.2 : 1.782);
            assertNear(w[0], step == 0 ? 0.91 : 0.80635);
        }
    }

    private void adam(
            Tensor[] w, double grad, Tensor[] m, Tensor[] v, int t, boolean decoupled, float decay, float scale) {
        backend.updates()
                .adam(
                        w,
                        one(grad),
                        m,
                        v,
                        0.1f,
                        0.5f,
                        0.75f,
                        0.5f,
                        t,
                        decoupled,
                        1,
                        null,
                        new float[] {decay},
                        new float[] {scale});
    }

    @Test
    void adamByHand() {
        Tensor[] w = one(1);
        Tensor[] m = one(0);
        Tensor[] v = one(0);
        adam(w, 2, m, v, 1, false, 0, 1);
        // m̂ = 1 / 0.5, v̂ = 1 / 0.25
        assertNear(w[0], 1 - 0.1 * 2 / 2.5);
        adam(w, -2, m, v, 2, false, 0, 1);
        // m̂ = −0.5 / 0.75, v̂ = 1.75 / 0.4375
        assertNear(m[0], -0.5);
        assertNear(v[0], 1.75);
        assertNear(w[0], 0.92 + 0.1 * (0.5 / 0.75) / 2.5);
    }

    @Test
    void adamAddsDecayToTheGradient() {
        Tensor[] w = one(1);
        Tensor[] m = one(0);
        Tensor[] v = one(0);
        adam(w, 1.5, m, v, 1, false, 0.5f, 1);
        assertNear(w[0], 0.92);
        adam(w, -2.46, m, v, 2, false, 0.5f, 1);
        assertNear(w[0], 0.92 + 0.1 * (0.5 / 0.75) / 2.5);
    }

    @Test
    void adamWDecaysTheWeightItself() {
        Tensor[] w = one(1);
        Tensor[] m = one(0);
        Tensor[] v = one(0);
        adam(w, 2, m, v, 1, true, 0.5f, 1);
        assertNear(w[0], 0.95 - 0.08);
        adam(w, -2, m, v, 2, true, 0.5f, 1);
        assertNear(w[0], 0.87 * 0.95 + 0.1 * (0.5 / 0.75) / 2.5);
        Tensor[] slow = one(1);
        adam(slow, 2, one(0), one(0), 1, true, 0.5f, 0.5f);
        assertNear(slow[0], 0.975 - 0.04);
    }

    @Test
    void rmspropByHand() {
        Tensor[] w = one(1);
        Tensor[] s = one(0);
        backend.updates().rmsprop(w, one(2), s, null, 0.1f, 0.75f, 0.5f, 0, 1, null, NO_DECAY, FULL_RATE);
        assertNear(s[0], 1);
        assertNear(w[0], 1 - 0.1 * 2 / 1.5);
        backend.updates().rmsprop(w, one(-3), s, null, 0.1f, 0.75f, 0.5f, 0, 1, null, NO_DECAY, FULL_RATE);
        assertNear(s[0], 3);
        assertNear(w[0], 1 - 0.1 * 2 / 1.5 + 0.1 * 3 / (Math.sqrt(3) + 0.5));
    }

    @Test
    void rmspropWithMomentumByHand() {
        Tensor[] w = one(1);
        Tensor[] s = one(0);
        Tensor[] b = one(0);
        double d1 = 2 / 1.5;
        double d2 = -3 / (Math.sqrt(3) + 0.5);
        backend.updates().rmsprop(w, one(2), s, b, 0.1f, 0.75f, 0.5f, 0.5f, 1, null, NO_DECAY, FULL_RATE);
        assertNear(b[0], d1);
        assertNear(w[0], 1 - 0.1 * d1);
        backend.updates().rmsprop(w, one(-3), s, b, 0.1f, 0.75f, 0.5f, 0.5f, 1, null, NO_DECAY, FULL_RATE);
        assertNear(b[0], 0.5 * d1 + d2);
        assertNear(w[0], 1 - 0.1 * d1 - 0.1 * (0.5 * d1 + d2));
    }

    @Test
    void denormalStateBecomesZero() {
        Tensor[] v = one(2e-38);
        backend.updates().sgd(one(1), one(0), v, 0.1f, 0.5f, false, 1, null, NO_DECAY, FULL_RATE);
        assertValues(v[0], 0);
        Tensor[] m = one(-2e-38);
        Tensor[] square = one(1.5e-38);
        adam(one(1), 0, m, square, 1, false, 0, 1);
        assertValues(m[0], 0);
        assertValues(square[0], 0);
        Tensor[] s = one(1.5e-38);
        Tensor[] b = one(2e-38);
        backend.updates().rmsprop(one(1), one(0), s, b, 0.1f, 0.75f, 0.5f, 0.5f, 1, null, NO_DECAY, FULL_RATE);
        assertValues(s[0], 0);
        assertValues(b[0], 0);
    }

    /** One kernel with typical settings; states are the arrays after weight and gradient. */
    enum Rule {
        SGD,
        SGD_MOMENTUM,
        NESTEROV,
        ADAM,
        ADAM_W,
        RMSPROP,
        RMSPROP_MOMENTUM;

        void apply(
                UpdateKernels kernels,
                Tensor[] w,
                Tensor[] g,
                Tensor[] s,
                Tensor[] u,
                int t,
                Tensor clip,
                float[] decay,
                float[] scale) {
            switch (this) {
                case SGD -> kernels.sgd(w, g, null, 0.1f, 0, false, 0.5f, clip, decay, scale);
                case SGD_MOMENTUM -> kernels.sgd(w, g, s, 0.1f, 0.9f, false, 0.5f, clip, decay, scale);
                case NESTEROV -> kernels.sgd(w, g, s, 0.1f, 0.9f, true, 0.5f, clip, decay, scale);
                case ADAM -> kernels.adam(w, g, s, u, 0.01f, 0.9f, 0.999f, 1e-4f, t, false, 0.5f, clip, decay, scale);
                case ADAM_W -> kernels.adam(w, g, s, u, 0.01f, 0.9f, 0.999f, 1e-4f, t, true, 0.5f, clip, decay, scale);
                case RMSPROP -> kernels.rmsprop(w, g, u, null, 0.01f, 0.9f, 1e-3f, 0, 0.5f, clip, decay, scale);
                case RMSPROP_MOMENTUM ->
                    kernels.rmsprop(w, g, u, s, 0.01f, 0.9f, 1e-3f, 0.9f, 0.5f, clip, decay, scale);
            }
        }
    }

    @ParameterizedTest
    @EnumSource
    void uglySizesFollowTheReferenceForThreeSteps(Rule rule) {
        List<double[]> actual = steps(backend, rule, Double.POSITIVE_INFINITY);
        List<double[]> expected = steps(reference, rule, Double.POSITIVE_INFINITY);
        List<double[]> again = steps(backend, rule, Double.POSITIVE_INFINITY);
        for (int i = 0; i < actual.size(); i++) {
            Shape shape = Shape.of(actual.get(i).length);
            TensorAssert.assertClose("array " + i, shape, actual.get(i), expected.get(i), Tolerance.of(DType.F32, 32));
            TensorAssert.assertIdentical("array " + i + ", second run", again.get(i), actual.get(i));
        }
    }

    /** The joint norm of some hundred thousand gradients is about 180. */
    @ParameterizedTest
    @EnumSource
    void clippedGradientsFollowTheReferenceForThreeSteps(Rule rule) {
        List<double[]> actual = steps(backend, rule, 70);
        List<double[]> expected = steps(reference, rule, 70);
        List<double[]> free = steps(reference, rule, Double.POSITIVE_INFINITY);
        for (int i = 0; i < actual.size(); i++) {
            Shape shape = Shape.of(actual.get(i).length);
            TensorAssert.assertClose("array " + i, shape, actual.get(i), expected.get(i), Tolerance.of(DType.F32, 32));
        }
        assertThat(expected.get(1)).as("clipping makes a difference").isNotEqualTo(free.get(1));
    }

    @Test
    void clipFactorsByHand() {
        Tensor[] grad = {
            Tensors.of(DType.F32, Shape.of(2), 3, -4),
            Tensor.empty(Shape.of(0), DType.F32),
            Tensors.of(DType.F32, Shape.of(1, 1), 12)
        };
        Tensor clip = Tensor.empty(Shape.of(2), DType.F32);
        backend.updates().clipFactor(grad, 1, 6.5, clip);
        assertThat(clip.toFloatArray()).containsExactly(0.5f, 13);
        backend.updates().clipFactor(grad, -0.25, 6.5, clip);
        assertThat(clip.toFloatArray()).containsExactly(-0.25f, 3.25f);
        backend.updates().clipFactor(grad, -2, 6.5, clip);
        assertThat(clip.toFloatArray()).containsExactly(-0.5f, 26);
        // A norm as large as the limit is not clipped.
        backend.updates().clipFactor(grad, 1, 13, clip);
        assertThat(clip.toFloatArray()).containsExactly(1, 13);
        backend.updates().clipFactor(new Tensor[0], 3, 1, clip);
        assertThat(clip.toFloatArray()).containsExactly(3, 0);
    }

    @ParameterizedTest
    @ValueSource(floats = {Float.NaN, Float.POSITIVE_INFINITY, Float.NEGATIVE_INFINITY})
    void aNormThatIsNotFiniteGivesNoFactor(float value) {
        Tensor grad = Tensor.zeros(Shape.of(20_000), DType.F32);
        float[] values = new float[20_000];
        values[19_998] = value;
        grad.upload(values);
        Tensor clip = Tensor.empty(Shape.of(2), DType.F32);
        backend.updates().clipFactor(new Tensor[] {grad}, 1, 1, clip);
        assertThat(clip.toFloatArray()[0]).isNaN();
        assertThat(Math.abs(clip.toFloatArray()[1])).isEqualTo(Float.valueOf(Math.abs(value)));
        // The largest gradients there are overflow nothing in F64, and the factor is no denormal number.
        values[19_998] = Float.MAX_VALUE;
        grad.upload(values);
        backend.updates().clipFactor(new Tensor[] {grad}, 1, 8, clip);
        assertThat(clip.toFloatArray()).containsExactly(8 / Float.MAX_VALUE, Float.MAX_VALUE);
    }

    /** Weights and states of several parameters after three steps, clipped to a norm unless it is infinite. */
    private static List<double[]> steps(Backend on, Rule rule, double limit) {
        Shape[] shapes = {
            Shape.of(1),
            Shape.of(33),
            Shape.of(31, 17),
            Shape.of(0),
            Shape.of(32),
            Shape.of(3, 3, 3, 5),
            Shape.of(100_003)
        };
        int n = shapes.length;
        try (var _ = Scope.open("steps", on)) {
            Tensor[] w = random(shapes, 1);
            Tensor[] s = zeros(shapes);
            Tensor[] u = zeros(shapes);
            Tensor clip = Tensor.empty(Shape.of(2), DType.F32);
            float[] decay = new float[n];
            float[] scale = new float[n];
            for (int i = 0; i < n; i++) {
                decay[i] = i % 2 == 0 ? 0 : 0.01f * i;
                scale[i] = i % 3 == 0 ? 1 : 1.0f / (i + 1);
            }
            for (int t = 1; t <= 3; t++) {
                Tensor[] g = random(shapes, 1 + t);
                if (limit < Double.POSITIVE_INFINITY) {
                    on.updates().clipFactor(g, 1, limit, clip);
                }
                rule.apply(on.updates(), w, g, s, u, t, limit < Double.POSITIVE_INFINITY ? clip : null, decay, scale);
            }
            List<double[]> results = new ArrayList<>();
            for (Tensor[] tensors : new Tensor[][] {w, s, u}) {
                for (Tensor tensor : tensors) {
                    results.add(tensor.toDoubleArray());
                }
            }
            return results;
        }
    }

    @Test
    void sumsSquaresOverAllTensors() {
        Tensor[] tensors = {
            Tensors.of(DType.F32, Shape.of(3), 1, -2, 3),
            Tensor.empty(Shape.of(0), DType.F32),
            Tensor.full(Shape.of(1000, 101), DType.F32, 0.5)
        };
        assertThat(backend.updates().sumOfSquares(tensors)).isEqualTo(14 + 101_000 * 0.25);
        assertThat(backend.updates().sumOfSquares(new Tensor[0])).isZero();
    }

    private static Tensor[] zeros(Shape[] shapes) {
        Tensor[] tensors = new Tensor[shapes.length];
        for (int i = 0; i < shapes.length; i++) {
            tensors[i] = Tensor.zeros(shapes[i], DType.F32);
        }
        return tensors;
    }

    private static Tensor[] random(Shape[] shapes, int seed) {
        Tensor[] tensors = new Tensor[shapes.length];
        for (int i = 0; i < shapes.length; i++) {
            Rng rng = new Rng(seed, i, 0);
            double[] values = new double[(int) shapes[i].elementCount()];
            for (int j = 0; j < values.length; j++) {
                values[j] = rng.nextUniform(-1, 1);
            }
            tensors[i] = Tensors.of(DType.F32, shapes[i], values);
        }
        return tensors;
    }
}
