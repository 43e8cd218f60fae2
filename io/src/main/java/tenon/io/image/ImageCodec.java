package tenon.io.image;

import java.awt.color.ColorSpace;
import java.awt.image.BufferedImage;
import java.awt.image.ColorModel;
import java.awt.image.ComponentColorModel;
import java.awt.image.DataBuffer;
import java.awt.image.DataBufferByte;
import java.awt.image.Raster;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.Iterator;
import javax.imageio.ImageIO;
import javax.imageio.ImageReader;
import javax.imageio.stream.ImageInputStream;
import javax.imageio.stream.MemoryCacheImageInputStream;

/**
 * Decodes image files through ImageIO with the TwelveMonkeys plug-ins: JPEG (CMYK too), PNG, BMP, TIFF, WebP, GIF. Grey, palette, 16-bit and
 * transparent images all become R, G, B bytes: 16-bit values are scaled, transparency is dropped, colour profiles and EXIF orientation are
 * not applied.
 */
public final class ImageCodec {
    private static final long MAX_PIXELS = 1L << 27;

    private ImageCodec() {}

    /** Name of the decoder for a run's manifest: decoders differ in the last bits of JPEG pixels. */
    public static String name() {
        return "imageio " + Runtime.version().feature() + " + twelvemonkeys";
    }

    /** Decodes a file to R, G, B. */
    public static Image read(Path file) {
        try {
            return decode(Files.readAllBytes(file), file.toString());
        } catch (NoSuchFileException e) {
            throw new ImageException("image " + file + ": there is no such file", e);
        } catch (IOException e) {
            throw new ImageException("image " + file + ": cannot be read: " + e, e);
        }
    }

    /**
     * Decodes the bytes of an image file to R, G, B.
     *
     * @param name for messages
     * @throws ImageException when the bytes are no image, are damaged, or describe one of more than 2^27 pixels
     */
    public static Image decode(byte[] bytes, String name) {
        return decode(bytes, bytes.length, name);
    }

    /** As {@link #decode(byte[], String)} with the first {@code length} bytes. */
    public static Image decode(byte[] bytes, int length, String name) {
        try (ImageInputStream in = new MemoryCacheImageInputStream(new ByteArrayInputStream(bytes, 0, length))) {
            Iterator<ImageReader> readers = ImageIO.getImageReaders(in);
            if (!readers.hasNext()) {
                throw new ImageException("image " + name
                        + ": this is no image file of a known format (JPEG, PNG, BMP, TIFF, WebP, GIF)");
            }
            ImageReader reader = readers.next();
            try {
                reader.setInput(in, true, true);
                long pixels = (long) reader.getWidth(0) * reader.getHeight(0);
                if (pixels > MAX_PIXELS) {
                    throw new ImageException("image " + name + ": must have at most " + MAX_PIXELS + " pixels: width="
                            + reader.getWidth(0) + ", height=" + reader.getHeight(0));
                }
                return toRgb(reader.read(0));
            } finally {
                reader.dispose();
            }
        } catch (ImageException e) {
            throw e;
        } catch (IOException | RuntimeException e) {
            // Readers answer damaged files with all kinds of runtime exceptions too.
            throw new ImageException(
                    "image " + name + ": cannot be decoded, it is damaged or of an unsupported kind: " + e, e);
        }
    }

    /** Any image as R, G, B bytes. */
    public static Image toRgb(BufferedImage image) {
        int width = image.getWidth();
        int height = image.getHeight();
        byte[] out = new byte[Math.multiplyExact(Math.multiplyExact(width, height), 3)];
        ColorModel colors = image.getColorModel();
        int space = colors.getColorSpace().getType();
        boolean integral = image.getRaster().getTransferType() == DataBuffer.TYPE_BYTE
                || image.getRaster().getTransferType() == DataBuffer.TYPE_USHORT;
        if (image.getType() == BufferedImage.TYPE_3BYTE_BGR && isWhole(image)) {
            byte[] bgr = ((DataBufferByte) image.getRaster().getDataBuffer()).getData();
            for (int i = 0; i < out.length; i += 3) {
                out[i] = bgr[i + 2];
                out[i + 1] = bgr[i + 1];
                out[i + 2] = bgr[i];
            }
        } else if (colors instanceof ComponentColorModel
                && integral
                && !colors.isAlphaPremultiplied()
                && (space == ColorSpace.TYPE_GRAY || space == ColorSpace.TYPE_RGB)) {
            // getRGB would pass grey values through a gamma curve and colours through their profile.
            copyBands(image.getRaster(), colors, space == ColorSpace.TYPE_GRAY, out);
        } else {
            int[] row = new int[width];
            int o = 0;
            for (int y = 0; y < height; y++) {
                image.getRGB(0, y, width, 1, row, 0, width);
                for (int argb : row) {
                    out[o++] = (byte) (argb >> 16);
                    out[o++] = (byte) (argb >> 8);
                    out[o++] = (byte) argb;
                }
            }
        }
        return new Image(width, height, 3, out);
    }

    private static boolean isWhole(BufferedImage image) {
        Raster raster = image.getRaster();
        return raster.getParent() == null
                && ((DataBufferByte) raster.getDataBuffer()).getData().length
                        == 3L * image.getWidth() * image.getHeight();
    }

    private static void copyBands(Raster raster, ColorModel colors, boolean grey, byte[] out) {
        int width = raster.getWidth();
        int bands = raster.getNumBands();
        int largest = (1 << colors.getComponentSize(0)) - 1;
        int[] row = new int[width * bands];
        int o = 0;
        for (int y = 0; y < raster.getHeight(); y++) {
            raster.getPixels(raster.getMinX(), raster.getMinY() + y, width, 1, row);
            for (int x = 0; x < width; x++) {
                for (int c = 0; c < 3; c++) {
                    int value = row[x * bands + (grey ? 0 : c)];
                    out[o++] = (byte) ((value * 255L + largest / 2) / largest);
                }
            }
        }
    }

    /** Whether the bytes begin as a JPEG or PNG file does. */
    public static boolean isJpegOrPng(byte[] bytes) {
        boolean jpeg =
                bytes.length > 2 && bytes[0] == (byte) 0xFF && bytes[1] == (byte) 0xD8 && bytes[2] == (byte) 0xFF;
        boolean png =
                bytes.length > 8 && bytes[0] == (byte) 0x89 && bytes[1] == 'P' && bytes[2] == 'N' && bytes[3] == 'G';
        return jpeg || png;
    }

    /** A PNG file's bytes. */
    public static byte[] encodePng(Image image) {
        BufferedImage buffered = toBufferedImage(image);
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        try {
            if (!ImageIO.write(buffered, "png", out)) {
                throw new IOException("ImageIO has no PNG writer");
            }
        } catch (IOException e) {
            throw new ImageException("image: cannot be encoded as PNG: " + e.getMessage(), e);
        }
        return out.toByteArray();
    }

    /** For drawing and for encoders: 8-bit grey or 24-bit colour. */
    public static BufferedImage toBufferedImage(Image image) {
        boolean grey = image.channels() == 1;
        BufferedImage buffered = new BufferedImage(
                image.width(), image.height(), grey ? BufferedImage.TYPE_BYTE_GRAY : BufferedImage.TYPE_3BYTE_BGR);
        byte[] to = ((DataBufferByte) buffered.getRaster().getDataBuffer()).getData();
        byte[] from = image.pixels();
        if (grey) {
            System.arraycopy(from, 0, to, 0, from.length);
        } else {
            for (int i = 0; i < from.length; i += 3) {
                to[i] = from[i + 2];
                to[i + 1] = from[i + 1];
                to[i + 2] = from[i];
            }
        }
        return buffered;
    }
}
