package tenon.engine.testing;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.TestInstance;
import tenon.engine.DType;
import tenon.engine.Scope;
import tenon.engine.Shape;
import tenon.engine.backend.Backend;
import tenon.engine.backend.reference.ReferenceBackend;
import tenon.engine.testing.OpCase.Outcome;

/**
 * Base of the tests that every back-end passes: numbers computed by hand, and {@link #verify}, which holds the reference against finite
 * differences and every other back-end against the reference.
 */
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
public abstract class BackendContract {
    protected Backend backend;
    protected Backend reference;
    private Scope scope;

    protected abstract Backend open();

    @BeforeAll
    void openBackends() {
        backend = open();
        reference = ReferenceBackend.open();
    }

    @AfterAll
    void closeBackends() {
        backend.close();
        reference.close();
    }

    @BeforeEach
    void openScope() {
        scope = Scope.open("test", backend);
    }

    @AfterEach
    void closeScope() {
        scope.close();
        assertThat(reference.allocator().statistics().liveBytes())
                .as("live bytes of the reference after the test")
                .isZero();
        if (backend instanceof ReferenceBackend) {
            assertThat(backend.allocator().statistics().liveBytes())
                    .as("live bytes after the test")
                    .isZero();
        }
    }

    /** {@link #compare}, and where the back-end has F64, gradients against finite differences: for small cases. */
    protected void verify(OpCase op) {
        verify(op, 0);
    }

    /** @param intermediates additional tolerance in BF16, for ops whose intermediate results are rounded too */
    protected void verify(OpCase op, double intermediates) {
        if (backend.supports(op.kind(), DType.F64)) {
            op.checkGradients(backend);
        }
        compare(op, intermediates);
    }

    /**
     * For F32, and BF16 where supported: result and gradients agree with the reference's F64, are the same bits on a second run, the same in
     * inference, and accumulate over two backward passes.
     */
    protected void compare(OpCase op) {
        compare(op, 0);
    }

    /** What results may differ by: for back-ends whose arithmetic is not that of the dtype. */
    protected Tolerance tolerance(DType dtype, long reductionLength) {
        return Tolerance.of(dtype, reductionLength);
    }

    private void compare(OpCase op, double intermediates) {
        Outcome expected = op.run(reference, DType.F64);
        compare(op, expected, DType.F32, tolerance(DType.F32, op.reductionLength()));
        if (backend.supports(op.kind(), DType.BF16)) {
            Tolerance rounded = tolerance(DType.BF16, op.reductionLength());
            compare(
                    op,
                    expected,
                    DType.BF16,
                    new Tolerance(rounded.absolute() + intermediates, rounded.relative() + intermediates));
        }
    }

    private void compare(OpCase op, Outcome expected, DType dtype, Tolerance tolerance) {
        Outcome actual = op.run(backend, dtype);
        assertThat(actual.shape()).isEqualTo(expected.shape());
        TensorAssert.assertClose("result in " + dtype, actual.shape(), actual.output(), expected.output(), tolerance);
        TensorAssert.assertIdentical("inference in " + dtype, op.infer(backend, dtype), actual.output());
        Outcome again = op.run(backend, dtype);
        Outcome twice = op.run(backend, dtype, 2);
        TensorAssert.assertIdentical("second run in " + dtype, again.output(), actual.output());
        for (int i = 0; i < op.inputs().length; i++) {
            String what = "gradient of input " + i + " in " + dtype;
            double[] gradient = actual.gradients()[i];
            boolean trained = op.inputs()[i] != null && op.inputs()[i].trained();
            assertThat(gradient != null).as("%s is there", what).isEqualTo(trained);
            if (trained) {
                Shape shape = op.inputs()[i].shape();
                TensorAssert.assertClose(what, shape, gradient, expected.gradients()[i], tolerance);
                TensorAssert.assertIdentical(what + ", second run", again.gradients()[i], gradient);
                double[] doubled = gradient.clone();
                for (int j = 0; j < doubled.length; j++) {
                    doubled[j] *= 2;
                }
                if (dtype == DType.BF16) {
                    // A leaf that the op uses twice takes four additions, whose rounding is not that of two.
                    TensorAssert.assertClose(what + ", accumulated", shape, twice.gradients()[i], doubled, tolerance);
                } else {
                    TensorAssert.assertIdentical(what + ", accumulated", twice.gradients()[i], doubled);
                }
            }
        }
    }
}
