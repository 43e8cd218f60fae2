package tenon.io.image;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import java.util.Arrays;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;

class ResizeTest {
    private static Image row(int... values) {
        byte[] pixels = new byte[values.length];
        for (int i = 0; i < values.length; i++) {
            pixels[i] = (byte) values[i];
        }
        return new Image(values.length, 1, 1, pixels);
    }

    private static int[] values(Image image) {
        int[] values = new int[image.pixels().length];
        for (int i = 0; i < values.length; i++) {
            values[i] = image.pixels()[i] & 0xFF;
        }
        return values;
    }

    private static Image noise(int width, int height, int channels) {
        byte[] pixels = new byte[width * height * channels];
        new Random(width * 31 + height).nextBytes(pixels);
        return new Image(width, height, channels, pixels);
    }

    @ParameterizedTest
    @EnumSource
    void sameSizeIsTheSameImage(Filter filter) {
        Image image = row(1, 2);
        assertThat(Resize.exact(image, 2, 1, filter)).isSameAs(image);
    }

    @ParameterizedTest
    @EnumSource
    void aPlainPictureStaysPlain(Filter filter) {
        byte[] pixels = new byte[13 * 9 * 3];
        for (int i = 0; i < pixels.length; i++) {
            pixels[i] = (byte) (i % 3 == 0 ? 255 : i % 3 == 1 ? 1 : 128);
        }
        Image image = new Image(13, 9, 3, pixels);
        for (int[] size : new int[][] {{1, 1}, {5, 4}, {29, 31}, {40, 3}, {2, 20}}) {
            Image out = Resize.exact(image, size[0], size[1], filter);
            for (int i = 0; i < out.pixels().length; i++) {
                assertThat(out.pixels()[i]).isEqualTo(pixels[i % 3]);
            }
        }
    }

    /** Rows and columns are treated alike: resizing the mirror along the diagonal is the mirror of the resized. */
    @ParameterizedTest
    @EnumSource
    void directionsAreAlike(Filter filter) {
        for (int[] size : new int[][] {{7, 5}, {20, 23}, {3, 30}}) {
            Image image = noise(16, 11, 3);
            Image out = Resize.exact(image, size[0], size[1], filter);
            Image other = transposed(Resize.exact(transposed(image), size[1], size[0], filter));
            for (int i = 0; i < out.pixels().length; i++) {
                // Sums are taken in another order.
                assertThat(out.pixels()[i] & 0xFF).isCloseTo(other.pixels()[i] & 0xFF, within(1));
            }
        }
    }

    private static Image transposed(Image image) {
        return ExifOrientation.apply(image, 5);
    }

    @Test
    void nearestTakesThePixelAtTheFloor() {
        // ⌊i·5/3⌋ = 0, 1, 3 and ⌊i·3/7⌋ = 0, 0, 0, 1, 1, 2, 2.
        assertThat(values(Resize.exact(row(10, 20, 30, 40, 50), 3, 1, Filter.NEAREST)))
                .containsExactly(10, 20, 40);
        assertThat(values(Resize.exact(row(10, 20, 30), 7, 1, Filter.NEAREST)))
                .containsExactly(10, 10, 10, 20, 20, 30, 30);
    }

    @Test
    void bilinearHalvingAveragesFourPixels() {
        Image image = new Image(4, 2, 1, new byte[] {0, 10, 100, 120, 20, 30, 80, 60});
        // Centres fall between pixels: (0+10+20+30)/4 = 15, (100+120+80+60)/4 = 90.
        assertThat(Resize.exact(image, 2, 1, Filter.BILINEAR).pixels()).containsExactly(15, 90);
    }

    @Test
    void bilinearDoublingInterpolatesBetweenCentresAndKeepsTheEdges() {
        // Samples at −0.25 (clamped), 0.25, 0.75, 1.25 (clamped).
        assertThat(values(Resize.exact(row(0, 100), 4, 1, Filter.BILINEAR))).containsExactly(0, 25, 75, 100);
    }

    @Test
    void bilinearShrinkingDoesNotSmooth() {
        // s = 3: centres at 1 and 4, whatever lies between.
        assertThat(values(Resize.exact(row(0, 7, 200, 200, 9, 0), 2, 1, Filter.BILINEAR)))
                .containsExactly(7, 9);
    }

    @Test
    void bicubicUsesKeysKernel() {
        // Between the middle pixels the weights for a = −0.75 are −0.09375, 0.59375, 0.59375, −0.09375:
        // −0.09375·(16 + 64) + 0.59375·(32 + 96) = 68.5.
        assertThat(values(Resize.exact(row(16, 32, 96, 64), 2, 1, Filter.BICUBIC))[0])
                // Output 0 lies at 0.5, so pixels −1 … 2, the border repeated: −0.09375·(16 + 96) + 0.59375·(16 + 32) =
                // 18.
                .isEqualTo(18);
        assertThat(values(Resize.exact(row(16, 32, 96, 64), 1, 1, Filter.BICUBIC)))
                .containsExactly(69);
        // Overshoot is clamped: at 0.5 of 0, 0, 255, 255 it would be below 0 or above 255 nearby.
        int[] edge = values(Resize.exact(row(0, 0, 255, 255), 16, 1, Filter.BICUBIC));
        assertThat(edge[5]).isZero();
        assertThat(edge[10]).isEqualTo(255);
    }

    @Test
    void lanczosUsesEightPixels() {
        // In the middle of eight pixels, sinc(t)·sinc(t/4) at 0.5, 1.5, 2.5, 3.5, and their sum on both sides.
        double[] weights = new double[4];
        double sum = 0;
        for (int i = 0; i < 4; i++) {
            double t = Math.PI * (i + 0.5);
            weights[i] = Math.sin(t) / t * Math.sin(t / 4) / (t / 4);
            sum += 2 * weights[i];
        }
        int[] in = {10, 50, 90, 130, 200, 40, 20, 60};
        double expected = 0;
        for (int i = 0; i < 4; i++) {
            expected += weights[i] / sum * (in[3 - i] + in[4 + i]);
        }
        assertThat(values(Resize.exact(row(in), 1, 1, Filter.LANCZOS))).containsExactly((int) Math.round(expected));
    }

    @Test
    void areaAveragesWhatThePixelCovers() {
        assertThat(values(Resize.exact(row(0, 10, 20, 100, 110, 120), 2, 1, Filter.AREA)))
                .containsExactly(10, 110);
        // s = 2.5: (10 + 20 + 30/2) / 2.5 = 18, (30/2 + 40 + 50) / 2.5 = 42.
        assertThat(values(Resize.exact(row(10, 20, 30, 40, 50), 2, 1, Filter.AREA)))
                .containsExactly(18, 42);
        // s = 4/3: (0 + 90/3) · 3/4 = 22.5, (90·2/3 + 30·2/3) · 3/4 = 60, (30/3 + 210) · 3/4 = 165.
        assertThat(values(Resize.exact(row(0, 90, 30, 210), 3, 1, Filter.AREA))).containsExactly(23, 60, 165);
        Image square = new Image(3, 3, 1, new byte[] {1, 2, 3, 4, 5, 6, 7, 8, 18});
        assertThat(Resize.exact(square, 1, 1, Filter.AREA).pixels()).containsExactly(6);
    }

    @Test
    void areaEnlargesByTheShareBeyondAPixelsEnd() {
        // OpenCV: doubling 2 pixels gives fractions 0, 0, 0, 0 at ⌊i/2⌋; from 2 to 3 the middle pixel covers half of
        // each.
        assertThat(values(Resize.exact(row(0, 100), 4, 1, Filter.AREA))).containsExactly(0, 0, 100, 100);
        assertThat(values(Resize.exact(row(0, 100), 3, 1, Filter.AREA))).containsExactly(0, 50, 100);
    }

    /** The definition in double, pixel by pixel, over odd sizes. */
    @Test
    void bilinearIsItsDefinition() {
        for (int[] size : new int[][] {{341, 256}, {37, 61}, {5, 300}, {1, 1}}) {
            Image image = noise(123, 91, 4);
            Image out = Resize.exact(image, size[0], size[1], Filter.BILINEAR);
            for (int y = 0; y < size[1]; y++) {
                for (int x = 0; x < size[0]; x++) {
                    for (int c = 0; c < 4; c++) {
                        double expected =
                                bilinear(image, (x + 0.5) * 123 / size[0] - 0.5, (y + 0.5) * 91 / size[1] - 0.5, c);
                        assertThat((double) out.value(x, y, c)).isCloseTo(expected, within(0.501));
                    }
                }
            }
        }
    }

    private static double bilinear(Image image, double x, double y, int c) {
        double atX = Math.clamp(x, 0, image.width() - 1);
        double atY = Math.clamp(y, 0, image.height() - 1);
        int x0 = (int) atX;
        int y0 = (int) atY;
        int x1 = Math.min(x0 + 1, image.width() - 1);
        int y1 = Math.min(y0 + 1, image.height() - 1);
        double upper = image.value(x0, y0, c) * (1 - atX + x0) + image.value(x1, y0, c) * (atX - x0);
        double lower = image.value(x0, y1, c) * (1 - atX + x0) + image.value(x1, y1, c) * (atX - x0);
        return upper * (1 - atY + y0) + lower * (atY - y0);
    }

    @Test
    void aWidePictureIsSquashedWithoutCropOrBorder() {
        byte[] pixels = new byte[200 * 100 * 3];
        for (int i = 0; i < pixels.length; i++) {
            pixels[i] = (byte) (i / 3 % 200 < 100 ? 40 : 200);
        }
        Image small = Resize.exact(new Image(200, 100, 3, pixels), 32, 32, Filter.BILINEAR);
        assertThat(small.pixels()).hasSize(32 * 32 * 3);
        for (int y = 0; y < 32; y++) {
            for (int x = 0; x < 32; x++) {
                assertThat(small.value(x, y, 1)).isEqualTo(x < 16 ? 40 : 200);
            }
        }
    }

    @Test
    void channelsStayApart() {
        Image image = new Image(2, 1, 3, new byte[] {0, 50, 100, 100, 50, 0});
        assertThat(Resize.exact(image, 1, 1, Filter.BILINEAR).pixels()).containsExactly(50, 50, 50);
    }

    @ParameterizedTest
    @CsvSource({
        "500, 375, 341, 256",
        "375, 500, 256, 341",
        "100, 200, 256, 512",
        "256, 300, 256, 300",
        "300, 256, 300, 256",
        "400, 400, 256, 256",
        "1000, 3, 85333, 256",
        "999, 1000, 256, 256",
    })
    void theShorterSideBecomesTheGivenOne(int width, int height, int newWidth, int newHeight) {
        Image image = new Image(width, height, 1, new byte[width * height]);
        Image out = Resize.shortSide(image, 256, true, Filter.BILINEAR);
        assertThat(out.width()).isEqualTo(newWidth);
        assertThat(out.height()).isEqualTo(newHeight);
    }

    @Test
    void smallPicturesStayUnlessTheyAreToBeEnlarged() {
        Image image = noise(100, 200, 1);
        assertThat(Resize.shortSide(image, 256, false, Filter.AREA)).isSameAs(image);
        assertThat(Resize.shortSide(image, 100, false, Filter.AREA)).isSameAs(image);
        assertThat(Resize.shortSide(image, 50, false, Filter.AREA).height()).isEqualTo(100);
    }

    @Test
    void aspectCropCutsBothEndsOfTheLongerSide() {
        // 8×4 → 4×2 by area, then one column off each end.
        Image image = row(0, 2, 10, 12, 20, 22, 30, 32);
        byte[] four = new byte[32];
        for (int y = 0; y < 4; y++) {
            System.arraycopy(image.pixels(), 0, four, 8 * y, 8);
        }
        assertThat(values(Resize.aspectCrop(new Image(8, 4, 1, four), 2, 2, Filter.AREA)))
                .containsExactly(11, 21, 11, 21);
    }

    @Test
    void aspectCropStretchesAnOddSurplusOfOnePixel() {
        // 5×2 with target 2×2: surplus 3, one column off each end leaves 3 columns, squashed to 2: (20 + 30/2)/1.5,
        // (30/2 + 40)/1.5.
        Image image = new Image(5, 2, 1, new byte[] {10, 20, 30, 40, 50, 10, 20, 30, 40, 50});
        assertThat(values(Resize.aspectCrop(image, 2, 2, Filter.AREA))).containsExactly(23, 37, 23, 37);
    }

    @ParameterizedTest
    @CsvSource({
        "500, 375, 256, 256",
        "375, 500, 256, 256",
        "640, 480, 224, 224",
        "10, 10, 32, 32",
        "300, 100, 64, 32",
        "100, 300, 64, 32"
    })
    void aspectCropHasTheGivenSize(int width, int height, int newWidth, int newHeight) {
        Image out = Resize.aspectCrop(noise(width, height, 3), newWidth, newHeight, Filter.AREA);
        assertThat(out.width()).isEqualTo(newWidth);
        assertThat(out.height()).isEqualTo(newHeight);
    }

    @Test
    void impossibleSizesAreNamed() {
        Image image = noise(10, 1, 1);
        assertThatThrownBy(() -> Resize.exact(image, 0, 5, Filter.AREA))
                .isInstanceOf(ImageException.class)
                .hasMessageContaining("width=0");
        assertThatThrownBy(() -> Resize.shortSide(image, 0, true, Filter.AREA)).isInstanceOf(ImageException.class);
        Image thread = new Image(1_000_000, 1, 1, new byte[1_000_000]);
        assertThatThrownBy(() -> Resize.shortSide(thread, 256, true, Filter.AREA))
                .isInstanceOf(ImageException.class)
                .hasMessageContaining("at most")
                .hasMessageContaining("width=256000000, height=256");
    }

    @Test
    void partsAreCutOut() {
        Image image = new Image(3, 2, 3, new byte[] {1, 1, 1, 2, 2, 2, 3, 3, 3, 4, 4, 4, 5, 5, 5, 6, 6, 6});
        assertThat(image.crop(1, 0, 2, 2).pixels()).containsExactly(2, 2, 2, 3, 3, 3, 5, 5, 5, 6, 6, 6);
        assertThat(image.crop(0, 0, 3, 2)).isSameAs(image);
        assertThatThrownBy(() -> image.crop(2, 0, 2, 1)).isInstanceOf(ImageException.class);
    }

    @Test
    void opacityIsAddedAndDropped() {
        Image colors = new Image(1, 1, 3, new byte[] {1, 2, 3});
        assertThat(colors.withChannels(4).pixels()).containsExactly(1, 2, 3, -1);
        assertThat(new Image(1, 1, 4, new byte[] {1, 2, 3, 4}).withChannels(3).pixels())
                .containsExactly(1, 2, 3);
        assertThat(row(9).withChannels(4).pixels()).containsExactly(9, 9, 9, -1);
        assertThat(Arrays.equals(row(9).withChannels(3).pixels(), new byte[] {9, 9, 9}))
                .isTrue();
    }
}
