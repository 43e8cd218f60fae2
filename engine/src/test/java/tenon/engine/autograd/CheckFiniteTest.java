package tenon.engine.autograd;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import tenon.engine.Context;
import tenon.engine.NonFiniteException;
import tenon.engine.Scope;
import tenon.engine.Tensor;
import tenon.engine.backend.reference.ReferenceBackend;
import tenon.engine.ops.Activations;
import tenon.engine.ops.Arithmetic;

class CheckFiniteTest {
    private ReferenceBackend backend;
    private Scope scope;

    @BeforeEach
    void open() {
        backend = ReferenceBackend.open();
        scope = Scope.open("step", backend);
        Autograd.setCheckFinite(true);
    }

    @AfterEach
    void close() {
        Autograd.setCheckFinite(false);
        Context.get().setPath("");
        scope.close();
        backend.close();
    }

    @Test
    void firstOpThatMakesANaNIsNamed() {
        Tensor x = Tensor.of(new float[] {1, 3e38f}, 2);
        Tensor fine = Activations.relu(x);
        Context.get().setPath("stage1.add");
        assertThatThrownBy(() -> Arithmetic.add(fine, fine))
                .isInstanceOf(NonFiniteException.class)
                .hasMessage("add 'stage1.add': produced a NaN or infinity: result=F32[2]@reference (lower the learning"
                        + " rate, clip gradients, or check the inputs)");
    }

    @Test
    void gradientsAreSearchedToo() {
        Tensor x = Tensor.of(new float[] {1e-30f}, 1).requireGrad(true);
        Context.get().setPath("scale2");
        Tensor y = Arithmetic.scale(x, 1e20);
        Context.get().setPath("");
        assertThatThrownBy(() -> y.backward(Tensor.of(new float[] {1e20f}, 1)))
                .isInstanceOf(NonFiniteException.class)
                .hasMessageStartingWith("backward of scale 'scale2': produced a NaN or infinity");
    }

    @Test
    void isOffUnlessAsked() {
        Autograd.setCheckFinite(false);
        Tensor x = Tensor.of(new float[] {Float.NaN}, 1);
        assertThat(Activations.relu(x).toFloatArray()[0]).isNaN();
    }
}
