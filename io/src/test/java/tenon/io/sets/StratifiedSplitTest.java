package tenon.io.sets;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.Arrays;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

class StratifiedSplitTest {
    /** Class c occurs sizes[c] times, class after class. */
    private static int[] labels(int... sizes) {
        return IntStream.range(0, sizes.length)
                .flatMap(c -> IntStream.generate(() -> c).limit(sizes[c]))
                .toArray();
    }

    private static int[] perClass(int[] labels, int[] drawn, int classes) {
        int[] counts = new int[classes];
        for (int i : drawn) {
            counts[labels[i]]++;
        }
        return counts;
    }

    @Test
    void bothPartsMakeTheWholeInRandomOrder() {
        int[] labels = labels(40, 30, 30);
        StratifiedSplit split = StratifiedSplit.of(labels, 3, 20, 42);
        int[] all = IntStream.concat(IntStream.of(split.rest()), IntStream.of(split.drawn()))
                .toArray();
        assertThat(split.drawn()).hasSize(20).isNotEqualTo(sorted(split.drawn()));
        assertThat(split.rest()).isNotEqualTo(sorted(split.rest()));
        assertThat(sorted(all)).isEqualTo(IntStream.range(0, 100).toArray());
        assertThat(perClass(labels, split.drawn(), 3)).containsExactly(8, 6, 6);
    }

    private static int[] sorted(int[] values) {
        int[] copy = values.clone();
        Arrays.sort(copy);
        return copy;
    }

    @Test
    void theLargestRemaindersGetWhatIsLeft() {
        // 10 of 35: shares 10·(7, 11, 17) / 35 = 2, 3 1/7, 4 6/7; the one left over goes to the last class.
        int[] labels = labels(7, 11, 17);
        assertThat(perClass(labels, StratifiedSplit.of(labels, 3, 10, 1).drawn(), 3))
                .containsExactly(2, 3, 5);
    }

    @Test
    void tiesAreBrokenAtRandom() {
        // One of 3·2: each class is as likely as the others.
        int[] labels = labels(2, 2, 2);
        int[] wins = new int[3];
        for (int seed = 0; seed < 300; seed++) {
            wins[labels[StratifiedSplit.of(labels, 3, 1, seed).drawn()[0]]]++;
        }
        assertThat(IntStream.of(wins)).allMatch(count -> count > 60 && count < 140);
    }

    @Test
    void theSeedDecides() {
        int[] labels = labels(500, 400);
        StratifiedSplit first = StratifiedSplit.of(labels, 2, 100, 42);
        StratifiedSplit again = StratifiedSplit.of(labels, 2, 100, 42);
        assertThat(again.drawn()).isEqualTo(first.drawn());
        assertThat(again.rest()).isEqualTo(first.rest());
        assertThat(StratifiedSplit.of(labels, 2, 100, 43).drawn()).isNotEqualTo(first.drawn());
    }

    /** As many classes and images as ILSVRC: a class of 732 images gives 28 or 29, one of 1300 gives 50 or 51. */
    @Test
    void realSizesStayWithinOneOfTheirShare() {
        int[] sizes = new int[1000];
        Arrays.fill(sizes, 1300);
        // 104 classes have fewer, so that there are 1,281,167 images.
        int surplus = 1000 * 1300 - 1_281_167;
        for (int c = 0; surplus > 0; c += 9) {
            int less = Math.min(surplus, 568);
            sizes[c] -= less;
            surplus -= less;
        }
        int[] labels = labels(sizes);
        StratifiedSplit split = StratifiedSplit.of(labels, 1000, 50_000, 42);
        assertThat(split.rest()).hasSize(1_231_167);
        int[] drawn = perClass(labels, split.drawn(), 1000);
        for (int c = 0; c < 1000; c++) {
            assertThat(Math.abs(drawn[c] - 50_000.0 * sizes[c] / 1_281_167)).isLessThan(1);
        }
        assertThat(sizes[0]).isEqualTo(732);
        assertThat(drawn[0]).isBetween(28, 29);
        assertThat(drawn[1]).isBetween(50, 51);
    }

    @Test
    void whatCannotBeDrawnIsRefused() {
        assertThatThrownBy(() -> StratifiedSplit.of(labels(2, 3), 2, 5, 1))
                .hasMessage("stratified split: the number to draw must lie in [1, 5), the number of images: given=5");
        assertThatThrownBy(() -> StratifiedSplit.of(labels(2, 3), 2, 0, 1)).hasMessageContaining("given=0");
    }
}
