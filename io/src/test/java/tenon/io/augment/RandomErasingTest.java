package tenon.io.augment;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;
import static tenon.io.augment.Images.NINE;
import static tenon.io.augment.Images.apply;
import static tenon.io.augment.Images.rng;
import static tenon.io.augment.Images.values;

import java.util.Arrays;
import java.util.List;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import tenon.engine.Rng;
import tenon.engine.ShapeException;

class RandomErasingTest {
    /** No value that erasing writes. */
    private static final float KEPT = 0.5f;

    private static FloatImage kept(int height, int width, int channels) {
        FloatImage image = new FloatImage().resize(height, width, channels);
        Arrays.fill(image.values(), KEPT);
        return image;
    }

    /** The smallest rectangle around what was erased. */
    private static Window erased(float[] values, int width, int channels) {
        int[] pixels = IntStream.range(0, values.length)
                .filter(i -> values[i] != KEPT)
                .map(i -> i / channels)
                .toArray();
        int top = pixels[0] / width;
        int bottom = pixels[pixels.length - 1] / width;
        int left = Arrays.stream(pixels).map(p -> p % width).min().orElseThrow();
        int right = Arrays.stream(pixels).map(p -> p % width).max().orElseThrow();
        return new Window(top, left, bottom - top + 1, right - left + 1);
    }

    @Test
    void allOfOneRectangleIsOverwrittenInEveryChannelWithBytes() {
        FloatImage image = kept(20, 30, 3);
        Rng rng = rng(4);
        int count = 0;
        double sum = 0;
        int[] seen = new int[256];
        for (int i = 0; i < 100; i++) {
            float[] out = apply(new RandomErasing(1), image, rng);
            Window window = erased(out, 30, 3);
            int changed = 0;
            for (float value : out) {
                if (value != KEPT) {
                    assertThat(value).isBetween(0f, 255f).isEqualTo((int) value);
                    changed++;
                    sum += value;
                    seen[(int) value]++;
                }
            }
            assertThat(changed).isEqualTo(window.height() * window.width() * 3);
            count += changed;
        }
        assertThat(values(image)).containsOnly(KEPT);
        // Some 30,000 values, uniform: mean 127.5 ± 73.9/√30,000, each of the bytes about 120 times.
        assertThat(count).isBetween(25_000, 37_000);
        assertThat(sum / count).isCloseTo(127.5, within(2.2));
        assertThat(Arrays.stream(seen).min().orElseThrow()).isGreaterThan(50);
    }

    /** Areas and logarithms of ratios are uniform: means (0.02 + 1/3) / 2 and (ln 0.3 + ln 3.3) / 2, deviations 0.09 and 0.69 over √600. */
    @Test
    void rectanglesKeepToAreaAndRatioAndReachEveryEdge() {
        FloatImage image = kept(100, 100, 1);
        Rng rng = rng(17);
        double areas = 0;
        double ratios = 0;
        boolean[] edges = new boolean[4];
        int count = 600;
        for (int i = 0; i < count; i++) {
            Window window = erased(apply(new RandomErasing(1), image, rng), 100, 1);
            double area = window.height() * window.width() / 1e4;
            double ratio = (double) window.width() / window.height();
            // Sides are rounded.
            assertThat(area).isBetween(0.018, 0.34);
            assertThat(ratio).isBetween(0.28, 3.5);
            areas += area / count;
            ratios += Math.log(ratio) / count;
            edges[0] |= window.top() == 0;
            edges[1] |= window.left() == 0;
            edges[2] |= window.top() + window.height() == 100;
            edges[3] |= window.left() + window.width() == 100;
        }
        assertThat(areas).isCloseTo(0.1767, within(0.015));
        assertThat(ratios).isCloseTo(-0.005, within(0.12));
        assertThat(edges).containsOnly(true);
    }

    @Test
    void asManyImagesAreErasedAsTheProbabilitySays() {
        Rng rng = rng(5);
        FloatImage image = kept(6, 6, 1);
        int changed = 0;
        for (int i = 0; i < 2000; i++) {
            assertThat(apply(new RandomErasing(0), image, rng)).containsOnly(KEPT);
            changed += Arrays.equals(apply(new RandomErasing(0.3), image, rng), values(image)) ? 0 : 1;
        }
        // Standard deviation 20.5.
        assertThat(changed).isBetween(500, 700);
    }

    /** Three quarters of nine pixels, three times as wide as high, would be four or five pixels wide. */
    @Test
    void anImageThatNoRectangleFitsStaysAsItIs() {
        assertThat(apply(new RandomErasing(1, 0.75, 1, 3, 3), NINE, rng(1))).isEqualTo(values(NINE));
    }

    @Test
    void parametersThatMakeNoSenseAreRefused() {
        for (double probability : List.of(-0.1, 1.1, Double.NaN)) {
            assertThatThrownBy(() -> new RandomErasing(probability))
                    .isInstanceOf(ShapeException.class)
                    .hasMessageContaining("probability=" + probability + ", area=0.02…");
        }
        assertThatThrownBy(() -> new RandomErasing(1, 0.3, 0.2, 1, 1)).isInstanceOf(ShapeException.class);
        assertThatThrownBy(() -> new RandomErasing(1, 0.1, 0.2, 2, 1)).isInstanceOf(ShapeException.class);
    }
}
