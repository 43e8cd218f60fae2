package tenon.io.image;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import java.awt.Transparency;
import java.awt.color.ColorSpace;
import java.awt.image.BufferedImage;
import java.awt.image.ComponentColorModel;
import java.awt.image.DataBuffer;
import java.awt.image.IndexColorModel;
import java.awt.image.Raster;
import java.awt.image.WritableRaster;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.zip.CRC32;
import javax.imageio.IIOImage;
import javax.imageio.ImageIO;
import javax.imageio.ImageWriter;
import javax.imageio.stream.MemoryCacheImageOutputStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class ImageCodecTest {
    @TempDir
    Path folder;

    private static byte[] encode(BufferedImage image, String format) throws IOException {
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        assertThat(ImageIO.write(image, format, out)).isTrue();
        return out.toByteArray();
    }

    /** 2×1: (10, 20, 30) and (200, 100, 50). */
    private static BufferedImage twoColors(int type) {
        BufferedImage image = new BufferedImage(2, 1, type);
        image.setRGB(0, 0, 0xFF0A141E);
        image.setRGB(1, 0, 0xFFC86432);
        return image;
    }

    @ParameterizedTest
    @ValueSource(strings = {"png", "bmp", "tiff"})
    void losslessFormatsGiveTheirColors(String format) throws IOException {
        Image image = ImageCodec.decode(encode(twoColors(BufferedImage.TYPE_INT_RGB), format), "test");
        assertThat(image.width()).isEqualTo(2);
        assertThat(image.height()).isEqualTo(1);
        assertThat(image.pixels()).containsExactly(10, 20, 30, (byte) 200, 100, 50);
    }

    @Test
    void transparencyIsDropped() throws IOException {
        BufferedImage image = twoColors(BufferedImage.TYPE_INT_ARGB);
        image.setRGB(0, 0, 0x000A141E);
        assertThat(ImageCodec.decode(encode(image, "png"), "test").pixels())
                .containsExactly(10, 20, 30, (byte) 200, 100, 50);
    }

    @Test
    void greyValuesAreKeptWithoutAGammaCurve() throws IOException {
        BufferedImage grey = new BufferedImage(3, 1, BufferedImage.TYPE_BYTE_GRAY);
        grey.getRaster().setPixels(0, 0, 3, 1, new int[] {0, 100, 255});
        assertThat(ImageCodec.decode(encode(grey, "png"), "test").pixels())
                .containsExactly(0, 0, 0, 100, 100, 100, (byte) 255, (byte) 255, (byte) 255);
        BufferedImage deep = new BufferedImage(3, 1, BufferedImage.TYPE_USHORT_GRAY);
        deep.getRaster().setPixels(0, 0, 3, 1, new int[] {0, 100 * 257, 65535});
        assertThat(ImageCodec.decode(encode(deep, "png"), "test").pixels())
                .containsExactly(0, 0, 0, 100, 100, 100, (byte) 255, (byte) 255, (byte) 255);
    }

    @Test
    void sixteenBitColorsAreScaled() throws IOException {
        ComponentColorModel colors = new ComponentColorModel(
                ColorSpace.getInstance(ColorSpace.CS_sRGB), false, false, Transparency.OPAQUE, DataBuffer.TYPE_USHORT);
        WritableRaster raster = colors.createCompatibleWritableRaster(1, 1);
        raster.setPixel(0, 0, new int[] {10 * 257, 128 * 257, 65535});
        assertThat(ImageCodec.decode(encode(new BufferedImage(colors, raster, false, null), "png"), "test")
                        .pixels())
                .containsExactly(10, (byte) 128, (byte) 255);
    }

    @Test
    void palettesAreLookedUp() throws IOException {
        byte[] red = {10, (byte) 200};
        byte[] green = {20, 100};
        byte[] blue = {30, 50};
        BufferedImage image =
                new BufferedImage(2, 1, BufferedImage.TYPE_BYTE_INDEXED, new IndexColorModel(8, 2, red, green, blue));
        image.getRaster().setPixels(0, 0, 2, 1, new int[] {0, 1});
        assertThat(ImageCodec.decode(encode(image, "png"), "test").pixels())
                .containsExactly(10, 20, 30, (byte) 200, 100, 50);
    }

    @Test
    void jpegColorsAreClose() throws IOException {
        BufferedImage image = new BufferedImage(16, 16, BufferedImage.TYPE_INT_RGB);
        for (int i = 0; i < 256; i++) {
            image.setRGB(i % 16, i / 16, 0xC86432);
        }
        Image decoded = ImageCodec.decode(encode(image, "jpg"), "test");
        assertThat(decoded.value(8, 8, 0)).isCloseTo(200, within(3));
        assertThat(decoded.value(8, 8, 1)).isCloseTo(100, within(3));
        assertThat(decoded.value(8, 8, 2)).isCloseTo(50, within(3));
    }

    @Test
    void cmykJpegBecomesRgb() throws IOException {
        // Adobe's marker with transform 0 means CMYK, and 0 is full ink.
        WritableRaster raster = Raster.createInterleavedRaster(DataBuffer.TYPE_BYTE, 16, 16, 4, null);
        for (int i = 0; i < 256; i++) {
            raster.setPixel(i % 16, i / 16, new int[] {0, 255, 0, 255});
        }
        ImageWriter writer = ImageIO.getImageWritersByFormatName("jpeg").next();
        ByteArrayOutputStream plain = new ByteArrayOutputStream();
        try (MemoryCacheImageOutputStream stream = new MemoryCacheImageOutputStream(plain)) {
            writer.setOutput(stream);
            writer.write(null, new IIOImage(raster, null, null), null);
        }
        byte[] marker = {(byte) 0xFF, (byte) 0xEE, 0, 14, 'A', 'd', 'o', 'b', 'e', 0, 100, 0, 0, 0, 0, 0};
        ByteArrayOutputStream marked = new ByteArrayOutputStream();
        marked.write(plain.toByteArray(), 0, 2);
        marked.writeBytes(marker);
        marked.write(plain.toByteArray(), 2, plain.size() - 2);
        Image decoded = ImageCodec.decode(marked.toByteArray(), "test");
        // Cyan and yellow ink make green; how pure depends on the profile.
        int green = decoded.value(8, 8, 1);
        assertThat(green).isGreaterThan(decoded.value(8, 8, 0) + 50).isGreaterThan(decoded.value(8, 8, 2) + 50);
    }

    @Test
    void otherFilesAreNamedErrors() throws IOException {
        Path text = Files.writeString(folder.resolve("notes.jpg"), "this is not an image");
        assertThatThrownBy(() -> ImageCodec.read(text))
                .isInstanceOf(ImageException.class)
                .hasMessageContaining(text.toString())
                .hasMessageContaining("no image file");
        assertThatThrownBy(() -> ImageCodec.read(folder.resolve("absent.png")))
                .isInstanceOf(ImageException.class)
                .hasMessageContaining("no such file");
        assertThatThrownBy(() -> ImageCodec.decode(new byte[0], "empty")).isInstanceOf(ImageException.class);
    }

    @Test
    void truncatedAndMangledImagesNeverThrowAnythingElse() throws IOException {
        BufferedImage image = new BufferedImage(40, 30, BufferedImage.TYPE_INT_RGB);
        for (int i = 0; i < 1200; i++) {
            image.setRGB(i % 40, i / 40, i * 7919);
        }
        for (String format : new String[] {"png", "jpg", "bmp", "tiff"}) {
            byte[] good = encode(image, format);
            for (int step = 0; step < 60; step++) {
                byte[] cut = Arrays.copyOf(good, good.length * step / 60);
                expectImageOrImageException(cut);
                byte[] flipped = good.clone();
                flipped[step * Math.min(good.length, 600) / 60] ^= 0x55;
                expectImageOrImageException(flipped);
            }
        }
        expectImageOrImageException("GIF89a".getBytes(StandardCharsets.US_ASCII));
    }

    private static void expectImageOrImageException(byte[] bytes) {
        try {
            assertThat(ImageCodec.decode(bytes, "test").channels()).isEqualTo(3);
        } catch (ImageException e) {
            assertThat(e).hasMessageContaining("test");
        }
    }

    @Test
    void anImageOfAbsurdSizeIsRefusedBeforeItIsAllocated() throws IOException {
        byte[] png = encode(twoColors(BufferedImage.TYPE_INT_RGB), "png");
        // Width at byte 16, height at 20, both big-endian, then the header chunk's CRC at 29.
        Arrays.fill(png, 16, 24, (byte) 0);
        png[17] = 1;
        png[21] = 1;
        CRC32 crc = new CRC32();
        crc.update(png, 12, 17);
        for (int i = 0; i < 4; i++) {
            png[29 + i] = (byte) (crc.getValue() >> 24 - 8 * i);
        }
        assertThatThrownBy(() -> ImageCodec.decode(png, "bomb"))
                .isInstanceOf(ImageException.class)
                .hasMessageContaining("width=65536, height=65536");
    }

    @Test
    void pngRoundTripKeepsEveryByte() {
        byte[] pixels = new byte[5 * 4 * 3];
        for (int i = 0; i < pixels.length; i++) {
            pixels[i] = (byte) (i * 37);
        }
        assertThat(ImageCodec.decode(ImageCodec.encodePng(new Image(5, 4, 3, pixels)), "t")
                        .pixels())
                .isEqualTo(pixels);
        Image grey = new Image(5, 12, 1, pixels);
        assertThat(ImageCodec.decode(ImageCodec.encodePng(grey), "t")
                        .withChannels(1)
                        .pixels())
                .isEqualTo(pixels);
    }

    @Test
    void greyIsTheLumaOfBt601() {
        Image image = new Image(3, 1, 3, new byte[] {(byte) 255, 0, 0, 0, (byte) 255, 0, 0, 0, (byte) 255});
        // 0.299·255 = 76.2, 0.587·255 = 149.7, 0.114·255 = 29.1
        assertThat(image.withChannels(1).pixels()).containsExactly(76, (byte) 150, 29);
    }
}
