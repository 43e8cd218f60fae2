package tenon.io.augment;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static tenon.io.augment.Images.CLOSE;
import static tenon.io.augment.Images.NINE;
import static tenon.io.augment.Images.apply;
import static tenon.io.augment.Images.noise;
import static tenon.io.augment.Images.rng;
import static tenon.io.augment.Images.values;

import java.awt.Color;
import java.util.Arrays;
import org.assertj.core.data.Offset;
import org.junit.jupiter.api.Test;
import tenon.engine.Rng;
import tenon.engine.Shape;
import tenon.engine.ShapeException;

class ToneTest {
    /** Red, grey, and a dark blue. */
    private static final FloatImage THREE = FloatImage.of(1, 3, 3, 200, 0, 0, 100, 100, 100, 10, 20, 60);

    private interface Change {
        void apply(FloatImage in, FloatImage out);
    }

    private static float[] changed(FloatImage in, Change change) {
        FloatImage out = new FloatImage();
        change.apply(in, out);
        return values(out);
    }

    @Test
    void brightnessMultipliesAndStaysInRange() {
        assertThat(changed(THREE, (in, out) -> RandomBrightness.apply(in, out, 1.5f)))
                .containsExactly(new float[] {255, 0, 0, 150, 150, 150, 15, 30, 90}, CLOSE);
        assertThat(changed(THREE, (in, out) -> RandomBrightness.apply(in, out, 0)))
                .containsOnly(0);
        assertThat(changed(NINE, (in, out) -> RandomBrightness.apply(in, out, 2))[8])
                .isEqualTo(18);
    }

    @Test
    void contrastMovesAwayFromTheMeanLuma() {
        // Lumas 59.8, 100 and 21.57; mean 60.4567.
        float[] half = {130.2283f, 30.2283f, 30.2283f, 80.2283f, 80.2283f, 80.2283f, 35.2283f, 40.2283f, 60.2283f};
        assertThat(changed(THREE, (in, out) -> RandomContrast.apply(in, out, 0.5f)))
                .containsExactly(half, CLOSE);
        float[] twice = {255, 0, 0, 139.5433f, 139.5433f, 139.5433f, 0, 0, 59.5433f};
        assertThat(changed(THREE, (in, out) -> RandomContrast.apply(in, out, 2)))
                .containsExactly(twice, CLOSE);
        assertThat(changed(NINE, (in, out) -> RandomContrast.apply(in, out, 0))).containsOnly(5);
    }

    @Test
    void saturationMovesAwayFromEachPixelsOwnLuma() {
        assertThat(changed(THREE, (in, out) -> RandomSaturation.apply(in, out, 0)))
                .containsExactly(new float[] {59.8f, 59.8f, 59.8f, 100, 100, 100, 21.57f, 21.57f, 21.57f}, CLOSE);
        assertThat(changed(THREE, (in, out) -> RandomSaturation.apply(in, out, 1.5f)))
                .containsExactly(new float[] {255, 0, 0, 100, 100, 100, 4.215f, 19.215f, 79.215f}, CLOSE);
        assertThat(changed(NINE, (in, out) -> RandomSaturation.apply(in, out, 0)))
                .isEqualTo(values(NINE));
    }

    @Test
    void hueTurnsColoursAndLeavesGreyAndTheirSaturation() {
        // A third of a turn: red to green to blue.
        assertThat(changed(THREE, (in, out) -> RandomHue.apply(in, out, 1 / 3f)))
                .containsExactly(new float[] {0, 200, 0, 100, 100, 100, 60, 10, 20}, CLOSE);
        // Half a turn: complementary colours.
        assertThat(changed(THREE, (in, out) -> RandomHue.apply(in, out, -0.5f)))
                .containsExactly(new float[] {0, 200, 200, 100, 100, 100, 60, 50, 10}, CLOSE);
        assertThat(changed(NINE, (in, out) -> RandomHue.apply(in, out, 0.5f))).isEqualTo(values(NINE));
        Rng rng = rng(2);
        for (int i = 0; i < 100; i++) {
            FloatImage pixels = noise(1, 9, 3, rng);
            float[] out = apply(new RandomHue(0.5), pixels, rng);
            for (int p = 0; p < 27; p += 3) {
                float[] before = Arrays.copyOfRange(pixels.values(), p, p + 3);
                float[] after = Arrays.copyOfRange(out, p, p + 3);
                Arrays.sort(before);
                Arrays.sort(after);
                assertThat(after[0]).isCloseTo(before[0], CLOSE);
                assertThat(after[2]).isCloseTo(before[2], CLOSE);
            }
        }
    }

    @Test
    void hueAgreesWithTheJdk() {
        Rng rng = rng(8);
        for (int i = 0; i < 200; i++) {
            FloatImage pixel = noise(1, 1, 3, rng);
            float turns = (float) rng.nextUniform(-0.5, 0.5);
            float[] in = pixel.values();
            float[] hsb = Color.RGBtoHSB((int) in[0], (int) in[1], (int) in[2], null);
            Color turned = new Color(Color.HSBtoRGB(hsb[0] + turns, hsb[1], hsb[2]));
            float[] out = changed(pixel, (a, b) -> RandomHue.apply(a, b, turns));
            assertThat(out)
                    .containsExactly(
                            new float[] {turned.getRed(), turned.getGreen(), turned.getBlue()}, Offset.offset(0.6f));
        }
    }

    @Test
    void factorsKeepToTheirRangeAndAreNeverNegative() {
        FloatImage hundred = FloatImage.of(1, 1, 1, 100);
        Rng rng = rng(6);
        float low = 255;
        float high = 0;
        for (int i = 0; i < 2000; i++) {
            float value = apply(new RandomBrightness(0.4), hundred, rng)[0];
            low = Math.min(low, value);
            high = Math.max(high, value);
            assertThat(Tone.factor(3, rng)).isBetween(0f, 4f);
        }
        assertThat(low).isBetween(60f, 60.1f);
        assertThat(high).isBetween(139.9f, 140f);
    }

    @Test
    void lightingAddsOneColourAlongThePrincipalComponents() {
        FloatImage grey = FloatImage.of(1, 2, 3, 100, 100, 100, 250, 100, 5);
        // 0.1 times 55.46 times (−0.5675, −0.5808, −0.5836).
        assertThat(changed(grey, (in, out) -> PcaLighting.apply(in, out, 0.1, 0, 0)))
                .containsExactly(new float[] {96.8527f, 96.7789f, 96.7634f, 246.8527f, 96.7789f, 1.7634f}, CLOSE);
        // Minus the same, plus 0.5·4.794·(0.7192, −0.0045, −0.6948) − 1.148·(0.4009, −0.8140, 0.4203).
        assertThat(changed(grey, (in, out) -> PcaLighting.apply(in, out, -0.1, 0.5, -1)))
                .containsExactly(new float[] {104.4110f, 104.1448f, 101.0887f, 254.4110f, 104.1448f, 6.0887f}, CLOSE);
        assertThatThrownBy(() -> new PcaLighting(0.1).outputShape(Shape.of(3, 3, 1)))
                .isInstanceOf(ShapeException.class);
    }

    @Test
    void lightingVariesAsTheEigenvaluesSay() {
        FloatImage grey = FloatImage.of(1, 1, 3, 128, 128, 128);
        Rng rng = rng(31);
        int count = 4000;
        double sum = 0;
        double squares = 0;
        for (int i = 0; i < count; i++) {
            double change = apply(new PcaLighting(0.1), grey, rng)[0] - 128;
            sum += change / count;
            squares += change * change / count;
        }
        // Red: 0.1·√((55.46·0.5675)² + (4.794·0.7192)² + (1.148·0.4009)²) = 3.1666; its estimate from 4000 has
        // deviation 1.1 %.
        assertThat(Math.sqrt(squares - sum * sum)).isBetween(3.03, 3.31);
        assertThat(sum).isBetween(-0.2, 0.2);
    }

    @Test
    void strengthsThatMakeNoSenseAreRefused() {
        assertThatThrownBy(() -> new RandomBrightness(-0.1)).isInstanceOf(ShapeException.class);
        assertThatThrownBy(() -> new RandomContrast(Double.NaN)).isInstanceOf(ShapeException.class);
        assertThatThrownBy(() -> new RandomSaturation(-1)).isInstanceOf(ShapeException.class);
        assertThatThrownBy(() -> new RandomHue(0.6)).isInstanceOf(ShapeException.class);
        assertThatThrownBy(() -> new PcaLighting(-1)).isInstanceOf(ShapeException.class);
    }
}
