package tenon.io.image;

import com.twelvemonkeys.imageio.plugins.bmp.BMPImageReaderSpi;
import com.twelvemonkeys.imageio.plugins.tiff.TIFFImageReaderSpi;
import com.twelvemonkeys.imageio.plugins.webp.WebPImageReaderSpi;
import com.twelvemonkeys.imageio.stream.ByteArrayImageInputStream;
import java.io.IOException;
import java.util.EnumMap;
import java.util.Iterator;
import java.util.Map;
import javax.imageio.IIOException;
import javax.imageio.ImageIO;
import javax.imageio.ImageReader;
import javax.imageio.spi.ImageReaderSpi;
import javax.imageio.stream.ImageInputStream;

/** Which ImageIO reader decodes which format: the JDK's own for JPEG, PNG and GIF, TwelveMonkeys' for the others, whatever else is installed. */
final class ImageReaders {
    private static final Map<ImageFormat, ImageReaderSpi> PROVIDERS = providers();

    private ImageReaders() {}

    interface Reading<T> {
        T read(ImageReader reader) throws IOException;
    }

    private static Map<ImageFormat, ImageReaderSpi> providers() {
        Map<ImageFormat, ImageReaderSpi> providers = new EnumMap<>(ImageFormat.class);
        providers.put(ImageFormat.JPEG, ofJdk("jpeg"));
        providers.put(ImageFormat.PNG, ofJdk("png"));
        providers.put(ImageFormat.GIF, ofJdk("gif"));
        providers.put(ImageFormat.BMP, new BMPImageReaderSpi());
        providers.put(ImageFormat.TIFF, new TIFFImageReaderSpi());
        providers.put(ImageFormat.WEBP, new WebPImageReaderSpi());
        return providers;
    }

    private static ImageReaderSpi ofJdk(String format) {
        Iterator<ImageReader> readers = ImageIO.getImageReadersByFormatName(format);
        while (readers.hasNext()) {
            ImageReaderSpi provider = readers.next().getOriginatingProvider();
            if (provider.getClass().getName().startsWith("com.sun.imageio.")) {
                return provider;
            }
        }
        throw new ImageException("images: this JDK has no ImageIO reader for " + format);
    }

    /** Decodes {@code bytes}, of which an {@link ImageFile} has left only what matters. */
    static <T> T read(ImageFormat format, byte[] bytes, Reading<T> reading) throws IOException {
        ImageReader reader = PROVIDERS.get(format).createReaderInstance();
        try (ImageInputStream in =
                format == ImageFormat.WEBP ? new StrictStream(bytes) : new ByteArrayImageInputStream(bytes)) {
            reader.addIIOReadWarningListener((source, warning) -> {
                if (meansLoss(warning)) {
                    throw new LostPixels(warning);
                }
            });
            reader.setInput(in, true, true);
            return reading.read(reader);
        } catch (LostPixels e) {
            throw new IIOException(e.getMessage(), e);
        } finally {
            reader.dispose();
        }
    }

    /** libjpeg fills what is missing with grey and goes on with a warning; its other warnings leave the picture whole. */
    private static boolean meansLoss(String warning) {
        return warning.contains("premature end")
                || warning.contains("Premature end")
                || warning.contains("bad Huffman code");
    }

    private static final class LostPixels extends RuntimeException {
        private static final long serialVersionUID = 1L;

        LostPixels(String warning) {
            super(warning);
        }
    }
}
