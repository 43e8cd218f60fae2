package tenon.engine.backend.cuda;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.Arrays;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.Parameter;
import org.junit.jupiter.params.ParameterizedClass;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;
import tenon.engine.DType;
import tenon.engine.Scope;
import tenon.engine.Shape;
import tenon.engine.Tensor;
import tenon.engine.ops.Activation;
import tenon.engine.ops.Activations;
import tenon.engine.ops.Losses;
import tenon.engine.ops.PoolSpec;
import tenon.engine.ops.Pooling;
import tenon.engine.testing.CudaTesting;
import tenon.engine.testing.Tensors;

/** Kernels that find, keep or compare NaN and infinities do so in the strict build and in the one with approximate arithmetic. */
@ParameterizedClass
@ValueSource(booleans = {false, true})
class NonFiniteTest {
    private static final float NAN = Float.NaN;
    private static final float INFINITY = Float.POSITIVE_INFINITY;

    @Parameter
    private boolean fastMath;

    private CudaBackend backend;
    private Scope scope;

    @BeforeEach
    void open() {
        backend = CudaTesting.open(CudaTesting.options().withFastMath(fastMath));
        scope = Scope.open("test", backend);
    }

    @AfterEach
    void close() {
        scope.close();
        backend.close();
    }

    /** In the vectors and in what is left of them. */
    private static Tensor withNan(DType dtype) {
        double[] values = new double[19];
        values[3] = Double.NaN;
        values[18] = Double.NaN;
        return Tensors.of(dtype, Shape.of(19), values);
    }

    private static void assertNanKept(float[] values) {
        for (int i = 0; i < values.length; i++) {
            assertThat(Float.isNaN(values[i])).as("element %d", i).isEqualTo(i == 3 || i == 18);
        }
    }

    @Test
    void activationsKeepNan() {
        Activation[] activations = {
            Activation.RELU,
            Activation.RELU6,
            Activation.leakyRelu(0.25f),
            Activation.elu(1),
            Activation.SIGMOID,
            Activation.TANH
        };
        for (DType dtype : new DType[] {DType.F32, DType.BF16}) {
            for (Activation activation : activations) {
                assertNanKept(Activations.activate(withNan(dtype), activation).toFloatArray());
                assertNanKept(Activations.addActivation(withNan(dtype), withNan(dtype), activation)
                        .toFloatArray());
            }
        }
    }

    @Test
    void activationsOfInfinitiesAreTheirLimits() {
        Tensor x = Tensor.of(new float[] {INFINITY, -INFINITY}, 2);
        assertThat(Activations.relu(x).toFloatArray()).containsExactly(INFINITY, 0);
        assertThat(Activations.relu6(x).toFloatArray()).containsExactly(6, 0);
        assertThat(Activations.elu(x, 1).toFloatArray()).containsExactly(INFINITY, -1);
        assertThat(Activations.sigmoid(x).toFloatArray()[1]).isZero();
        assertThat(Activations.tanh(x).toFloatArray()).containsExactly(1, -1);
    }

    /** Through the sum: the maximum leaves it out. */
    @Test
    void softmaxIsNanInARowWithNan() {
        Tensor x = Tensor.of(new float[] {0, NAN, 1, 0, 2, 1}, 2, 3);
        float[] y = Losses.softmax(x).toFloatArray();
        for (int i = 0; i < 6; i++) {
            assertThat(Float.isNaN(y[i])).as("element %d", i).isEqualTo(i < 3);
        }
        assertThat(Losses.softmaxCrossEntropy(x, Tensor.of(new int[] {0, 0}, 2)).item())
                .isNaN();
        assertThat(Losses.sigmoidCrossEntropy(x, Tensor.of(new float[6], 2, 3)).item())
                .isNaN();
        assertThat(Losses.meanSquaredError(x, Tensor.of(new float[6], 2, 3)).item())
                .isNaN();
    }

    /** The gradient goes where NaN was found first. */
    @Test
    void nanWinsAMaximum() {
        Tensor x = Tensors.leaf(new double[] {1, NAN, 9, NAN}, 1, 2, 2, 1);
        Tensor y = Pooling.maxPool2d(x, PoolSpec.of(2, 2));
        y.backward(Tensor.of(new float[] {3}, 1, 1, 1, 1));
        assertThat(y.toFloatArray()[0]).isNaN();
        assertThat(x.grad().toFloatArray()).containsExactly(0, 3, 0, 0);
    }

    /** Denormal numbers are finite where they are flushed, too. */
    @ParameterizedTest
    @EnumSource(
            value = DType.class,
            names = {"F32", "BF16"})
    void finiteIsAskedOfTheBits(DType dtype) {
        double[] values = new double[19];
        Arrays.fill(values, 0x1p-130);
        values[1] = 0x1.FEp127;
        assertThat(backend.isFinite(Tensors.of(dtype, Shape.of(19), values))).isTrue();
        for (double bad : new double[] {Double.NaN, INFINITY, -INFINITY}) {
            for (int at : new int[] {3, 18}) {
                double[] damaged = values.clone();
                damaged[at] = bad;
                assertThat(backend.isFinite(Tensors.of(dtype, Shape.of(19), damaged)))
                        .isFalse();
            }
        }
    }
}
