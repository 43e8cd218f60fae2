package tenon.io.image;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.junit.jupiter.api.Assertions.assertTimeoutPreemptively;

import com.sun.management.ThreadMXBean;
import java.awt.image.BufferedImage;
import java.lang.management.ManagementFactory;
import java.nio.ByteOrder;
import java.time.Duration;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Random;
import java.util.concurrent.Callable;
import javax.imageio.IIOImage;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Files made to harm: each is refused before its pixels are allocated. */
class HostileImageTest {
    /** Against hangs only. */
    private static final Duration PATIENCE = Duration.ofSeconds(20);

    private static final ThreadMXBean THREADS = (ThreadMXBean) ManagementFactory.getThreadMXBean();

    /** Decodes in a thread that is given up when it hangs, and holds what it allocates against what a refusal may need. */
    private static <T> T bounded(long bytes, Callable<T> call) {
        return assertTimeoutPreemptively(PATIENCE, () -> {
            long before = THREADS.getCurrentThreadAllocatedBytes();
            try {
                return call.call();
            } finally {
                assertThat(THREADS.getCurrentThreadAllocatedBytes() - before).isLessThan(bytes);
            }
        });
    }

    private static void expectRefusal(byte[] file, String... said) {
        // Headers are read in place. The rest covers class loading, and a profile of 4 MiB in a buffer that grew.
        bounded(4L * file.length + (16 << 20), () -> {
            assertThatThrownBy(() -> ImageCodec.decode(file, "hostile"))
                    .isInstanceOf(ImageException.class)
                    .hasMessageContaining("image hostile: ")
                    .satisfies(e -> {
                        for (String part : said) {
                            assertThat(e).hasMessageContaining(part);
                        }
                    });
            return null;
        });
    }

    private static byte[] patched(byte[] file, int at, int... values) {
        byte[] out = file.clone();
        for (int i = 0; i < values.length; i++) {
            out[at + i] = (byte) values[i];
        }
        return out;
    }

    /** 65,500 as two bytes. */
    private static final int HIGH = 65500 >> 8;

    private static final int LOW = 65500 & 0xFF;

    /** The picture's size in each format's header, replaced by a huge one. */
    private static Map<String, byte[]> enormous() {
        BufferedImage image = ImageFiles.colorful(40, 30);
        Map<String, byte[]> files = new LinkedHashMap<>();
        byte[] jpeg = ImageFiles.write(image, "jpg");
        files.put("JPEG", patched(jpeg, ImageFiles.segment(jpeg, 0xC0) + 3, HIGH, LOW, HIGH, LOW));
        files.put("PNG", ImageFiles.greyPng(65500, 65500, ImageFiles.deflatedZeros(1000)));
        files.put("BMP", patched(ImageFiles.write(image, "bmp"), 18, LOW, HIGH, 0, 0, LOW, HIGH, 0, 0));
        byte[] gif = ImageFiles.write(image, "gif");
        int frame = 0;
        while (gif[frame] != 0x2C || gif[frame + 5] != 40 || gif[frame + 7] != 30) {
            frame++;
        }
        files.put("GIF", patched(gif, frame + 5, LOW, HIGH, LOW, HIGH));
        files.put("TIFF", ImageFiles.greyTiff(ByteOrder.BIG_ENDIAN, 65500, 65500, 1, new byte[100]));
        // 14 bits of 16,382 each: the largest that WebP can say, 268 megapixels.
        files.put("WEBP", patched(ImageFiles.losslessWebp(), 21, 0xFE, 0xBF, 0xFF, 0x0F));
        return files;
    }

    @Test
    void anEnormousSizeIsRefused() {
        enormous().forEach((format, file) -> {
            assertThat(ImageFormat.sniff(file, file.length)).hasToString(format);
            expectRefusal(file, "at most 134217728 pixels", "width=");
        });
    }

    /** 11,000² is within the limit, but cannot come out of a few bytes. */
    @Test
    void anImplausibleSizeIsRefused() {
        byte[] jpeg = ImageFiles.write(ImageFiles.colorful(40, 30), "jpg");
        int frame = ImageFiles.segment(jpeg, 0xC0) + 3;
        expectRefusal(patched(jpeg, frame, 11000 >> 8, 11000 & 0xFF, 11000 >> 8, 11000 & 0xFF), "can hold at most");
        expectRefusal(ImageFiles.greyPng(11000, 11000, ImageFiles.deflatedZeros(1000)), "can hold at most");
        expectRefusal(ImageFiles.greyTiff(ByteOrder.LITTLE_ENDIAN, 11000, 11000, 1, new byte[100]), "can hold at most");
    }

    @Test
    void thousandsOfScansAreRefused() {
        byte[] jpeg = ImageFiles.write(new IIOImage(ImageFiles.colorful(64, 64), null, null), "jpeg", null, true);
        // The last scan once more, 5,000 times.
        int last = jpeg.length - 2;
        while ((jpeg[last] & 0xFF) != 0xFF || (jpeg[last + 1] & 0xFF) != 0xDA) {
            last--;
        }
        byte[] scan = Arrays.copyOfRange(jpeg, last, jpeg.length - 2);
        byte[][] scans = new byte[5000][];
        Arrays.fill(scans, scan);
        byte[] file = ImageFiles.join(
                Arrays.copyOf(jpeg, jpeg.length - 2), ImageFiles.join(scans), new byte[] {(byte) 0xFF, (byte) 0xD9});
        expectRefusal(file, "at most 100 scans", "scans=101");
        // And 60 of them where the picture is large.
        byte[] large = ImageFiles.join(
                Arrays.copyOf(jpeg, jpeg.length - 2),
                ImageFiles.join(Arrays.copyOf(scans, 60)),
                new byte[100_000],
                new byte[] {(byte) 0xFF, (byte) 0xD9});
        int frame = ImageFiles.segment(large, 0xC2) + 3;
        expectRefusal(patched(large, frame, 6000 >> 8, 6000 & 0xFF, 6000 >> 8, 6000 & 0xFF), "pixels in all of them");
    }

    @Test
    void pngPixelsMustInflateToExactlyTheirNumber() {
        // 10 rows of 1 + 10 bytes.
        byte[] right = ImageFiles.greyPng(10, 10, ImageFiles.deflatedZeros(110));
        assertThat(ImageCodec.decode(right, "test").pixels()).hasSize(300).containsOnly(0);
        expectRefusal(ImageFiles.greyPng(10, 10, ImageFiles.deflatedZeros(1L << 28)), "IDAT", "at most 110 bytes");
        expectRefusal(ImageFiles.greyPng(10, 10, ImageFiles.deflatedZeros(109)), "inflate to 109 bytes", "need 110");
        byte[] deflated = ImageFiles.deflatedZeros(110);
        expectRefusal(ImageFiles.greyPng(10, 10, Arrays.copyOf(deflated, deflated.length - 8)), "truncated");
        deflated[3] ^= 0x55;
        expectRefusal(ImageFiles.greyPng(10, 10, deflated));
    }

    @Test
    void pngTextsAndProfilesThatInflateWithoutMeasureAreRefused() {
        byte[] png = ImageFiles.write(ImageFiles.colorful(10, 10), "png");
        byte[] bomb = ImageFiles.deflatedZeros(1L << 26);
        byte[] keyword = ImageFiles.ascii("Comment\0\0");
        expectRefusal(ImageFiles.withChunk(png, "iCCP", ImageFiles.join(keyword, bomb)), "iCCP", "at most 4194304");
        expectRefusal(ImageFiles.withChunk(png, "zTXt", ImageFiles.join(keyword, bomb)), "zTXt", "at most 8388608");
        byte[] international = ImageFiles.ascii("Comment\0\1\0en\0Kommentar\0");
        expectRefusal(ImageFiles.withChunk(png, "iTXt", ImageFiles.join(international, bomb)), "iTXt", "at most");
        // Many of which each is harmless.
        byte[] megabyte = ImageFiles.chunk("zTXt", ImageFiles.join(keyword, ImageFiles.deflatedZeros(1 << 20)));
        byte[][] many = new byte[1000][];
        Arrays.fill(many, megabyte);
        byte[] file =
                ImageFiles.join(Arrays.copyOf(png, 33), ImageFiles.join(many), Arrays.copyOfRange(png, 33, png.length));
        expectRefusal(file, "zTXt", "at most");
    }

    @Test
    void damagedPngChunksAreRefused() {
        byte[] png = ImageFiles.write(ImageFiles.colorful(10, 10), "png");
        byte[] head = patched(png, 19, 11);
        expectRefusal(head, "IHDR", "checksum");
        expectRefusal(patched(png, 41, png[41] ^ 1), "IDAT", "checksum");
        expectRefusal(patched(png, 33, 0x7F, 0xFF, 0xFF, 0xFF), "truncated or damaged");
        expectRefusal(ImageFiles.withChunk(png, "IHDR", Arrays.copyOfRange(png, 16, 29)), "IHDR");
        expectRefusal(ImageFiles.withChunk(png, "ABCD", new byte[3]), "ABCD");
        // What need not be understood may be there.
        assertThat(ImageCodec.decode(ImageFiles.withChunk(png, "abCd", new byte[3]), "t")
                        .pixels())
                .isEqualTo(ImageCodec.decode(png, "t").pixels());
    }

    /** Broken EXIF around a sound picture means nothing: cameras and editors write too much of it. */
    @Test
    void brokenExifNeitherHarmsNorTurnsThePicture() {
        byte[] jpeg = ImageFiles.write(ImageFiles.colorful(40, 30), "jpg");
        byte[] plain = ImageCodec.decode(jpeg, "t").pixels();
        byte[] exif = ImageFiles.exif(6, ByteOrder.BIG_ENDIAN);
        byte[][] broken = {
            {},
            {'M', 'M'},
            // Directory beyond the end, before the beginning, at 2^32 − 1.
            patched(exif, 4, 0, 0, 1, 0),
            patched(exif, 4, 0, 0, 0, 0),
            patched(exif, 4, 0xFF, 0xFF, 0xFF, 0xFF),
            // 65,535 entries of which the first is none; cut within the second.
            patched(exif, 8, 0xFF, 0xFF, 0, 0, 0, 0, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0, 0),
            Arrays.copyOf(exif, 30),
            // Orientations there are not.
            ImageFiles.exif(0, ByteOrder.BIG_ENDIAN),
            ImageFiles.exif(9, ByteOrder.BIG_ENDIAN),
            ImageFiles.exif(65535, ByteOrder.LITTLE_ENDIAN),
            patched(exif, 0, 'X', 'X'),
        };
        for (byte[] each : broken) {
            byte[] file = ImageFiles.withExif(jpeg, each);
            Image image = bounded(20 << 20, () -> ImageCodec.decode(file, "t"));
            assertThat(image.width()).isEqualTo(40);
            assertThat(image.pixels()).isEqualTo(plain);
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"jpg", "png", "bmp", "tiff", "gif"})
    void everyTruncationIsRefused(String format) {
        byte[] whole = ImageFiles.write(ImageFiles.colorful(24, 18), format);
        // A GIF's trailer is not needed.
        int needed = whole.length - (format.equals("gif") ? 1 : 0);
        for (int length = 0; length < needed; length++) {
            byte[] cut = Arrays.copyOf(whole, length);
            assertThatThrownBy(() -> ImageCodec.decode(cut, "cut"))
                    .as("the first " + length + " of " + whole.length + " bytes")
                    .isInstanceOf(ImageException.class);
        }
    }

    @Test
    void everyTruncationOfWebpIsRefused() {
        for (byte[] whole : new byte[][] {ImageFiles.WEBP_LOSSY, ImageFiles.WEBP_ALPHA, ImageFiles.losslessWebp()}) {
            for (int length = 0; length < whole.length; length++) {
                byte[] cut = Arrays.copyOf(whole, length);
                assertThatThrownBy(() -> ImageCodec.decode(cut, "cut")).isInstanceOf(ImageException.class);
            }
        }
    }

    /** libjpeg would fill the rest with grey. */
    @Test
    void aJpegWhoseDataEndsEarlyIsRefused() {
        byte[] jpeg = ImageFiles.write(ImageFiles.colorful(64, 64), "jpg");
        byte[] cut = Arrays.copyOf(jpeg, jpeg.length * 3 / 4);
        cut[cut.length - 1] = 0;
        expectRefusal(ImageFiles.join(cut, new byte[] {(byte) 0xFF, (byte) 0xD9}), "premature end");
    }

    @Test
    void brokenJpegHeadersAreRefused() {
        byte[] jpeg = ImageFiles.write(ImageFiles.colorful(16, 16), "jpg");
        int frame = ImageFiles.segment(jpeg, 0xC0);
        expectRefusal(patched(jpeg, frame + 3, 0, 0), "height=0");
        expectRefusal(patched(jpeg, frame + 7, 255), "components=255");
        expectRefusal(patched(jpeg, frame + 2, 12), "12 bits");
        expectRefusal(patched(jpeg, frame - 1, 0xC9), "arithmetic");
        expectRefusal(patched(jpeg, frame, 0, 1), "length of a JPEG segment");
        expectRefusal(ImageFiles.join(Arrays.copyOf(jpeg, 2), jpeg), "second JPEG picture");
        expectRefusal(patched(jpeg, frame, 0xFF, 0xFF), "truncated");
        byte[] segment = Arrays.copyOfRange(jpeg, frame + 2, frame + 17);
        expectRefusal(ImageFiles.withSegment(jpeg, 0xC0, segment), "two JPEG frame headers");
        int scan = ImageFiles.segment(jpeg, 0xDA);
        expectRefusal(ImageFiles.join(Arrays.copyOf(jpeg, 2), Arrays.copyOfRange(jpeg, scan - 2, jpeg.length)), "scan");
        expectRefusal(ImageFiles.join(Arrays.copyOf(jpeg, scan - 2), new byte[] {(byte) 0xFF, (byte) 0xD9}), "no scan");
    }

    @Test
    void tiffDirectoriesThatLieAreRefused() {
        byte[] good = ImageFiles.greyTiff(ByteOrder.BIG_ENDIAN, 4, 3, 1, new byte[12]);
        assertThat(ImageCodec.decode(good, "t").width()).isEqualTo(4);
        int entries = 10;
        expectRefusal(patched(good, 4, 0x7F, 0xFF, 0xFF, 0xF0), "first directory");
        expectRefusal(patched(ImageFiles.join(good, new byte[800_000]), 8, 0xEA, 0x60), "entries");
        expectRefusal(patched(good, 8, 0, 0), "entries");
        // BitsPerSample: 2^32 − 1 values.
        expectRefusal(patched(good, entries + 2 * 12 + 4, 0xFF, 0xFF, 0xFF, 0xFF), "TIFF tag 258");
        // StripOffsets and StripByteCounts outside.
        expectRefusal(patched(good, entries + 5 * 12 + 8, 0x7F, 0, 0, 0), "strip");
        expectRefusal(patched(good, entries + 9 * 12 + 8, 0x7F, 0, 0, 0), "strip");
        int[][] tiles = {
            {256, 4, 1, 16},
            {257, 4, 1, 16},
            {258, 3, 1, 8},
            {259, 3, 1, 1},
            {262, 3, 1, 1},
            {277, 3, 1, 1},
            {322, 4, 1, 1 << 30},
            {323, 4, 1, 1 << 30},
            {324, 4, 1, 140},
            {325, 4, 1, 10}
        };
        expectRefusal(ImageFiles.tiff(ByteOrder.BIG_ENDIAN, tiles, new byte[256]), "tiles");
        // A directory that names itself as the next one is looked at once.
        int next = entries + 10 * 12;
        byte[] loop = patched(good, next, 0, 0, 0, 8);
        assertThat(bounded(20 << 20, () -> ImageCodec.decode(loop, "t")).width())
                .isEqualTo(4);
    }

    @Test
    void brokenGifBmpAndWebpHeadersAreRefused() {
        byte[] bmp = ImageFiles.write(ImageFiles.colorful(8, 8), "bmp");
        expectRefusal(patched(bmp, 14, 0xFF, 0xFF, 0xFF, 0x7F), "header of a BMP");
        expectRefusal(patched(bmp, 46, 0xFF, 0xFF, 0xFF, 0x7F), "palette");
        expectRefusal(patched(bmp, 22, 0, 0, 0, 0x80), "at most");
        expectRefusal(patched(bmp, 10, 0xFF, 0xFF, 0xFF, 0xFF), "pixels of a BMP");
        byte[] gif = ImageFiles.join(ImageFiles.ascii("GIF89a"), new byte[] {1, 0, 1, 0, 0, 0, 0, 0x21, (byte) 0xFE});
        // A comment of 10 MB without end.
        byte[] comment = new byte[10 << 20];
        Arrays.fill(comment, (byte) 0xFF);
        expectRefusal(ImageFiles.join(gif, comment), "truncated");
        byte[] webp = ImageFiles.WEBP_LOSSY;
        expectRefusal(patched(webp, 16, 0xFF, 0xFF, 0xFF, 0xFF), "VP8");
        expectRefusal(patched(webp, 4, 0xFF, 0xFF, 0xFF, 0xFF), "truncated");
        expectRefusal(patched(ImageFiles.WEBP_ALPHA, 24, 0xFF, 0xFF), "canvas");
        expectRefusal(ImageFiles.webp(ImageFiles.webpChunk("ANIM", new byte[6])), "animated");
    }

    /** A lossless picture that goes on after the end of its file: some decoders would build prefix codes for minutes. */
    @Test
    void losslessWebpThatEndsEarlyIsRefused() {
        byte[] webp = ImageFiles.losslessWebp();
        // 512×512, and after the header nothing but ones: a transform of type 3 …
        byte[] file = patched(webp, 21, 0xFF, 0xC1, 0x7F, 0);
        Arrays.fill(file, 25, file.length, (byte) 0xFF);
        expectRefusal(file);
        Random random = new Random(5);
        for (int round = 0; round < 300; round++) {
            byte[] noise = file.clone();
            for (int i = 25; i < noise.length; i++) {
                noise[i] = (byte) random.nextInt();
            }
            bounded((16 << 20) + 160L * 512 * 512, () -> {
                try {
                    ImageCodec.decode(noise, "noise");
                } catch (ImageException e) {
                    assertThat(e).hasMessageContaining("image noise: ");
                }
                return null;
            });
        }
    }

    /** Whatever is done to a file, the answer is a picture or an ImageException, soon and within bounds. */
    @ParameterizedTest
    @ValueSource(strings = {"jpg", "png", "bmp", "tiff", "gif", "webp", "progressive"})
    void mangledFilesAreDecodedOrRefused(String format) {
        byte[][] seeds = switch (format) {
            case "webp" ->
                new byte[][] {
                    ImageFiles.WEBP_LOSSY, ImageFiles.WEBP_ALPHA, ImageFiles.WEBP_ORIENTED, ImageFiles.losslessWebp()
                };
            case "progressive" ->
                new byte[][] {
                    ImageFiles.write(new IIOImage(ImageFiles.colorful(24, 18), null, null), "jpeg", null, true)
                };
            case "tiff" ->
                new byte[][] {
                    ImageFiles.write(ImageFiles.colorful(24, 18), "tiff"),
                    ImageFiles.write(new IIOImage(ImageFiles.colorful(24, 18), null, null), "tiff", "LZW", false),
                    ImageFiles.write(new IIOImage(ImageFiles.colorful(24, 18), null, null), "tiff", "JPEG", false)
                };
            default -> new byte[][] {ImageFiles.write(ImageFiles.colorful(24, 18), format)};
        };
        Random random = new Random(7);
        for (int round = 0; round < 1500; round++) {
            byte[] file = seeds[round % seeds.length].clone();
            int changes = 1 + random.nextInt(4);
            for (int i = 0; i < changes; i++) {
                // Headers matter most.
                int at = random.nextInt(random.nextBoolean() ? file.length : Math.min(file.length, 120));
                file[at] = (byte) (random.nextBoolean() ? random.nextInt() : file[at] ^ 1 << random.nextInt(8));
            }
            if (format.equals("png")) {
                ImageFiles.repairChecksums(file);
            }
            int number = round;
            bounded((16 << 20) + 160 * claimedPixels(file), () -> {
                try {
                    Image image = ImageCodec.decode(file, "mangled");
                    assertThat(image.channels()).isEqualTo(3);
                } catch (ImageException e) {
                    assertThat(e).as("round " + number).hasMessageContaining("mangled");
                }
                return null;
            });
        }
    }

    /** As many as a sound header says; readers of lossless WebP make small objects for each, soon forgotten. */
    private static long claimedPixels(byte[] file) {
        try {
            ImageHeader header = ImageHeader.sniff(file, file.length, "mangled");
            return (long) header.width() * header.height();
        } catch (ImageException _) {
            return 0;
        }
    }
}
