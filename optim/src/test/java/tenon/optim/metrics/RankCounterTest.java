package tenon.optim.metrics;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import tenon.engine.DType;
import tenon.engine.Scope;
import tenon.engine.Shape;
import tenon.engine.Tensor;
import tenon.engine.backend.Backend;
import tenon.engine.backend.reference.ReferenceBackend;

class RankCounterTest {
    private Backend backend;
    private Scope scope;

    @BeforeEach
    void open() {
        backend = ReferenceBackend.open();
        scope = Scope.open("test", backend);
    }

    @AfterEach
    void close() {
        scope.close();
        backend.close();
    }

    @Test
    void countsRank1AndRank5() {
        RankCounter counter = new RankCounter();
        assertThat(counter.rank1()).isNaN();
        float[] scores = {6, 5, 4, 3, 2, 1, 0};
        float[] three = new float[21];
        for (int row = 0; row < 3; row++) {
            System.arraycopy(scores, 0, three, row * 7, 7);
        }
        // Best first is class 0: right at once, right within five, wrong.
        assertThat(counter.add(Tensor.of(three, 3, 7), Tensor.of(new int[] {0, 4, 5}, 3)))
                .isTrue();
        assertThat(counter.rank1()).isEqualTo(1.0 / 3);
        assertThat(counter.rank5()).isEqualTo(2.0 / 3);
        assertThat(counter.predicted(2)).isZero();
        assertThat(counter.truth(2)).isEqualTo(5);
        counter.add(Tensor.of(scores, 1, 7), Tensor.of(new int[] {0}, 1));
        assertThat(counter.rows()).isEqualTo(1);
        assertThat(counter.samples()).isEqualTo(4);
        assertThat(counter.rank1()).isEqualTo(0.5);
    }

    @Test
    void withFewClassesEveryoneIsAmongTheBestFive() {
        RankCounter counter = new RankCounter();
        counter.add(Tensor.of(new float[] {1, 2, 3}, 1, 3), Tensor.of(new int[] {0}, 1));
        assertThat(counter.rank1()).isZero();
        assertThat(counter.rank5()).isOne();
    }

    /** One picture of each of a thousand classes: equal scores find one of them at once and five within five. */
    @Test
    void whoKnowsNothingIsRightOnceInAThousandTimesAndFiveTimesWithinFive() {
        int classes = 1000;
        RankCounter counter = new RankCounter();
        for (int from = 0; from < classes; from += 250) {
            Tensor labels = Tensor.of(IntStream.range(from, from + 250).toArray(), 250);
            counter.add(Tensor.full(Shape.of(250, classes), DType.F32, 0.5), labels);
        }
        assertThat(counter.samples()).isEqualTo(classes);
        assertThat(counter.rank1()).isEqualTo(0.001);
        assertThat(counter.rank5()).isEqualTo(0.005);
    }

    @Test
    void takesProbabilitiesAndSingleColumns() {
        RankCounter counter = new RankCounter();
        counter.add(Tensor.of(new float[] {1, 2, 5, 3}, 2, 2), Tensor.of(new float[] {0.1f, 0.9f, 0.4f, 0.6f}, 2, 2));
        assertThat(counter.rank1()).isEqualTo(0.5);
        RankCounter binary = new RankCounter();
        binary.add(Tensor.of(new float[] {1, -1, 0.2f, -3}, 4, 1), Tensor.of(new float[] {1, 1, 0, 0}, 4, 1));
        assertThat(binary.rank1()).isEqualTo(0.5);
        assertThat(binary.predicted(0)).isEqualTo(1);
    }

    @Test
    void countsNothingForRegression() {
        RankCounter counter = new RankCounter();
        assertThat(counter.add(Tensor.of(new float[] {1, 2}, 2, 1), Tensor.of(new float[] {1, 2}, 2)))
                .isFalse();
        assertThat(counter.rank1()).isNaN();
    }
}
