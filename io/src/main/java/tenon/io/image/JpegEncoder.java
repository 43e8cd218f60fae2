package tenon.io.image;

import java.awt.image.BufferedImage;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.util.Iterator;
import javax.imageio.IIOImage;
import javax.imageio.ImageIO;
import javax.imageio.ImageWriteParam;
import javax.imageio.ImageWriter;
import javax.imageio.stream.MemoryCacheImageOutputStream;

/** Writes baseline JPEG through the JDK's writer, which is libjpeg: the files are its, byte for byte. One for each thread. */
final class JpegEncoder {
    /** Place of a byte that the JDK sets to 2 for JFIF 1.02; libjpeg writes 1.01, and all else is the same bytes. */
    private static final int JFIF_MINOR_VERSION = 12;

    private static final ThreadLocal<JpegEncoder> OF_THREAD = ThreadLocal.withInitial(JpegEncoder::new);

    private final ImageWriter writer = writer();
    private final ImageWriteParam parameters = writer.getDefaultWriteParam();

    private JpegEncoder() {
        parameters.setCompressionMode(ImageWriteParam.MODE_EXPLICIT);
    }

    static JpegEncoder ofThread() {
        return OF_THREAD.get();
    }

    private static ImageWriter writer() {
        Iterator<ImageWriter> writers = ImageIO.getImageWritersByFormatName("jpeg");
        while (writers.hasNext()) {
            ImageWriter writer = writers.next();
            if (writer.getClass().getName().startsWith("com.sun.imageio.")) {
                return writer;
            }
        }
        throw new ImageException("images: this JDK has no ImageIO writer for JPEG");
    }

    byte[] encode(Image image, int quality) throws IOException {
        ByteArrayOutputStream out = new ByteArrayOutputStream(image.pixels().length / 4 + 1024);
        try (MemoryCacheImageOutputStream stream = new MemoryCacheImageOutputStream(out)) {
            writer.setOutput(stream);
            parameters.setCompressionQuality(quality / 100f);
            writer.write(null, new IIOImage(source(image), null, null), parameters);
        } finally {
            writer.setOutput(null);
        }
        byte[] file = out.toByteArray();
        file[JFIF_MINOR_VERSION] = 1;
        return file;
    }

    private static BufferedImage source(Image image) {
        return image.channels() == 3
                ? BufferedImages.ofRgb(image.width(), image.height(), image.pixels())
                : ImageCodec.toBufferedImage(image);
    }
}
