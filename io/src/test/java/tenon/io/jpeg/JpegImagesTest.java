package tenon.io.jpeg;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.util.Arrays;
import java.util.List;
import java.util.stream.IntStream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;
import tenon.io.image.Image;
import tenon.io.image.ImageCodec;
import tenon.io.image.ImageException;
import tenon.io.jpeg.JpegPictures.Kind;

class JpegImagesTest {
    @BeforeEach
    void needsTheLibrary() {
        assumeTrue(
                JpegLibrary.TURBO.problem().isEmpty(),
                () -> JpegLibrary.TURBO.problem().orElseThrow());
    }

    @ParameterizedTest
    @EnumSource
    void pixelsAreImageCodecsBitForBit(Kind kind) {
        for (int[] size : new int[][] {{83, 61}, {16, 16}, {1, 1}, {200, 7}}) {
            byte[] file = JpegPictures.file(kind, size[0], size[1], 4);
            for (int channels : new int[] {3, 1, 4}) {
                Image image = JpegImages.decode(file, file.length, "test", channels);
                Image expected = ImageCodec.decode(file, file.length, "test", channels);
                assertThat(image.width()).isEqualTo(expected.width());
                assertThat(image.pixels()).isEqualTo(expected.pixels());
            }
        }
    }

    @ParameterizedTest
    @ValueSource(ints = {1, 50, 95, 96, 100})
    void filesAreImageCodecsByteForByte(int quality) {
        Image picture = ImageCodec.decode(JpegPictures.file(Kind.COLOR_420, 83, 61, 4), "test");
        for (Image image : new Image[] {picture, picture.withChannels(1), picture.crop(3, 2, 17, 1)}) {
            assertThat(JpegImages.encode(image, quality)).isEqualTo(ImageCodec.encodeJpeg(image, quality));
        }
    }

    @Test
    void whatTheLibraryRefusesIsLeftToImageCodec() {
        byte[] png = ImageCodec.encodePng(new Image(2, 1, 3, new byte[] {1, 2, 3, 4, 5, 6}));
        assertThat(JpegImages.decode(png, png.length, "test", 3).pixels()).containsExactly(1, 2, 3, 4, 5, 6);
        byte[] cut = Arrays.copyOf(JpegPictures.file(Kind.COLOR_420, 83, 61, 4), 500);
        assertThatThrownBy(() -> JpegImages.decode(cut, cut.length, "cut", 3))
                .isInstanceOf(ImageException.class)
                .hasMessageContaining("image cut: is truncated");
        assertThatThrownBy(() -> JpegImages.encode(new Image(1, 1, 4, new byte[4]), 95))
                .isInstanceOf(ImageException.class)
                .hasMessageContaining("opacity");
    }

    @Test
    void threadsDoNotDisturbEachOther() {
        List<byte[]> files = IntStream.range(0, 8)
                .mapToObj(i -> JpegPictures.file(Kind.COLOR_420, 40 + i, 30 + i, i))
                .toList();
        List<byte[]> expected = files.stream()
                .map(file -> ImageCodec.decode(file, "test").pixels())
                .toList();
        IntStream.range(0, 400).parallel().forEach(i -> {
            byte[] file = files.get(i % 8);
            assertThat(JpegImages.decode(file, file.length, "test", 3).pixels()).isEqualTo(expected.get(i % 8));
        });
    }
}
