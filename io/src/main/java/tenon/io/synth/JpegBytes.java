package tenon.io.synth;

import java.awt.image.BufferedImage;
import java.awt.image.DataBuffer;
import java.awt.image.Raster;
import java.awt.image.WritableRaster;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import javax.imageio.IIOImage;
import javax.imageio.ImageIO;
import javax.imageio.ImageWriteParam;
import javax.imageio.ImageWriter;
import javax.imageio.stream.MemoryCacheImageOutputStream;
import tenon.io.image.Image;
import tenon.io.image.ImageCodec;
import tenon.io.image.ImageException;

/** JPEG files. */
final class JpegBytes {
    /** Adobe's application segment with transform 0: four components are then cyan, magenta, yellow and black, inverted. */
    private static final byte[] ADOBE = {(byte) 0xFF, (byte) 0xEE, 0, 14, 'A', 'd', 'o', 'b', 'e', 0, 100, 0, 0, 0, 0, 0
    };

    private JpegBytes() {}

    /** Grey or colour, as the image is. */
    static byte[] encode(Image image, int quality) {
        BufferedImage buffered = ImageCodec.toBufferedImage(image);
        return encode(new IIOImage(buffered, null, null), quality);
    }

    /** Four components, as image editors for print write them. */
    static byte[] encodeCmyk(Image image, int quality) {
        WritableRaster raster =
                Raster.createInterleavedRaster(DataBuffer.TYPE_BYTE, image.width(), image.height(), 4, null);
        int[] ink = new int[4];
        for (int y = 0; y < image.height(); y++) {
            for (int x = 0; x < image.width(); x++) {
                int light = 1;
                for (int c = 0; c < 3; c++) {
                    light = Math.max(light, image.value(x, y, c));
                }
                for (int c = 0; c < 3; c++) {
                    ink[c] = image.value(x, y, c) * 255 / light;
                }
                ink[3] = light;
                raster.setPixel(x, y, ink);
            }
        }
        byte[] plain = encode(new IIOImage(raster, null, null), quality);
        ByteArrayOutputStream out = new ByteArrayOutputStream(plain.length + ADOBE.length);
        out.write(plain, 0, 2);
        out.writeBytes(ADOBE);
        out.write(plain, 2, plain.length - 2);
        return out.toByteArray();
    }

    private static byte[] encode(IIOImage image, int quality) {
        ImageWriter writer = ImageIO.getImageWritersByFormatName("jpeg").next();
        ByteArrayOutputStream out = new ByteArrayOutputStream(1 << 16);
        try (MemoryCacheImageOutputStream stream = new MemoryCacheImageOutputStream(out)) {
            writer.setOutput(stream);
            ImageWriteParam parameters = writer.getDefaultWriteParam();
            parameters.setCompressionMode(ImageWriteParam.MODE_EXPLICIT);
            parameters.setCompressionQuality(quality / 100f);
            writer.write(null, image, parameters);
        } catch (IOException e) {
            throw new ImageException("image: cannot be encoded as JPEG: " + e.getMessage(), e);
        } finally {
            writer.dispose();
        }
        return out.toByteArray();
    }
}
