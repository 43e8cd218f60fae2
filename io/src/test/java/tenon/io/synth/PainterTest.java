package tenon.io.synth;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import java.util.HashSet;
import java.util.Set;
import org.junit.jupiter.api.Test;
import tenon.io.image.Filter;
import tenon.io.image.Image;
import tenon.io.image.ImageCodec;
import tenon.io.image.Resize;

class PainterTest {
    private static final Painter PAINTER = new Painter(7);

    @Test
    void aPictureIsAFunctionOfSeedClassNumberAndSize() {
        Image image = PAINTER.draw(3, 5, 60, 40);
        assertThat(new int[] {image.width(), image.height(), image.channels()}).containsExactly(60, 40, 3);
        assertThat(new Painter(7).draw(3, 5, 60, 40).pixels()).isEqualTo(image.pixels());
        assertThat(new Painter(8).draw(3, 5, 60, 40).pixels()).isNotEqualTo(image.pixels());
        assertThat(PAINTER.draw(3, 6, 60, 40).pixels()).isNotEqualTo(image.pixels());
        assertThat(PAINTER.draw(4, 5, 60, 40).pixels()).isNotEqualTo(image.pixels());
    }

    @Test
    void sizesFromTinyToLongAreDrawn() {
        for (int[] size : new int[][] {{8, 8}, {8, 700}, {95, 97}, {1100, 30}}) {
            Image image = PAINTER.draw(0, 0, size[0], size[1]);
            assertThat(new int[] {image.width(), image.height()}).containsExactly(size);
            assertThat(deviation(image)).isGreaterThan(5);
        }
    }

    private static double deviation(Image image) {
        double sum = 0;
        double squares = 0;
        for (byte pixel : image.pixels()) {
            sum += pixel & 0xFF;
            squares += (pixel & 0xFF) * (pixel & 0xFF);
        }
        double mean = sum / image.pixels().length;
        return Math.sqrt(squares / image.pixels().length - mean * mean);
    }

    /** Photographs with a short side of 256 take 30 to 70 KB at quality 95. */
    @Test
    void filesAreAsLargeAsPhotographs() {
        double sum = 0;
        int count = 30;
        for (int i = 0; i < count; i++) {
            Image image = Resize.exact(PAINTER.draw(i % 10, i / 10, 500, 375), 341, 256, Filter.BILINEAR);
            sum += ImageCodec.encodeJpeg(image, 95).length;
        }
        assertThat(sum / count).isBetween(35_000.0, 60_000.0);
    }

    @Test
    void everyClassHasALookOfItsOwn() {
        Set<String> names = new HashSet<>();
        for (int c = 0; c < Painter.classCount(); c++) {
            assertThat(names.add(Painter.className(c))).isTrue();
        }
        assertThat(names).hasSize(8 * 8 * 16).allMatch(name -> name.matches("[a-z]+_[a-z]+_[a-z]+"));
        assertThat(Painter.className(0)).isEqualTo("red_plain_disc");
    }

    @Test
    void outlinesHaveTheirCorners() {
        // Distance outside, at points on or beside each curve.
        assertThat(outside(Outline.DISC, 0.9, 1)).isCloseTo(0, within(0.01f));
        assertThat(outside(Outline.SQUARE, 1, 0)).isCloseTo(0, within(0.01f));
        assertThat(outside(Outline.SQUARE, Math.sqrt(0.5), 45)).isCloseTo(0, within(0.01f));
        assertThat(outside(Outline.TRIANGLE, 0.55, 60)).isCloseTo(0, within(0.01f));
        assertThat(outside(Outline.STAR, 1.1, 36)).isCloseTo(0, within(0.02f));
        assertThat(outside(Outline.STAR, 0.45, 72)).isCloseTo(0, within(0.02f));
        assertThat(outside(Outline.CROSS, 0.95, 90)).isCloseTo(0, within(0.01f));
        assertThat(outside(Outline.CROSS, 0.33 * Math.sqrt(2), 135)).isCloseTo(0, within(0.01f));
        assertThat(outside(Outline.RING, 0.3, 200)).isCloseTo(0.2f, within(0.01f));
        assertThat(outside(Outline.RING, 0.7, 200)).isCloseTo(-0.2f, within(0.01f));
        assertThat(outside(Outline.EGG, 0.45, 270)).isCloseTo(0, within(0.01f));
        assertThat(outside(Outline.FLOWER, 1.03, 300)).isCloseTo(0, within(0.01f));
    }

    private static float outside(Outline outline, double r, double degrees) {
        double angle = Math.toRadians(degrees);
        return outline.outside((float) (r * Math.cos(angle)), (float) (r * Math.sin(angle)), (float) r);
    }

    @Test
    void coloursFollowTheHueCircle() {
        assertThat(Color.hsv(0, 1, 1)).isEqualTo(new Color(1, 0, 0));
        assertThat(Color.hsv(1 / 3f, 1, 0.5f).green()).isCloseTo(0.5f, within(1e-6f));
        assertThat(Color.hsv(-1 / 3f, 0.5f, 1).blue()).isCloseTo(1, within(1e-6f));
        assertThat(Color.hsv(0.123f, 0, 0.25f)).isEqualTo(new Color(0.25f, 0.25f, 0.25f));
    }

    @Test
    void fractalNoiseIsCoarserThanWhiteNoise() {
        assertThat(neighbourCorrelation(NoiseTile.fractal(1))).isGreaterThan(0.9);
        assertThat(neighbourCorrelation(NoiseTile.white(1))).isBetween(-0.02, 0.02);
    }

    /** Both tiles have mean 0 and deviation 1. */
    private static double neighbourCorrelation(NoiseTile tile) {
        double sum = 0;
        double squares = 0;
        double products = 0;
        for (int y = 0; y < NoiseTile.SIZE; y++) {
            for (int x = 0; x < NoiseTile.SIZE; x++) {
                sum += tile.at(x, y);
                squares += tile.at(x, y) * tile.at(x, y);
                products += tile.at(x, y) * tile.at(x + 1, y);
            }
        }
        double count = (double) NoiseTile.SIZE * NoiseTile.SIZE;
        assertThat(sum / count).isBetween(-0.01, 0.01);
        assertThat(squares / count).isBetween(0.98, 1.02);
        return products / count;
    }
}
