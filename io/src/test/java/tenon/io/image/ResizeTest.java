package tenon.io.image;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;

class ResizeTest {
    @Test
    void sameSizeIsTheSameImage() {
        Image image = new Image(2, 1, 1, new byte[] {1, 2});
        assertThat(Resize.bilinear(image, 2, 1)).isSameAs(image);
    }

    @Test
    void halvingAveragesFourPixels() {
        Image image = new Image(4, 2, 1, new byte[] {0, 10, 100, 120, 20, 30, 80, 60});
        // Centres fall between pixels: (0+10+20+30)/4 = 15, (100+120+80+60)/4 = 90.
        assertThat(Resize.bilinear(image, 2, 1).pixels()).containsExactly(15, 90);
    }

    @Test
    void doublingInterpolatesBetweenCentresAndKeepsTheEdges() {
        Image image = new Image(2, 1, 1, new byte[] {0, 100});
        // Samples at −0.25 (clamped), 0.25, 0.75, 1.25 (clamped).
        assertThat(Resize.bilinear(image, 4, 1).pixels()).containsExactly(0, 25, 75, 100);
    }

    @Test
    void aWidePictureIsSquashedWithoutCropOrBorder() {
        byte[] pixels = new byte[200 * 100 * 3];
        for (int i = 0; i < pixels.length; i++) {
            pixels[i] = (byte) (i / 3 % 200 < 100 ? 40 : 200);
        }
        Image small = Resize.bilinear(new Image(200, 100, 3, pixels), 32, 32);
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
        assertThat(Resize.bilinear(image, 1, 1).pixels()).containsExactly(50, 50, 50);
    }
}
