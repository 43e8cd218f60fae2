package tenon.io.data;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.Arrays;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import tenon.engine.Rng;
import tenon.engine.ShapeException;

class ShuffleTest {
    private static final int COUNT = 20_000;

    private static int[] order(Shuffle shuffle, int count, int epoch) {
        int[] order = IntStream.range(0, count).toArray();
        shuffle.apply(order, new Rng(7, Rng.stream("shuffle"), epoch));
        return order;
    }

    @Test
    void everyOrderIsAPermutationOfSeedAndEpoch() {
        for (Shuffle shuffle : new Shuffle[] {Shuffle.FULL, Shuffle.segments(10, 3), Shuffle.segments(300, 2)}) {
            int[] order = order(shuffle, 1003, 0);
            assertThat(order(shuffle, 1003, 0)).isEqualTo(order);
            assertThat(order(shuffle, 1003, 1)).isNotEqualTo(order);
            assertThat(IntStream.of(order).sorted().toArray())
                    .isEqualTo(IntStream.range(0, 1003).toArray());
        }
        assertThat(order(Shuffle.NONE, 5, 3)).containsExactly(0, 1, 2, 3, 4);
        int[] whole = IntStream.range(0, 100).toArray();
        new Rng(7, Rng.stream("shuffle"), 4).shuffle(whole);
        assertThat(order(Shuffle.FULL, 100, 4)).isEqualTo(whole);
        // One window over everything mixes as a full shuffle does, though not into the same order.
        assertThat(displacement(order(Shuffle.segments(100, 1000), COUNT, 0))).isBetween(0.32, 0.345);
    }

    @Test
    void aWindowReadsWholeSegments() {
        int[] order = order(Shuffle.segments(10, 4), 400, 0);
        for (int window = 0; window < 10; window++) {
            int[] segments = Arrays.stream(order, 40 * window, 40 * window + 40)
                    .map(sample -> sample / 10)
                    .sorted()
                    .toArray();
            assertThat(Arrays.stream(segments).distinct().count()).isEqualTo(4);
            for (int i = 0; i < 40; i += 10) {
                assertThat(segments[i]).isEqualTo(segments[i + 9]);
            }
        }
    }

    /** Mean distance of a sample from its place in the file, as a share of the file: 1/3 when every order is equally likely. */
    private static double displacement(int[] order) {
        return IntStream.range(0, order.length)
                .mapToDouble(i -> Math.abs(order[i] - i) / (double) order.length)
                .average()
                .orElseThrow();
    }

    /**
     * Classes of a file of 20 classes, one after the other, in batches of 64: their mean number. In random batches it is 20·(1 − (19/20)^64) = 19.25.
     */
    private static double classesPerBatch(int[] order) {
        int batches = COUNT / 64;
        long sum = 0;
        for (int b = 0; b < batches; b++) {
            sum += Arrays.stream(order, 64 * b, 64 * b + 64)
                    .map(sample -> sample / (COUNT / 20))
                    .distinct()
                    .count();
        }
        return (double) sum / batches;
    }

    /** Share of neighbours in a batch order that are neighbours of one segment's length in the file too; nearly 0 in a full shuffle. */
    private static double sameSegment(int[] order, int segment) {
        return IntStream.range(1, order.length)
                        .filter(i -> order[i] / segment == order[i - 1] / segment)
                        .count()
                / (double) order.length;
    }

    /** The figures that the documentation gives. */
    @Test
    void segmentsMixAsFarAsTheirNumberAndWindowsAllow() {
        int[] none = order(Shuffle.NONE, COUNT, 0);
        assertThat(displacement(none)).isZero();
        assertThat(classesPerBatch(none)).isLessThan(1.1);

        int[] full = order(Shuffle.FULL, COUNT, 0);
        assertThat(displacement(full)).isBetween(0.328, 0.339);
        assertThat(classesPerBatch(full)).isBetween(19.15, 19.35);

        // Windows of 16 segments of 100, 12 windows: samples go as far, batches have the classes of 16 segments.
        int[] wide = order(Shuffle.segments(100, 16), COUNT, 0);
        assertThat(displacement(wide)).isBetween(0.31, 0.355);
        assertThat(classesPerBatch(wide)).isBetween(10.0, 11.6);
        assertThat(sameSegment(wide, 100)).isBetween(0.05, 0.075);

        // One segment at a time: a batch has one class or two.
        int[] narrow = order(Shuffle.segments(100, 1), COUNT, 0);
        assertThat(displacement(narrow)).isBetween(0.27, 0.4);
        assertThat(classesPerBatch(narrow)).isBetween(1.0, 2.0);

        // The smaller the segments, the better the same window mixes.
        int[] fine = order(Shuffle.segments(10, 160), COUNT, 0);
        assertThat(classesPerBatch(fine)).isBetween(18.5, 19.0);
    }

    @Test
    void sizesMustBePositive() {
        assertThatThrownBy(() -> Shuffle.segments(0, 4)).isInstanceOf(ShapeException.class);
        assertThatThrownBy(() -> Shuffle.segments(4, 0)).isInstanceOf(ShapeException.class);
    }
}
