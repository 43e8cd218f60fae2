package tenon.engine;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import org.junit.jupiter.api.Test;

class ShapeTest {
    @Test
    void scalarHasOneElementAndAnyZeroMakesEmpty() {
        assertThat(Shape.scalar().rank()).isZero();
        assertThat(Shape.scalar().elementCount()).isOne();
        assertThat(Shape.of()).isEqualTo(Shape.scalar()).hasToString("[]");
        assertThat(Shape.of(2, 0, 3).elementCount()).isZero();
        assertThat(Shape.of(0).rank()).isOne();
    }

    @Test
    void vectorAndColumnDiffer() {
        assertThat(Shape.of(3)).isNotEqualTo(Shape.of(3, 1));
        assertThat(Shape.of(2, 3)).isEqualTo(Shape.of(2, 3)).hasSameHashCodeAs(Shape.of(2, 3));
        assertThat(Shape.of(2, 3)).isNotEqualTo(Shape.of(3, 2));
    }

    @Test
    void dimensionsCountFromBothEnds() {
        Shape shape = Shape.of(2, 3, 4);
        assertThat(shape.dim(0)).isEqualTo(2);
        assertThat(shape.dim(-1)).isEqualTo(4);
        assertThat(shape.withDim(-1, 7)).isEqualTo(Shape.of(2, 3, 7));
        assertThat(shape.withDim(0, 7)).isEqualTo(Shape.of(7, 3, 4));
        assertThat(shape.outerCount()).isEqualTo(6);
        assertThat(Shape.of(5).outerCount()).isEqualTo(1);
        for (int index : new int[] {3, -4}) {
            assertThatThrownBy(() -> shape.dim(index))
                    .isInstanceOf(ShapeException.class)
                    .hasMessage("shape: dimension index must lie in [-3, 3): index=" + index + ", shape=[2, 3, 4]");
        }
    }

    @Test
    void isImmutable() {
        int[] dims = {1, 2};
        Shape shape = Shape.of(dims);
        dims[0] = 9;
        shape.toArray()[1] = 9;
        assertThat(shape).isEqualTo(Shape.of(1, 2));
    }

    @Test
    void refusesNegativeDimensionsAndOverflow() {
        assertThatThrownBy(() -> Shape.of(2, -1))
                .isInstanceOf(ShapeException.class)
                .hasMessage("shape: every dimension must be at least 0: shape=[2, -1]");
        int big = Integer.MAX_VALUE;
        assertThat(Shape.of(big, big).elementCount()).isEqualTo((long) big * big);
        assertThatThrownBy(() -> Shape.of(big, big, big)).isInstanceOf(ArithmeticException.class);
    }

    @Test
    void broadcastAlignsAtTheLastDimension() {
        assertThat(broadcast(Shape.of(2, 3), Shape.of(3))).isEqualTo(Shape.of(2, 3));
        assertThat(broadcast(Shape.of(2, 1), Shape.of(1, 3))).isEqualTo(Shape.of(2, 3));
        assertThat(broadcast(Shape.scalar(), Shape.of(4))).isEqualTo(Shape.of(4));
        assertThat(broadcast(Shape.of(1), Shape.scalar())).isEqualTo(Shape.of(1));
        assertThat(broadcast(Shape.of(0, 3), Shape.of(1, 3))).isEqualTo(Shape.of(0, 3));
        assertThat(broadcast(Shape.of(4, 1, 5), Shape.of(3, 1))).isEqualTo(Shape.of(4, 3, 5));
    }

    @Test
    void refusesToBroadcastOtherSizes() {
        Context.get().setPath("block1.add");
        try {
            assertThatThrownBy(() -> broadcast(Shape.of(2, 3), Shape.of(2)))
                    .isInstanceOf(ShapeException.class)
                    .hasMessage("add 'block1.add': shapes must be equal or broadcast (aligned at the last dimension,"
                            + " sizes equal or 1): a=[2, 3], b=[2]");
        } finally {
            Context.get().setPath("");
        }
        assertThatThrownBy(() -> broadcast(Shape.of(0), Shape.of(2))).isInstanceOf(ShapeException.class);
    }

    private static Shape broadcast(Shape a, Shape b) {
        return Shape.broadcast("add", a, b);
    }
}
