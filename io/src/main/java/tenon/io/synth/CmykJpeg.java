package tenon.io.synth;

import java.awt.image.DataBuffer;
import java.awt.image.Raster;
import java.awt.image.WritableRaster;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import javax.imageio.IIOImage;
import javax.imageio.ImageIO;
import javax.imageio.ImageWriter;
import javax.imageio.stream.MemoryCacheImageOutputStream;
import tenon.io.image.Image;
import tenon.io.image.ImageException;

/** JPEG files of four inks, as image editors for print write them. */
final class CmykJpeg {
    /** Adobe's application segment with transform 0: the components are then cyan, magenta, yellow and black, inverted. */
    private static final byte[] ADOBE = {(byte) 0xFF, (byte) 0xEE, 0, 14, 'A', 'd', 'o', 'b', 'e', 0, 100, 0, 0, 0, 0, 0
    };

    private CmykJpeg() {}

    /** @param image R, G, B */
    static byte[] encode(Image image) {
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
        ImageWriter writer = ImageIO.getImageWritersByFormatName("jpeg").next();
        ByteArrayOutputStream plain = new ByteArrayOutputStream(1 << 16);
        try (MemoryCacheImageOutputStream stream = new MemoryCacheImageOutputStream(plain)) {
            writer.setOutput(stream);
            writer.write(null, new IIOImage(raster, null, null), null);
        } catch (IOException e) {
            throw new ImageException("image: cannot be encoded as JPEG: " + e.getMessage(), e);
        } finally {
            writer.dispose();
        }
        byte[] bytes = plain.toByteArray();
        ByteArrayOutputStream out = new ByteArrayOutputStream(bytes.length + ADOBE.length);
        out.write(bytes, 0, 2);
        out.writeBytes(ADOBE);
        out.write(bytes, 2, bytes.length - 2);
        return out.toByteArray();
    }
}
