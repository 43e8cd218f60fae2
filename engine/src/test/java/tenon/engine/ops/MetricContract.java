package tenon.engine.ops;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import tenon.engine.DType;
import tenon.engine.Scope;
import tenon.engine.Shape;
import tenon.engine.ShapeException;
import tenon.engine.Tensor;
import tenon.engine.backend.Backend;
import tenon.engine.testing.BackendContract;

abstract class MetricContract extends BackendContract {
    private static final float NAN = Float.NaN;

    @Test
    void largestFirstLowerIndexFirstAmongEquals() {
        Tensor x = Tensor.of(new float[] {1, 3, 3, 2, /**/ 5, 5, 5, 5, /**/ -1, -2, -3, -4}, 3, 4);
        assertThat(Metrics.topK(x, 1).toIntArray()).containsExactly(1, 0, 0);
        assertThat(Metrics.topK(x, 3).toIntArray()).containsExactly(1, 2, 3, 0, 1, 2, 0, 1, 2);
        assertThat(Metrics.topK(x, 4).shape()).isEqualTo(Shape.of(3, 4));
        assertThat(Metrics.topK(x, 4).toIntArray()).containsExactly(1, 2, 3, 0, 0, 1, 2, 3, 0, 1, 2, 3);
    }

    @Test
    void nanIsLargest() {
        float infinity = Float.POSITIVE_INFINITY;
        Tensor x = Tensor.of(new float[] {1, NAN, infinity, NAN, /**/ -infinity, -0.0f, 0, -infinity}, 2, 4);
        assertThat(Metrics.topK(x, 4).toIntArray()).containsExactly(1, 3, 2, 0, 1, 2, 0, 3);
        assertThat(Metrics.topK(x, 2).toIntArray()).containsExactly(1, 3, 1, 2);
        assertThat(Metrics.argmax(x).toIntArray()).containsExactly(1, 1);
    }

    @Test
    void argmaxIsAVector() {
        Tensor x = Tensor.of(new float[] {0, 1, 1, 0}, 2, 2);
        assertThat(Metrics.argmax(x).shape()).isEqualTo(Shape.of(2));
        assertThat(Metrics.argmax(x).toIntArray()).containsExactly(1, 0);
        assertThat(Metrics.argmax(x).dtype()).isEqualTo(DType.I32);
    }

    @ParameterizedTest
    @CsvSource({"1,1,1", "33,17,5", "7,1000,5", "3,33,33", "129,10,2"})
    void uglySizesAreRight(int rows, int classes, int k) {
        assertThat(ranking(backend, rows, classes, k)).isEqualTo(ranking(reference, rows, classes, k));
    }

    /** Few different values, so that there are many ties. */
    private static int[] ranking(Backend on, int rows, int classes, int k) {
        try (var _ = Scope.open("ranking", on)) {
            float[] values = new float[rows * classes];
            for (int i = 0; i < values.length; i++) {
                values[i] = i * 7919 % 13;
            }
            return Metrics.topK(Tensor.of(values, rows, classes), k).toIntArray();
        }
    }

    @Test
    void wrongArgumentsSayWhatMustHold() {
        Tensor x = Tensor.zeros(Shape.of(2, 3), DType.F32);
        for (int k : new int[] {0, 4}) {
            assertThatThrownBy(() -> Metrics.topK(x, k))
                    .isInstanceOf(ShapeException.class)
                    .hasMessage("top_k: k must lie in [1, 3]: k=" + k);
        }
        assertThatThrownBy(() -> Metrics.argmax(Tensor.zeros(Shape.of(3), DType.F32)))
                .isInstanceOf(ShapeException.class)
                .hasMessage("top_k: input must be [N, C]: input=[3]");
    }
}
