package tenon.io.image;

import static org.assertj.core.api.Assertions.assertThat;

import java.awt.image.BufferedImage;
import java.awt.image.DataBuffer;
import java.awt.image.Raster;
import java.awt.image.WritableRaster;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.Base64;
import java.util.Random;
import java.util.zip.CRC32;
import java.util.zip.Deflater;
import javax.imageio.IIOImage;
import javax.imageio.ImageIO;
import javax.imageio.ImageWriteParam;
import javax.imageio.ImageWriter;
import javax.imageio.stream.MemoryCacheImageOutputStream;

/** Image files for tests, written by ImageIO or byte by byte. */
final class ImageFiles {
    /** 32×16, left half (200, 100, 50), right half (30, 60, 200); lossy. */
    static final byte[] WEBP_LOSSY = Base64.getDecoder()
            .decode("UklGRlgAAABXRUJQVlA4IEwAAACQBACdASogABAAPjEUiEKiISEYBAAgAwS0AE6ZQjgbwD8AP1A4wLsB+qoGrxAA"
                    + "/txR//mnG1fyP/9nPlsD5P/zphA8XfLVeiOZ8AAA");

    /** The same, the right half transparent. */
    static final byte[] WEBP_ALPHA = Base64.getDecoder()
            .decode("UklGRoYAAABXRUJQVlA4WAoAAAAQAAAAHwAADwAAQUxQSBMAAAABDzD/ERFCIJDkLz3AAhH9j+IFAFZQOCBMAAAA"
                    + "kAQAnQEqIAAQAD4xFIhCoiEhGAQAIAMEtABOmUI4G8A/AD9QOMC7AfqqBq8QAP7cUf/5pxtX8j//Zz5bA+T/86YQPF3y"
                    + "1XojmfAAAA==");

    /** The first with EXIF orientation 6. */
    static final byte[] WEBP_ORIENTED = Base64.getDecoder()
            .decode("UklGRowAAABXRUJQVlA4WAoAAAAIAAAAHwAADwAAVlA4IEwAAACQBACdASogABAAPjEUiEKiISEYBAAgAwS0AE6Z"
                    + "QjgbwD8AP1A4wLsB+qoGrxAA/txR//mnG1fyP/9nPlsD5P/zphA8XfLVeiOZ8AAARVhJRhoAAABNTQAqAAAACAAB"
                    + "ARIAAwAAAAEABgAAAAAAAA==");

    private ImageFiles() {}

    static byte[] write(BufferedImage image, String format) {
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        try {
            assertThat(ImageIO.write(image, format, out)).isTrue();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        return out.toByteArray();
    }

    /** @param compression the writer's name of it, or null */
    static byte[] write(IIOImage image, String format, String compression, boolean progressive) {
        ImageWriter writer = ImageIO.getImageWritersByFormatName(format).next();
        ImageWriteParam parameters = writer.getDefaultWriteParam();
        if (compression != null) {
            parameters.setCompressionMode(ImageWriteParam.MODE_EXPLICIT);
            parameters.setCompressionType(compression);
        }
        if (progressive) {
            parameters.setProgressiveMode(ImageWriteParam.MODE_DEFAULT);
        }
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        try (MemoryCacheImageOutputStream stream = new MemoryCacheImageOutputStream(out)) {
            writer.setOutput(stream);
            writer.write(null, image, parameters);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        } finally {
            writer.dispose();
        }
        return out.toByteArray();
    }

    /** 2×1: (10, 20, 30) and (200, 100, 50). */
    static BufferedImage twoColors(int type) {
        BufferedImage image = new BufferedImage(2, 1, type);
        image.setRGB(0, 0, 0xFF0A141E);
        image.setRGB(1, 0, 0xFFC86432);
        return image;
    }

    static BufferedImage plain(int width, int height, int rgb) {
        BufferedImage image = new BufferedImage(width, height, BufferedImage.TYPE_INT_RGB);
        for (int i = 0; i < width * height; i++) {
            image.setRGB(i % width, i / width, rgb);
        }
        return image;
    }

    /** Every pixel another colour. */
    static BufferedImage colorful(int width, int height) {
        BufferedImage image = new BufferedImage(width, height, BufferedImage.TYPE_INT_RGB);
        for (int i = 0; i < width * height; i++) {
            image.setRGB(i % width, i / width, i * 7919);
        }
        return image;
    }

    /** 16×16 of the given stored components, without any marker that says what they mean. */
    static byte[] bareJpeg(int... components) {
        WritableRaster raster = Raster.createInterleavedRaster(DataBuffer.TYPE_BYTE, 16, 16, components.length, null);
        for (int i = 0; i < 256; i++) {
            raster.setPixel(i % 16, i / 16, components);
        }
        return write(new IIOImage(raster, null, null), "jpeg", null, false);
    }

    static byte[] adobe(byte[] jpeg, int transform) {
        return withSegment(jpeg, 0xEE, new byte[] {'A', 'd', 'o', 'b', 'e', 0, 100, 0, 0, 0, 0, (byte) transform});
    }

    /** Inserts a segment at the beginning of a JPEG file. */
    static byte[] withSegment(byte[] jpeg, int marker, byte[] body) {
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        out.write(jpeg, 0, 2);
        out.write(0xFF);
        out.write(marker);
        out.write(body.length + 2 >> 8);
        out.write(body.length + 2);
        out.writeBytes(body);
        out.write(jpeg, 2, jpeg.length - 2);
        return out.toByteArray();
    }

    static byte[] withProfile(byte[] jpeg, byte[] profile) {
        return withSegment(jpeg, 0xE2, join(ascii("ICC_PROFILE\0\1\1"), profile));
    }

    static byte[] withExif(byte[] jpeg, byte[] exif) {
        return withSegment(jpeg, 0xE1, join(ascii("Exif\0\0"), exif));
    }

    static byte[] exif(int orientation, ByteOrder order) {
        ByteBuffer exif = ByteBuffer.allocate(40).order(order);
        exif.put(ascii(order == ByteOrder.LITTLE_ENDIAN ? "II" : "MM"))
                .putShort((short) 42)
                .putInt(8);
        exif.putShort((short) 2);
        // ImageWidth, then Orientation, both of type SHORT.
        exif.putShort((short) 256)
                .putShort((short) 3)
                .putInt(1)
                .putShort((short) 7)
                .putShort((short) 0);
        exif.putShort((short) 274)
                .putShort((short) 3)
                .putInt(1)
                .putShort((short) orientation)
                .putShort((short) 0);
        return exif.putInt(0).array();
    }

    /** Inserts a chunk after the header of a PNG file. */
    static byte[] withChunk(byte[] png, String type, byte[] body) {
        int head = 33;
        return join(Arrays.copyOf(png, head), chunk(type, body), Arrays.copyOfRange(png, head, png.length));
    }

    static byte[] chunk(String type, byte[] body) {
        CRC32 crc = new CRC32();
        crc.update(ascii(type));
        crc.update(body);
        return ByteBuffer.allocate(body.length + 12)
                .putInt(body.length)
                .put(ascii(type))
                .put(body)
                .putInt((int) crc.getValue())
                .array();
    }

    /** A PNG file of 8-bit grey pixels with whatever compressed data. */
    static byte[] greyPng(int width, int height, byte[] idat) {
        byte[] head = ByteBuffer.allocate(13)
                .putInt(width)
                .putInt(height)
                .put(new byte[] {8, 0, 0, 0, 0})
                .array();
        return join(
                new byte[] {(byte) 0x89, 'P', 'N', 'G', '\r', '\n', 0x1A, '\n'},
                chunk("IHDR", head),
                chunk("IDAT", idat),
                chunk("IEND", new byte[0]));
    }

    static byte[] deflatedZeros(long count) {
        try (Deflater deflater = new Deflater()) {
            ByteArrayOutputStream out = new ByteArrayOutputStream();
            byte[] zeros = new byte[1 << 16];
            byte[] buffer = new byte[1 << 16];
            for (long done = 0; done < count; done += zeros.length) {
                deflater.setInput(zeros, 0, (int) Math.min(zeros.length, count - done));
                while (!deflater.needsInput()) {
                    out.write(buffer, 0, deflater.deflate(buffer));
                }
            }
            deflater.finish();
            while (!deflater.finished()) {
                out.write(buffer, 0, deflater.deflate(buffer));
            }
            return out.toByteArray();
        }
    }

    /** Gives each chunk of a PNG file the checksum of what it now holds. */
    static void repairChecksums(byte[] png) {
        ByteBuffer file = ByteBuffer.wrap(png);
        int at = 8;
        while (at + 12 <= png.length) {
            int size = file.getInt(at);
            if (size < 0 || size > png.length - at - 12) {
                return;
            }
            CRC32 crc = new CRC32();
            crc.update(png, at + 4, size + 4);
            file.putInt(at + 8 + size, (int) crc.getValue());
            at += 12 + size;
        }
    }

    static byte[] deflated(byte[] bytes) {
        try (Deflater deflater = new Deflater()) {
            deflater.setInput(bytes);
            deflater.finish();
            byte[] out = new byte[bytes.length + 100];
            int size = deflater.deflate(out);
            assertThat(deflater.finished()).isTrue();
            return Arrays.copyOf(out, size);
        }
    }

    /**
     * A TIFF file: one directory at byte 8, then the data.
     *
     * @param tags (tag, type, count, value); where values do not fit four bytes, and for StripOffsets, the value is a place in the data
     */
    static byte[] tiff(ByteOrder order, int[][] tags, byte[] data) {
        int start = 8 + 2 + 12 * tags.length + 4;
        ByteBuffer out = ByteBuffer.allocate(start + data.length).order(order);
        out.put(ascii(order == ByteOrder.LITTLE_ENDIAN ? "II" : "MM")).putShort((short) 42);
        out.putInt(8).putShort((short) tags.length);
        for (int[] tag : tags) {
            boolean inData = tag[0] == 273 || tag[2] > 1;
            int value = inData ? start + tag[3] : tag[3];
            out.putShort((short) tag[0]).putShort((short) tag[1]).putInt(tag[2]);
            if (tag[1] == 3 && !inData) {
                out.putShort((short) value).putShort((short) 0);
            } else {
                out.putInt(value);
            }
        }
        return out.putInt(0).put(data).array();
    }

    /** An 8-bit grey TIFF file. */
    static byte[] greyTiff(ByteOrder order, int width, int height, int orientation, byte[] data) {
        int[][] tags = {
            {256, 4, 1, width},
            {257, 4, 1, height},
            {258, 3, 1, 8},
            {259, 3, 1, 1},
            {262, 3, 1, 1},
            {273, 4, 1, 0},
            {274, 3, 1, orientation},
            {277, 3, 1, 1},
            {278, 4, 1, height},
            {279, 4, 1, data.length}
        };
        return tiff(order, tags, data);
    }

    /** 1×1 with a colour profile. */
    static byte[] rgbTiff(byte[] profile, int r, int g, int b) {
        byte[] data = join(new byte[] {0, 8, 0, 8, 0, 8, (byte) r, (byte) g, (byte) b, 0}, profile);
        int[][] tags = {
            {256, 4, 1, 1},
            {257, 4, 1, 1},
            {258, 3, 3, 0},
            {259, 3, 1, 1},
            {262, 3, 1, 2},
            {273, 4, 1, 6},
            {277, 3, 1, 3},
            {278, 4, 1, 1},
            {279, 4, 1, 3},
            {34675, 7, profile.length, 10}
        };
        return tiff(ByteOrder.BIG_ENDIAN, tags, data);
    }

    /** 1×1 of 16 bits. */
    static byte[] deepTiff(int r, int g, int b) {
        ByteBuffer data = ByteBuffer.allocate(12);
        for (int value : new int[] {16, 16, 16, r, g, b}) {
            data.putShort((short) value);
        }
        int[][] tags = {
            {256, 4, 1, 1},
            {257, 4, 1, 1},
            {258, 3, 3, 0},
            {259, 3, 1, 1},
            {262, 3, 1, 2},
            {273, 4, 1, 6},
            {277, 3, 1, 3},
            {278, 4, 1, 1},
            {279, 4, 1, 6}
        };
        return tiff(ByteOrder.BIG_ENDIAN, tags, data.array());
    }

    static byte[] webp(byte[]... chunks) {
        byte[] body = join(chunks);
        return join(ascii("RIFF"), littleEndian(body.length + 4), ascii("WEBP"), body);
    }

    static byte[] webpChunk(String type, byte[] body) {
        return join(ascii(type), littleEndian(body.length), body, new byte[body.length & 1]);
    }

    /** A simple lossy WebP file of 32×16, extended by a profile. */
    static byte[] withWebpProfile(byte[] simple, byte[] profile) {
        byte[] picture = Arrays.copyOfRange(simple, 12, simple.length);
        byte[] extended = {0x20, 0, 0, 0, 31, 0, 0, 15, 0, 0};
        return webp(webpChunk("VP8X", extended), webpChunk("ICCP", profile), picture);
    }

    /** 2×1: (10, 20, 30) and (200, 100, 50), with prefix codes of two symbols for each colour. */
    static byte[] losslessWebp() {
        Bits bits = new Bits();
        bits.add(0x2F, 8).add(1, 14).add(0, 14).add(0, 1).add(0, 3);
        // No transform, no colour cache, one group of prefix codes.
        bits.add(0, 3);
        int[][] codes = {{20, 100}, {10, 200}, {30, 50}};
        for (int[] code : codes) {
            bits.add(1, 1).add(1, 1).add(1, 1).add(code[0], 8).add(code[1], 8);
        }
        bits.add(1, 1).add(0, 1).add(1, 1).add(255, 8);
        bits.add(1, 1).add(0, 1).add(0, 1).add(0, 1);
        bits.add(0b000, 3).add(0b111, 3);
        return webp(webpChunk("VP8L", bits.bytes()));
    }

    /** The lowest bit first. */
    private static final class Bits {
        private final ByteArrayOutputStream out = new ByteArrayOutputStream();
        private long held;
        private int count;

        Bits add(int value, int bits) {
            held |= (long) value << count;
            count += bits;
            while (count >= 8) {
                out.write((int) held);
                held >>= 8;
                count -= 8;
            }
            return this;
        }

        byte[] bytes() {
            byte[] whole = out.toByteArray();
            return join(whole, new byte[] {(byte) held, 0});
        }
    }

    private static byte[] littleEndian(int value) {
        return ByteBuffer.allocate(4)
                .order(ByteOrder.LITTLE_ENDIAN)
                .putInt(value)
                .array();
    }

    /** Smooth shapes under fine texture. */
    static Image photograph(int width, int height) {
        byte[] pixels = new byte[width * height * 3];
        Random random = new Random(1);
        for (int y = 0; y < height; y++) {
            for (int x = 0; x < width; x++) {
                double shape = 60 * Math.sin(x * 0.07) * Math.cos(y * 0.05) + 30 * Math.sin(x * 0.31 + y * 0.23);
                int texture = random.nextInt(12);
                for (int c = 0; c < 3; c++) {
                    pixels[(y * width + x) * 3 + c] = (byte) (120 + shape + 12 * c + texture);
                }
            }
        }
        return new Image(width, height, 3, pixels);
    }

    static double meanError(Image a, Image b) {
        assertThat(a.pixels()).hasSameSizeAs(b.pixels());
        double sum = 0;
        for (int i = 0; i < a.pixels().length; i++) {
            sum += Math.abs((a.pixels()[i] & 0xFF) - (b.pixels()[i] & 0xFF));
        }
        return sum / a.pixels().length;
    }

    /** Where the length of the first segment with this marker is. */
    static int segment(byte[] jpeg, int marker) {
        int at = 2;
        while ((jpeg[at + 1] & 0xFF) != marker) {
            at += 2 + ((jpeg[at + 2] & 0xFF) << 8 | jpeg[at + 3] & 0xFF);
        }
        return at + 2;
    }

    static byte[] ascii(String text) {
        return text.getBytes(StandardCharsets.ISO_8859_1);
    }

    static byte[] join(byte[]... parts) {
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        for (byte[] part : parts) {
            out.writeBytes(part);
        }
        return out.toByteArray();
    }
}
