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
import java.awt.image.WritableRaster;
import java.io.IOException;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.stream.Stream;
import javax.imageio.IIOImage;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

class ImageCodecTest {
    @TempDir
    Path folder;

    private static Image decode(byte[] file) {
        return ImageCodec.decode(file, "test");
    }

    private static void expectColor(Image image, int x, int y, int tolerance, int... color) {
        for (int c = 0; c < color.length; c++) {
            assertThat(image.value(x, y, c)).as("channel " + c).isCloseTo(color[c], within(tolerance));
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"png", "bmp", "tiff"})
    void losslessFormatsGiveTheirColors(String format) {
        Image image = decode(ImageFiles.write(ImageFiles.twoColors(BufferedImage.TYPE_INT_RGB), format));
        assertThat(image.width()).isEqualTo(2);
        assertThat(image.height()).isEqualTo(1);
        assertThat(image.pixels()).containsExactly(10, 20, 30, (byte) 200, 100, 50);
    }

    @Test
    void opacityIsDroppedUnlessItIsAskedFor() {
        BufferedImage image = ImageFiles.twoColors(BufferedImage.TYPE_INT_ARGB);
        image.setRGB(0, 0, 0x000A141E);
        byte[] png = ImageFiles.write(image, "png");
        assertThat(decode(png).pixels()).containsExactly(10, 20, 30, (byte) 200, 100, 50);
        assertThat(ImageCodec.decode(png, png.length, "test", 4).pixels())
                .containsExactly(10, 20, 30, 0, (byte) 200, 100, 50, (byte) 255);
        byte[] opaque = ImageFiles.write(ImageFiles.twoColors(BufferedImage.TYPE_INT_RGB), "png");
        assertThat(ImageCodec.decode(opaque, opaque.length, "test", 4).pixels())
                .containsExactly(10, 20, 30, (byte) 255, (byte) 200, 100, 50, (byte) 255);
    }

    @Test
    void greyWithOpacity() {
        ComponentColorModel colors = new ComponentColorModel(
                ColorSpace.getInstance(ColorSpace.CS_GRAY),
                true,
                false,
                Transparency.TRANSLUCENT,
                DataBuffer.TYPE_BYTE);
        WritableRaster raster = colors.createCompatibleWritableRaster(2, 1);
        raster.setPixels(0, 0, 2, 1, new int[] {100, 7, 200, 255});
        byte[] png = ImageFiles.write(new BufferedImage(colors, raster, false, null), "png");
        assertThat(ImageHeader.sniff(png, png.length, "test").channels()).isEqualTo(2);
        assertThat(ImageCodec.decode(png, png.length, "test", 4).pixels())
                .containsExactly(100, 100, 100, 7, (byte) 200, (byte) 200, (byte) 200, (byte) 255);
    }

    @Test
    void greyValuesAreKeptWithoutAGammaCurve() {
        BufferedImage grey = new BufferedImage(3, 1, BufferedImage.TYPE_BYTE_GRAY);
        grey.getRaster().setPixels(0, 0, 3, 1, new int[] {0, 100, 255});
        for (String format : new String[] {"png", "tiff", "bmp"}) {
            byte[] file = ImageFiles.write(grey, format);
            assertThat(decode(file).pixels()).containsExactly(0, 0, 0, 100, 100, 100, -1, -1, -1);
            assertThat(ImageCodec.decode(file, file.length, "test", 1).pixels()).containsExactly(0, 100, -1);
        }
        BufferedImage deep = new BufferedImage(3, 1, BufferedImage.TYPE_USHORT_GRAY);
        deep.getRaster().setPixels(0, 0, 3, 1, new int[] {0, 100 * 257, 65535});
        for (String format : new String[] {"png", "tiff"}) {
            assertThat(decode(ImageFiles.write(deep, format)).pixels())
                    .containsExactly(0, 0, 0, 100, 100, 100, -1, -1, -1);
        }
    }

    @Test
    void greyJpegStaysGrey() {
        BufferedImage grey = new BufferedImage(16, 16, BufferedImage.TYPE_BYTE_GRAY);
        for (int i = 0; i < 256; i++) {
            grey.getRaster().setSample(i % 16, i / 16, 0, 100);
        }
        byte[] jpeg = ImageFiles.write(grey, "jpg");
        assertThat(ImageHeader.sniff(jpeg, jpeg.length, "test").channels()).isEqualTo(1);
        expectColor(decode(jpeg), 8, 8, 1, 100, 100, 100);
    }

    @Test
    void sixteenBitColorsAreScaled() {
        ComponentColorModel colors = new ComponentColorModel(
                ColorSpace.getInstance(ColorSpace.CS_sRGB), false, false, Transparency.OPAQUE, DataBuffer.TYPE_USHORT);
        WritableRaster raster = colors.createCompatibleWritableRaster(1, 1);
        raster.setPixel(0, 0, new int[] {10 * 257, 128 * 257, 65535});
        BufferedImage image = new BufferedImage(colors, raster, false, null);
        for (byte[] file :
                new byte[][] {ImageFiles.write(image, "png"), ImageFiles.deepTiff(10 * 257, 128 * 257, 65535)}) {
            assertThat(ImageHeader.sniff(file, file.length, "test").bitDepth()).isEqualTo(16);
            assertThat(decode(file).pixels()).containsExactly(10, (byte) 128, (byte) 255);
        }
    }

    @ParameterizedTest
    @CsvSource({"png, 1", "png, 2", "png, 4", "png, 8", "gif, 8", "bmp, 8", "tiff, 8"})
    void palettesAreLookedUp(String format, int bits) {
        byte[] red = Arrays.copyOf(new byte[] {10, (byte) 200}, 1 << bits);
        byte[] green = Arrays.copyOf(new byte[] {20, 100}, 1 << bits);
        byte[] blue = Arrays.copyOf(new byte[] {30, 50}, 1 << bits);
        IndexColorModel palette = new IndexColorModel(bits, 1 << bits, red, green, blue);
        BufferedImage image = new BufferedImage(
                2, 1, bits == 8 ? BufferedImage.TYPE_BYTE_INDEXED : BufferedImage.TYPE_BYTE_BINARY, palette);
        image.getRaster().setPixels(0, 0, 2, 1, new int[] {0, 1});
        assertThat(decode(ImageFiles.write(image, format)).pixels()).containsExactly(10, 20, 30, (byte) 200, 100, 50);
    }

    @Test
    void aPaletteWithATransparentColorKeepsItsColor() {
        byte[] colors = {10, 20, 30, 0, (byte) 200, 100, 50, (byte) 255};
        BufferedImage image =
                new BufferedImage(2, 1, BufferedImage.TYPE_BYTE_INDEXED, new IndexColorModel(8, 2, colors, 0, true));
        image.getRaster().setPixels(0, 0, 2, 1, new int[] {0, 1});
        byte[] png = ImageFiles.write(image, "png");
        assertThat(decode(png).pixels()).containsExactly(10, 20, 30, (byte) 200, 100, 50);
        assertThat(ImageCodec.decode(png, png.length, "test", 4).pixels())
                .containsExactly(10, 20, 30, 0, (byte) 200, 100, 50, -1);
    }

    @Test
    void interlacedPng() {
        BufferedImage image = ImageFiles.colorful(13, 11);
        byte[] plain = ImageFiles.write(image, "png");
        byte[] interlaced = ImageFiles.write(new IIOImage(image, null, null), "png", null, true);
        assertThat(interlaced[28]).isEqualTo((byte) 1);
        assertThat(decode(interlaced).pixels()).isEqualTo(decode(plain).pixels());
    }

    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void jpegColorsAreClose(boolean progressive) {
        BufferedImage image = ImageFiles.plain(16, 16, 0xC86432);
        byte[] jpeg = ImageFiles.write(new IIOImage(image, null, null), "jpeg", null, progressive);
        assertThat(ImageHeader.sniff(jpeg, jpeg.length, "test").scans() > 1).isEqualTo(progressive);
        expectColor(decode(jpeg), 8, 8, 3, 200, 100, 50);
    }

    @Test
    void jpegComponentsMeanWhatLibjpegTakesThemFor() {
        // (200, 100, 50) as Y, Cb, Cr by JFIF's formulas: 124.2, 86.1, 182.1. Neither JFIF's marker nor Adobe's, and no
        // subsampled chroma.
        byte[] bare = ImageFiles.bareJpeg(124, 86, 182);
        expectColor(decode(bare), 8, 8, 3, 200, 100, 50);
        expectColor(decode(ImageFiles.adobe(bare, 1)), 8, 8, 3, 200, 100, 50);
        expectColor(decode(ImageFiles.adobe(ImageFiles.bareJpeg(200, 100, 50), 0)), 8, 8, 2, 200, 100, 50);
    }

    /** Cameras and editors write such files, and libjpeg reads them. */
    @Test
    void garbageBetweenJpegSegmentsAndAfterThePictureIsSkipped() {
        byte[] jpeg = ImageFiles.write(ImageFiles.colorful(20, 10), "jpg");
        byte[] garbage = {1, 2, (byte) 0xFF, 0, 3, (byte) 0xFF, (byte) 0xFF};
        int tables = ImageFiles.segment(jpeg, 0xDB) - 2;
        byte[] file = ImageFiles.join(
                Arrays.copyOf(jpeg, tables),
                garbage,
                Arrays.copyOfRange(jpeg, tables, jpeg.length),
                new byte[100],
                jpeg);
        assertThat(decode(file).pixels()).isEqualTo(decode(jpeg).pixels());
    }

    @Test
    void cmykJpeg() {
        // C 100, M 50, Y 0, K 60 of 255: R = 155·195/255 = 118.5, G = 205·195/255 = 156.8, B = 195.
        byte[] inks = ImageFiles.bareJpeg(100, 50, 0, 60);
        assertThat(ImageHeader.sniff(inks, inks.length, "test").channels()).isEqualTo(4);
        expectColor(decode(inks), 8, 8, 3, 118, 157, 195);
        // Adobe stores the inverse.
        byte[] inverse = ImageFiles.adobe(ImageFiles.bareJpeg(155, 205, 255, 195), 0);
        expectColor(decode(inverse), 8, 8, 3, 118, 157, 195);
    }

    @Test
    void ycckJpeg() {
        // As Adobe stores the inks above: C, M, Y inverted are (155, 205, 255), whose complement R, G, B (100, 50, 0)
        // are Y, Cb, Cr 59.3, 94.6, 157.1; K
        // inverted.
        byte[] file = ImageFiles.adobe(ImageFiles.bareJpeg(59, 95, 157, 195), 2);
        expectColor(decode(file), 8, 8, 4, 118, 157, 195);
    }

    @Test
    void profilesAreApplied() {
        BufferedImage image = ImageFiles.plain(16, 16, 0xC86432);
        byte[] exchanged = IccProfiles.redAndGreenExchanged();
        byte[] jpeg = ImageFiles.write(image, "jpg");
        expectColor(decode(ImageFiles.withProfile(jpeg, exchanged)), 8, 8, 4, 100, 200, 50);
        byte[] chunk = ImageFiles.join(ImageFiles.ascii("name\0\0"), ImageFiles.deflated(exchanged));
        byte[] png = ImageFiles.withChunk(ImageFiles.write(image, "png"), "iCCP", chunk);
        expectColor(decode(png), 8, 8, 2, 100, 200, 50);
        assertThat(ImageHeader.sniff(png, png.length, "test").colorProfile()).isTrue();
        expectColor(decode(ImageFiles.withWebpProfile(ImageFiles.WEBP_LOSSY, exchanged)), 4, 8, 4, 100, 200, 50);
        expectColor(decode(ImageFiles.rgbTiff(exchanged, 200, 100, 50)), 0, 0, 2, 100, 200, 50);
    }

    @Test
    void aProfileOfManySegmentsIsPutTogether() {
        byte[] jpeg = ImageFiles.write(ImageFiles.plain(16, 16, 0xC86432), "jpg");
        byte[] profile = IccProfiles.redAndGreenExchanged();
        byte[] first = Arrays.copyOf(profile, 300);
        byte[] second = Arrays.copyOfRange(profile, 300, profile.length);
        // In the wrong order, which their numbers repair.
        byte[] file = ImageFiles.withSegment(jpeg, 0xE2, ImageFiles.join(ImageFiles.ascii("ICC_PROFILE\0\1\2"), first));
        file = ImageFiles.withSegment(file, 0xE2, ImageFiles.join(ImageFiles.ascii("ICC_PROFILE\0\2\2"), second));
        expectColor(decode(file), 8, 8, 4, 100, 200, 50);
    }

    @Test
    void greyAndInkProfilesAreApplied() {
        BufferedImage grey = new BufferedImage(16, 16, BufferedImage.TYPE_BYTE_GRAY);
        for (int i = 0; i < 256; i++) {
            grey.getRaster().setSample(i % 16, i / 16, 0, 55);
        }
        // 55 / 255 = 0.2157 of the light is 1.055·0.2157^(1/2.4) − 0.055 = 0.502 in sRGB: 128.
        byte[] file = ImageFiles.withProfile(ImageFiles.write(grey, "jpg"), IccProfiles.linearGrey());
        expectColor(decode(file), 8, 8, 2, 128, 128, 128);

        byte[] profile = IccProfiles.inks();
        // No ink is white, full black ink black; full cyan leaves L* = 50.2, which is 0.1858 of the light: 119.
        expectColor(decode(ImageFiles.withProfile(ImageFiles.bareJpeg(0, 0, 0, 0), profile)), 8, 8, 3, 255, 255, 255);
        expectColor(decode(ImageFiles.withProfile(ImageFiles.bareJpeg(0, 0, 0, 255), profile)), 8, 8, 3, 0, 0, 0);
        expectColor(decode(ImageFiles.withProfile(ImageFiles.bareJpeg(255, 0, 0, 0), profile)), 8, 8, 4, 119, 119, 119);
    }

    @Test
    void aProfileThatChangesNothingOrIsBrokenOrForOtherColorsIsIgnored() {
        byte[] jpeg = ImageFiles.write(ImageFiles.colorful(40, 30), "jpg");
        byte[] plain = decode(jpeg).pixels();
        byte[][] profiles = {
            IccProfiles.sRgb(), IccProfiles.broken(), IccProfiles.inks(), IccProfiles.linearGrey(), new byte[500], {1}
        };
        for (byte[] profile : profiles) {
            assertThat(decode(ImageFiles.withProfile(jpeg, profile)).pixels()).isEqualTo(plain);
        }
    }

    /** The stored picture is A B C over D E F; what a person sees, by the EXIF specification's words for each value. */
    @ParameterizedTest
    @CsvSource({
        "0, ABCDEF, 3",
        "1, ABCDEF, 3",
        "2, CBAFED, 3",
        "3, FEDCBA, 3",
        "4, DEFABC, 3",
        "5, ADBECF, 2",
        "6, DAEBFC, 2",
        "7, FCEBDA, 2",
        "8, CFBEAD, 2",
        "9, ABCDEF, 3"
    })
    void orientationIsApplied(int orientation, String seen, int width) {
        BufferedImage image = new BufferedImage(3, 2, BufferedImage.TYPE_BYTE_GRAY);
        image.getRaster().setPixels(0, 0, 3, 2, new int[] {'A', 'B', 'C', 'D', 'E', 'F'});
        byte[] png = ImageFiles.write(image, "png");
        byte[] stored = ImageFiles.ascii("ABCDEF");
        for (ByteOrder order : new ByteOrder[] {ByteOrder.LITTLE_ENDIAN, ByteOrder.BIG_ENDIAN}) {
            byte[][] files = {
                ImageFiles.withChunk(png, "eXIf", ImageFiles.exif(orientation, order)),
                ImageFiles.greyTiff(order, 3, 2, orientation, stored)
            };
            for (byte[] file : files) {
                Image out = ImageCodec.decode(file, file.length, "test", 1);
                assertThat(new String(out.pixels(), StandardCharsets.US_ASCII)).isEqualTo(seen);
                assertThat(out.width()).isEqualTo(width);
                ImageHeader header = ImageHeader.sniff(file, file.length, "test");
                assertThat(header.width()).isEqualTo(3);
                assertThat(header.uprightWidth()).isEqualTo(width);
                assertThat(header.uprightHeight()).isEqualTo(6 / width);
            }
        }
    }

    @Test
    void orientationOfJpegAndWebp() {
        BufferedImage image = new BufferedImage(32, 16, BufferedImage.TYPE_INT_RGB);
        for (int i = 0; i < 32 * 16; i++) {
            image.setRGB(i % 32, i / 32, i % 32 < 16 ? 0xC86432 : 0x1E3CC8);
        }
        byte[] jpeg = ImageFiles.withExif(ImageFiles.write(image, "jpg"), ImageFiles.exif(6, ByteOrder.BIG_ENDIAN));
        for (byte[] file : new byte[][] {jpeg, ImageFiles.WEBP_ORIENTED}) {
            // 6 is turned clockwise: what was left is above.
            Image out = decode(file);
            assertThat(out.width()).isEqualTo(16);
            expectColor(out, 8, 4, 8, 200, 100, 50);
            expectColor(out, 8, 28, 8, 30, 60, 200);
        }
    }

    @Test
    void webp() {
        Image lossy = decode(ImageFiles.WEBP_LOSSY);
        expectColor(lossy, 4, 8, 4, 200, 100, 50);
        expectColor(lossy, 28, 8, 4, 30, 60, 200);
        byte[] file = ImageFiles.WEBP_ALPHA;
        assertThat(ImageHeader.sniff(file, file.length, "test").channels()).isEqualTo(4);
        expectColor(decode(file), 28, 8, 4, 30, 60, 200);
        Image alpha = ImageCodec.decode(file, file.length, "test", 4);
        expectColor(alpha, 4, 8, 4, 200, 100, 50, 255);
        expectColor(alpha, 28, 8, 4, 30, 60, 200, 0);
        Image lossless = decode(ImageFiles.losslessWebp());
        assertThat(lossless.pixels()).containsExactly(10, 20, 30, (byte) 200, 100, 50);
    }

    static Stream<String> tiffCompressions() {
        return Stream.of("None", "LZW", "Deflate", "ZLib", "PackBits");
    }

    @ParameterizedTest
    @MethodSource("tiffCompressions")
    void compressedTiff(String compression) {
        BufferedImage image = ImageFiles.colorful(37, 21);
        byte[] tiff = ImageFiles.write(new IIOImage(image, null, null), "tiff", compression, false);
        assertThat(decode(tiff).pixels())
                .isEqualTo(decode(ImageFiles.write(image, "png")).pixels());
    }

    @Test
    void runLengthCodedBmp() {
        BufferedImage image = new BufferedImage(20, 5, BufferedImage.TYPE_BYTE_INDEXED);
        for (int i = 0; i < 100; i++) {
            image.getRaster().setSample(i % 20, i / 20, 0, i / 7);
        }
        byte[] coded = ImageFiles.write(new IIOImage(image, null, null), "bmp", "BI_RLE8", false);
        assertThat(decode(coded).pixels())
                .isEqualTo(decode(ImageFiles.write(image, "png")).pixels());
    }

    @Test
    void aFileNameSaysNothing() throws IOException {
        Path file = folder.resolve("n02105855_2933.JPEG");
        Files.write(file, ImageFiles.write(ImageFiles.twoColors(BufferedImage.TYPE_INT_RGB), "png"));
        assertThat(ImageCodec.read(file).pixels()).containsExactly(10, 20, 30, (byte) 200, 100, 50);
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
        assertThatThrownBy(() -> decode(new byte[0])).isInstanceOf(ImageException.class);
    }

    @Test
    void pngRoundTripKeepsEveryByte() {
        byte[] pixels = new byte[5 * 4 * 3];
        for (int i = 0; i < pixels.length; i++) {
            pixels[i] = (byte) (i * 37);
        }
        for (Image image :
                new Image[] {new Image(5, 4, 3, pixels), new Image(5, 12, 1, pixels), new Image(5, 3, 4, pixels)}) {
            byte[] png = ImageCodec.encodePng(image);
            assertThat(ImageHeader.sniff(png, png.length, "t").channels()).isEqualTo(image.channels());
            assertThat(ImageCodec.decode(png, png.length, "t", image.channels()).pixels())
                    .isEqualTo(pixels);
        }
    }

    @Test
    void jpegRoundTripIsCloseAndSmallerWithLessQuality() {
        Image image = ImageFiles.photograph(90, 70);
        int last = Integer.MAX_VALUE;
        for (int quality : new int[] {100, 95, 50, 10, 1}) {
            byte[] jpeg = ImageCodec.encodeJpeg(image, quality);
            assertThat(jpeg.length).isLessThan(last);
            last = jpeg.length;
            ImageHeader header = ImageHeader.sniff(jpeg, jpeg.length, "t");
            assertThat(header).isEqualTo(new ImageHeader(ImageFormat.JPEG, 90, 70, 3, 8, 1, 1, false));
            double error = ImageFiles.meanError(decode(jpeg), image);
            assertThat(error).isLessThan(quality == 100 ? 2 : quality == 95 ? 3 : 40);
        }
        byte[] grey = ImageCodec.encodeJpeg(image.withChannels(1), 95);
        assertThat(ImageHeader.sniff(grey, grey.length, "t").channels()).isEqualTo(1);
    }

    /** Annex K's tables scaled as libjpeg does, and chroma halved in both directions. */
    @Test
    void jpegQualityIsLibjpegs() {
        byte[] jpeg = ImageCodec.encodeJpeg(ImageFiles.photograph(32, 32), 95);
        // libjpeg's at 95: (16·10 + 50)/100 = 2, (11·10 + 50)/100 = 1, then (12·10 + 50)/100 = 1, in zigzag order.
        int table = ImageFiles.segment(jpeg, 0xDB) + 2;
        assertThat(jpeg[table]).isZero();
        assertThat(new int[] {jpeg[table + 1], jpeg[table + 2], jpeg[table + 3], jpeg[table + 64]})
                .containsExactly(2, 1, 1, 10);
        int frame = ImageFiles.segment(jpeg, 0xC0);
        assertThat(jpeg[frame + 9]).isEqualTo((byte) 0x22);
        assertThat(jpeg[frame + 12]).isEqualTo((byte) 0x11);
        assertThat(jpeg[frame + 15]).isEqualTo((byte) 0x11);
    }

    @Test
    void jpegNeedsAQualityAndNoOpacity() {
        Image image = new Image(1, 1, 4, new byte[4]);
        assertThatThrownBy(() -> ImageCodec.encodeJpeg(image, 95))
                .isInstanceOf(ImageException.class)
                .hasMessageContaining("opacity");
        for (int quality : new int[] {0, 101}) {
            assertThatThrownBy(() -> ImageCodec.encodeJpeg(image.withChannels(3), quality))
                    .isInstanceOf(ImageException.class)
                    .hasMessageContaining("quality=" + quality);
        }
    }

    @Test
    void greyIsTheLumaOfBt601() {
        Image image = new Image(3, 1, 3, new byte[] {(byte) 255, 0, 0, 0, (byte) 255, 0, 0, 0, (byte) 255});
        // 0.299·255 = 76.2, 0.587·255 = 149.7, 0.114·255 = 29.1
        assertThat(image.withChannels(1).pixels()).containsExactly(76, (byte) 150, 29);
    }
}
