package tenon.io.image;

import java.awt.image.BufferedImage;
import java.awt.image.DataBufferByte;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import javax.imageio.ImageIO;
import javax.imageio.ImageReadParam;
import javax.imageio.ImageReader;

/**
 * Decodes image files of any supported kind to the pixels that a person would see, and encodes JPEG and PNG. JPEG, PNG, BMP, TIFF, WebP and GIF (its first
 * frame) are told apart by their bytes, whatever the file is called.
 *
 * <p>Grey, palette, CMYK and 16-bit pictures become R, G, B bytes; 16-bit values are scaled. Colours of an embedded ICC profile are converted to sRGB; a broken
 * profile is ignored. The EXIF orientation is applied. Opacity is dropped, as OpenCV and torchvision do, unless four channels are asked for: the colours under
 * transparent pixels are those that the file has, nothing is composited. Gamma and chromaticities of PNG files (gAMA, cHRM) are not applied.
 *
 * <p>A file that is truncated or damaged, or asks for more than {@link ImageLimits} allow, is an {@link ImageException}; broken EXIF data and profiles around a
 * sound picture are not.
 */
public final class ImageCodec {
    private ImageCodec() {}

    /** Name of the decoder for a run's manifest: decoders differ in the last bits of JPEG pixels. */
    public static String name() {
        return "imageio " + Runtime.version().feature() + " + twelvemonkeys";
    }

    /** Decodes a file to R, G, B. */
    public static Image read(Path file) {
        try {
            byte[] bytes = Files.readAllBytes(file);
            return decode(bytes, bytes.length, file.toString());
        } catch (NoSuchFileException e) {
            throw new ImageException("image " + file + ": there is no such file", e);
        } catch (IOException e) {
            throw new ImageException("image " + file + ": cannot be read: " + e, e);
        }
    }

    /** Decodes the bytes of an image file to R, G, B. */
    public static Image decode(byte[] bytes, String name) {
        return decode(bytes, bytes.length, name);
    }

    /** Decodes the first {@code length} bytes, an image file, to R, G, B. */
    public static Image decode(byte[] bytes, int length, String name) {
        return decode(bytes, length, name, 3);
    }

    /**
     * Decodes the first {@code length} bytes, an image file.
     *
     * @param name for messages
     * @param channels 1, 3 or 4, as {@link Image#withChannels} makes them; 4 keeps opacity
     * @throws ImageException when the bytes are no image, are damaged, or ask for more than the limits allow
     */
    public static Image decode(byte[] bytes, int length, String name, int channels) {
        ImageFile file = ImageFile.parse(new ByteView(bytes, length, name));
        try {
            if (file instanceof PngFile png) {
                png.checkInflation();
            }
            Pixels pixels = file instanceof JpegFile jpeg ? readJpeg(jpeg) : read(file);
            Image image = pixels.toImage(file.profile(), channels);
            return ExifOrientation.apply(image, file.header().exifOrientation());
        } catch (ImageException e) {
            throw e;
        } catch (IOException | RuntimeException e) {
            // Readers answer damaged files with all kinds of runtime exceptions too.
            throw new ImageException(
                    "image " + name + ": cannot be decoded, it is damaged or of an unsupported kind: " + e, e);
        }
    }

    private static Pixels read(ImageFile file) throws IOException {
        ImageHeader header = file.header();
        return ImageReaders.read(header.format(), file.pixelsOnly(), reader -> {
            checkSize(header, reader);
            return BufferedImages.pixels(reader.read(0));
        });
    }

    private static Pixels readJpeg(JpegFile file) throws IOException {
        return ImageReaders.read(ImageFormat.JPEG, file.pixelsOnly(), reader -> {
            checkSize(file.header(), reader);
            return switch (file.colors()) {
                case GREY -> BufferedImages.pixels(reader.read(0));
                case RGB, YCC -> readRgb(reader, file.header());
                case CMYK, YCCK -> JpegInks.pixels(reader.readRaster(0, null), file);
            };
        });
    }

    /** Straight into R, G, B: a reader left to itself makes B, G, R. */
    private static Pixels readRgb(ImageReader reader, ImageHeader header) throws IOException {
        byte[] rgb = new byte[header.width() * header.height() * 3];
        ImageReadParam parameters = reader.getDefaultReadParam();
        parameters.setDestination(BufferedImages.ofRgb(header.width(), header.height(), rgb));
        reader.read(0, parameters);
        return new Pixels(header.width(), header.height(), 3, rgb, null);
    }

    /** The reader must have understood the header as it was checked. */
    private static void checkSize(ImageHeader header, ImageReader reader) throws IOException {
        if (reader.getWidth(0) != header.width() || reader.getHeight(0) != header.height()) {
            throw new IOException("its header says " + header.width() + "×" + header.height() + ", its decoder "
                    + reader.getWidth(0) + "×" + reader.getHeight(0));
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

    /**
     * A baseline JPEG file's bytes. Colour is stored as YCbCr with halved chroma in both directions (4:2:0), as OpenCV, MXNet's im2rec and Pillow do, at
     * every quality; grey pictures stay grey.
     *
     * @param quality 1 to 100, scaled to quantization tables as libjpeg does
     * @throws ImageException for four channels: JPEG has no opacity
     */
    public static byte[] encodeJpeg(Image image, int quality) {
        if (quality < 1 || quality > 100) {
            throw new ImageException("image: the JPEG quality must be 1 to 100: quality=" + quality);
        }
        if (image.channels() == 4) {
            throw new ImageException("image: JPEG has no opacity: write PNG, or drop it with withChannels(3)");
        }
        try {
            return JpegEncoder.ofThread().encode(image, quality);
        } catch (IOException e) {
            throw new ImageException("image: cannot be encoded as JPEG: " + e.getMessage(), e);
        }
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

    /** R, G, B of a picture of any kind, as {@link #decode} makes them of a file that ImageIO reads so. */
    public static Image ofBufferedImage(BufferedImage picture) {
        return BufferedImages.pixels(picture).toImage(null, 3);
    }

    /** For drawing and for encoders: 8-bit grey, 24-bit colour, or 32-bit colour with opacity. */
    public static BufferedImage toBufferedImage(Image image) {
        int channels = image.channels();
        BufferedImage buffered = new BufferedImage(
                image.width(),
                image.height(),
                switch (channels) {
                    case 1 -> BufferedImage.TYPE_BYTE_GRAY;
                    case 3 -> BufferedImage.TYPE_3BYTE_BGR;
                    default -> BufferedImage.TYPE_4BYTE_ABGR;
                });
        byte[] to = ((DataBufferByte) buffered.getRaster().getDataBuffer()).getData();
        byte[] from = image.pixels();
        // AWT's orders are the reverse of ours: grey, BGR, ABGR.
        for (int i = 0; i < from.length; i += channels) {
            for (int c = 0; c < channels; c++) {
                to[i + channels - 1 - c] = from[i + c];
            }
        }
        return buffered;
    }
}
