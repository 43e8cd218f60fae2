package tenon.engine.ops;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static tenon.engine.testing.TensorAssert.assertValues;

import org.junit.jupiter.api.Test;
import tenon.engine.DType;
import tenon.engine.Shape;
import tenon.engine.ShapeException;
import tenon.engine.Tensor;
import tenon.engine.backend.OpKind;
import tenon.engine.testing.BackendContract;
import tenon.engine.testing.Input;
import tenon.engine.testing.OpCase;
import tenon.engine.testing.Tensors;

abstract class ReshapeContract extends BackendContract {
    @Test
    void gradientsAreRight() {
        verify(new OpCase(
                OpKind.ADD,
                1,
                in -> Reshape.reshape(Arithmetic.add(in[0], in[1]), Shape.of(3, 2)),
                Input.random(2, 3),
                Input.random(3)));
        verify(new OpCase(
                OpKind.ADD,
                4,
                in -> Arithmetic.add(Reshape.flatten(in[0]), Reshape.reshape(in[0], Shape.of(2, 12))),
                Input.random(2, 2, 2, 3)));
        verify(new OpCase(OpKind.ADD, 1, in -> Reshape.flatten(in[0]), Input.random(1, 1)));
    }

    @Test
    void sharesMemoryAndClosesIndependently() {
        Tensor x = Tensor.of(new float[] {1, 2, 3, 4, 5, 6}, 2, 3);
        Tensor y = Reshape.reshape(x, Shape.of(6));
        assertThat(y.sharesMemoryWith(x)).isTrue();
        x.close();
        assertValues(y, 1, 2, 3, 4, 5, 6);
    }

    @Test
    void gradientOfAnIntermediateViewFlowsBack() {
        Tensor x = Tensors.leaf(new double[] {1, 2, 3, 4}, 2, 2);
        Tensor doubled = Arithmetic.scale(x, 2);
        Tensor flat = Reshape.reshape(doubled, Shape.of(4));
        Arithmetic.sum(Arithmetic.add(Arithmetic.mul(flat, flat), Reshape.reshape(doubled, Shape.of(1, 4))))
                .backward();
        // d/dx Σ (2x)² + 2x = 8x + 2
        assertValues(x.grad(), 10, 18, 26, 34);
    }

    @Test
    void flattenKeepsTheBatch() {
        Tensor x = Tensor.zeros(Shape.of(2, 3, 4, 5), DType.F32);
        assertThat(Reshape.flatten(x).shape()).isEqualTo(Shape.of(2, 60));
        assertThat(Reshape.flatten(Tensor.zeros(Shape.of(7), DType.F32)).shape())
                .isEqualTo(Shape.of(7, 1));
        assertThat(Reshape.flatten(Tensor.zeros(Shape.of(0, 4), DType.F32)).shape())
                .isEqualTo(Shape.of(0, 4));
    }

    @Test
    void wrongShapesSayWhatMustHold() {
        Tensor x = Tensor.zeros(Shape.of(2, 3), DType.F32);
        assertThatThrownBy(() -> Reshape.reshape(x, Shape.of(4)))
                .isInstanceOf(ShapeException.class)
                .hasMessage("reshape: the element count must stay the same: from=[2, 3] (6), to=[4] (4)");
        assertThatThrownBy(() -> Reshape.flatten(Tensor.zeros(Shape.scalar(), DType.F32)))
                .isInstanceOf(ShapeException.class)
                .hasMessage("flatten: input must have a batch dimension: input=[]");
    }
}
