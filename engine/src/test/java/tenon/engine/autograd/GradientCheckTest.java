package tenon.engine.autograd;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import tenon.engine.DType;
import tenon.engine.DTypeException;
import tenon.engine.Scope;
import tenon.engine.Shape;
import tenon.engine.Tensor;
import tenon.engine.backend.reference.ReferenceBackend;
import tenon.engine.ops.Activations;
import tenon.engine.ops.Arithmetic;

class GradientCheckTest {
    private ReferenceBackend backend;
    private Scope scope;

    @BeforeEach
    void open() {
        backend = ReferenceBackend.open();
        scope = Scope.open("test", backend);
    }

    @AfterEach
    void close() {
        scope.close();
        assertThat(backend.allocator().statistics().liveBytes()).isZero();
        backend.close();
    }

    private static Tensor leaf(double... values) {
        return Tensor.of(values, values.length).requireGrad(true);
    }

    /** The identity, with a backward rule that multiplies the gradient by {@code factor[i]}. */
    private static Tensor wrong(Tensor input, double... factor) {
        Tensor output = Tensor.empty(input.shape(), input.dtype());
        output.copyFrom(input);
        return Autograd.record(
                "wrong",
                Autograd.save(input),
                output,
                Autograd.saveNothing(),
                (_, grads) ->
                        input.backend().multiply(grads.output(), Tensor.of(factor, factor.length), grads.target(0)));
    }

    @Test
    void acceptsRightGradientsAndRestoresTheInputs() {
        Tensor x = leaf(0.3, -2, 100);
        Tensor constant = Tensor.of(new double[] {1, 2, 3}, 3);
        double error = GradientCheck.check(in -> Arithmetic.mul(Activations.tanh(in[0]), in[1]), x, constant, null);
        assertThat(error).isLessThan(1e-9);
        assertThat(x.toDoubleArray()).containsExactly(0.3, -2, 100);
        assertThat(x.grad()).isNull();
        assertThat(scope.nodes()).isEmpty();
    }

    @Test
    void namesTheElementThatIsWrong() {
        Tensor x = leaf(1, 2, 3);
        assertThatThrownBy(() -> GradientCheck.check(in -> wrong(in[0], 1, 1.00001, 1), x))
                .isInstanceOf(AssertionError.class)
                .hasMessageMatching(
                        "gradient check: analytic and numeric gradient must agree within 1.0E-6: input=0 \\[3],"
                                + " element=1, analytic=-?[0-9.]+, numeric=-?[0-9.]+");
        assertThat(GradientCheck.check(in -> wrong(in[0], 1, 1.00001, 1), 1e-4, 1, x))
                .isBetween(1e-7, 1e-5);
    }

    @Test
    void errorsThatCancelInASumAreFound() {
        Tensor x = leaf(1, 2);
        assertThatThrownBy(() -> GradientCheck.check(in -> Arithmetic.sum(wrong(in[0], 0.5, 1.5)), x))
                .isInstanceOf(AssertionError.class);
    }

    @Test
    void nanIsAMismatch() {
        assertThatThrownBy(() -> GradientCheck.check(in -> wrong(in[0], Double.NaN), leaf(1)))
                .isInstanceOf(AssertionError.class)
                .hasMessageContaining("analytic=NaN");
        assertThatThrownBy(() -> GradientCheck.check(in -> Arithmetic.scale(in[0], Double.NaN), leaf(1)))
                .isInstanceOf(AssertionError.class);
    }

    @Test
    void everyTrainedInputMustBeReached() {
        Tensor x = leaf(1);
        Tensor unused = leaf(2);
        assertThatThrownBy(() -> GradientCheck.check(in -> Activations.tanh(in[0]), x, unused))
                .isInstanceOf(AssertionError.class)
                .hasMessage("gradient check: backward must reach every input that requires a gradient: input=1"
                        + " F64[1]@reference");
    }

    @Test
    void needsDoubles() {
        Tensor x = Tensor.zeros(Shape.of(1), DType.F32).requireGrad(true);
        assertThatThrownBy(() -> GradientCheck.check(in -> Activations.tanh(in[0]), x))
                .isInstanceOf(DTypeException.class)
                .hasMessageStartingWith("gradient check: inputs that require a gradient must be F64: input=0");
    }
}
