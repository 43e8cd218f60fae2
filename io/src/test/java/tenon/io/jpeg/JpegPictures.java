package tenon.io.jpeg;

import java.awt.image.BufferedImage;
import java.awt.image.DataBufferByte;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.util.Arrays;
import java.util.Random;
import javax.imageio.IIOImage;
import javax.imageio.ImageIO;
import javax.imageio.ImageTypeSpecifier;
import javax.imageio.ImageWriteParam;
import javax.imageio.ImageWriter;
import javax.imageio.metadata.IIOMetadata;
import javax.imageio.metadata.IIOMetadataNode;
import javax.imageio.stream.ImageOutputStream;

/** JPEG files for tests: waves and noise, written by the JDK's encoder. */
public final class JpegPictures {
    /** How colours are stored. */
    public enum Kind {
        GREY,
        /** Colours at half the resolution each way. */
        COLOR_420,
        COLOR_444,
        PROGRESSIVE,
        /** With restart markers. */
        RESTARTS
    }

    private JpegPictures() {}

    public static byte[] file(Kind kind, int width, int height, int seed) {
        BufferedImage image = picture(kind == Kind.GREY, width, height, seed);
        ImageWriter writer = ImageIO.getImageWritersByFormatName("jpeg").next();
        ImageWriteParam options = writer.getDefaultWriteParam();
        options.setCompressionMode(ImageWriteParam.MODE_EXPLICIT);
        options.setCompressionQuality(0.95f);
        if (kind == Kind.PROGRESSIVE) {
            options.setProgressiveMode(ImageWriteParam.MODE_DEFAULT);
        }
        IIOMetadata metadata = writer.getDefaultImageMetadata(new ImageTypeSpecifier(image), options);
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        try (ImageOutputStream out = ImageIO.createImageOutputStream(bytes)) {
            change(metadata, kind);
            writer.setOutput(out);
            writer.write(null, new IIOImage(image, null, metadata), options);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        } finally {
            writer.dispose();
        }
        return bytes.toByteArray();
    }

    private static void change(IIOMetadata metadata, Kind kind) throws IOException {
        String format = metadata.getNativeMetadataFormatName();
        IIOMetadataNode root = (IIOMetadataNode) metadata.getAsTree(format);
        if (kind == Kind.COLOR_444) {
            IIOMetadataNode luma =
                    (IIOMetadataNode) root.getElementsByTagName("componentSpec").item(0);
            luma.setAttribute("HsamplingFactor", "1");
            luma.setAttribute("VsamplingFactor", "1");
            metadata.setFromTree(format, root);
        }
        if (kind == Kind.RESTARTS) {
            IIOMetadataNode interval = new IIOMetadataNode("dri");
            interval.setAttribute("interval", "4");
            root.getElementsByTagName("markerSequence").item(0).appendChild(interval);
            metadata.setFromTree(format, root);
        }
    }

    private static BufferedImage picture(boolean grey, int width, int height, int seed) {
        Random random = new Random(seed);
        BufferedImage image =
                new BufferedImage(width, height, grey ? BufferedImage.TYPE_BYTE_GRAY : BufferedImage.TYPE_3BYTE_BGR);
        byte[] pixels = ((DataBufferByte) image.getRaster().getDataBuffer()).getData();
        int channels = grey ? 1 : 3;
        double turn = random.nextDouble();
        for (int i = 0; i < pixels.length; i++) {
            int x = i / channels % width;
            int y = i / channels / width;
            int c = i % channels;
            double wave = Math.sin(0.11 * x * (c + 1) + turn) + Math.cos(0.07 * y * (3 - c) + turn);
            pixels[i] = (byte) Math.clamp(Math.round(128 + 50 * wave + 8 * random.nextGaussian()), 0, 255);
        }
        return image;
    }

    /** The file with a marker segment after its first marker. */
    public static byte[] withSegment(byte[] file, int marker, byte[] contents) {
        byte[] out = new byte[file.length + 4 + contents.length];
        out[0] = file[0];
        out[1] = file[1];
        out[2] = (byte) 0xFF;
        out[3] = (byte) marker;
        out[4] = (byte) ((contents.length + 2) >> 8);
        out[5] = (byte) (contents.length + 2);
        System.arraycopy(contents, 0, out, 6, contents.length);
        System.arraycopy(file, 2, out, 6 + contents.length, file.length - 2);
        return out;
    }

    /** EXIF data that holds nothing but an orientation. */
    public static byte[] exif(int orientation) {
        byte[] contents = new byte[6 + 8 + 2 + 12 + 4];
        byte[] start = {'E', 'x', 'i', 'f', 0, 0, 'M', 'M', 0, 42, 0, 0, 0, 8, 0, 1, 1, 0x12, 0, 3, 0, 0, 0, 1};
        System.arraycopy(start, 0, contents, 0, start.length);
        contents[start.length + 1] = (byte) orientation;
        return contents;
    }

    /** A grey picture's file whose frame announces two more components, which no scan brings. */
    public static byte[] withoutColours(byte[] grey) {
        int frame = 0;
        while (grey[frame] != (byte) 0xFF || grey[frame + 1] != (byte) 0xC0) {
            frame++;
        }
        int end = frame + 13;
        byte[] out = new byte[grey.length + 6];
        System.arraycopy(grey, 0, out, 0, end);
        byte[] more = {2, 0x11, 0, 3, 0x11, 0};
        System.arraycopy(more, 0, out, end, more.length);
        System.arraycopy(grey, end, out, end + more.length, grey.length - end);
        out[frame + 3] = 8 + 3 * 3;
        out[frame + 9] = 3;
        return out;
    }

    /** The file without the second half of its coded pixels, but with its end marker. */
    public static byte[] halved(byte[] file) {
        byte[] out = Arrays.copyOf(file, file.length * 2 / 3);
        out[out.length - 3] = 1;
        out[out.length - 2] = (byte) 0xFF;
        out[out.length - 1] = (byte) 0xD9;
        return out;
    }
}
