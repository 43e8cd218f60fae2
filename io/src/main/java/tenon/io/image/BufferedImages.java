package tenon.io.image;

import java.awt.Transparency;
import java.awt.color.ColorSpace;
import java.awt.image.BufferedImage;
import java.awt.image.ColorModel;
import java.awt.image.ComponentColorModel;
import java.awt.image.DataBuffer;
import java.awt.image.DataBufferByte;
import java.awt.image.IndexColorModel;
import java.awt.image.Raster;
import java.awt.image.WritableRaster;

/** The stored values of ImageIO's images, in eight bits; values of 16 bits are scaled by 255 / 65535. Colour spaces are left to the caller. */
final class BufferedImages {
    private static final ColorModel RGB = new ComponentColorModel(
            ColorSpace.getInstance(ColorSpace.CS_sRGB), false, false, Transparency.OPAQUE, DataBuffer.TYPE_BYTE);

    private BufferedImages() {}

    static Pixels pixels(BufferedImage image) {
        ColorModel colors = image.getColorModel();
        if (colors instanceof IndexColorModel palette) {
            return lookUp(image, palette);
        }
        int type = image.getRaster().getTransferType();
        boolean integral = type == DataBuffer.TYPE_BYTE || type == DataBuffer.TYPE_USHORT;
        if (colors instanceof ComponentColorModel && integral && !colors.isAlphaPremultiplied()) {
            // getRGB would pass grey values through a gamma curve and colours through a profile.
            int space = colors.getColorSpace().getType();
            if (space == ColorSpace.TYPE_GRAY) {
                return bands(image, 1);
            }
            if (space == ColorSpace.TYPE_RGB) {
                return bands(image, 3);
            }
            if (space == ColorSpace.TYPE_CMYK) {
                return bands(image, 4);
            }
        }
        return converted(image);
    }

    /** A view of R, G, B bytes. */
    static BufferedImage ofRgb(int width, int height, byte[] rgb) {
        WritableRaster raster = Raster.createInterleavedRaster(
                new DataBufferByte(rgb, rgb.length), width, height, 3 * width, 3, new int[] {0, 1, 2}, null);
        return new BufferedImage(RGB, raster, false, null);
    }

    private static Pixels bands(BufferedImage image, int components) {
        Raster raster = image.getRaster();
        boolean alpha = image.getColorModel().hasAlpha();
        int width = raster.getWidth();
        int height = raster.getHeight();
        int bands = raster.getNumBands();
        int largest = (1 << image.getColorModel().getComponentSize(0)) - 1;
        byte[] colors = new byte[width * height * components];
        byte[] opacity = alpha ? new byte[width * height] : null;
        int[] row = new int[width * bands];
        int o = 0;
        for (int y = 0; y < height; y++) {
            raster.getPixels(raster.getMinX(), raster.getMinY() + y, width, 1, row);
            if (largest != 255) {
                for (int i = 0; i < row.length; i++) {
                    row[i] = (int) ((row[i] * 255L + largest / 2) / largest);
                }
            }
            for (int x = 0; x < width; x++) {
                for (int c = 0; c < components; c++) {
                    colors[o++] = (byte) row[x * bands + c];
                }
                if (alpha) {
                    opacity[y * width + x] = (byte) row[x * bands + components];
                }
            }
        }
        return new Pixels(width, height, components, colors, opacity);
    }

    private static Pixels lookUp(BufferedImage image, IndexColorModel palette) {
        int[] table = new int[palette.getMapSize()];
        palette.getRGBs(table);
        Raster raster = image.getRaster();
        int width = raster.getWidth();
        Filler filler = new Filler(width, raster.getHeight(), palette.hasAlpha());
        int[] row = new int[width];
        for (int y = 0; y < raster.getHeight(); y++) {
            raster.getPixels(raster.getMinX(), raster.getMinY() + y, width, 1, row);
            for (int index : row) {
                // Indices beyond the palette are black, as libpng shows them.
                filler.add(index < table.length ? table[index] : 0xFF000000);
            }
        }
        return filler.pixels();
    }

    private static Pixels converted(BufferedImage image) {
        int width = image.getWidth();
        Filler filler =
                new Filler(width, image.getHeight(), image.getColorModel().hasAlpha());
        int[] row = new int[width];
        for (int y = 0; y < image.getHeight(); y++) {
            image.getRGB(0, y, width, 1, row, 0, width);
            for (int argb : row) {
                filler.add(argb);
            }
        }
        return filler.pixels();
    }

    /** Takes pixels as 0xAARRGGBB one after the other. */
    private static final class Filler {
        private final Pixels pixels;
        private int at;

        Filler(int width, int height, boolean alpha) {
            pixels =
                    new Pixels(width, height, 3, new byte[width * height * 3], alpha ? new byte[width * height] : null);
        }

        void add(int argb) {
            byte[] colors = pixels.colors();
            colors[3 * at] = (byte) (argb >> 16);
            colors[3 * at + 1] = (byte) (argb >> 8);
            colors[3 * at + 2] = (byte) argb;
            if (pixels.opacity() != null) {
                pixels.opacity()[at] = (byte) (argb >> 24);
            }
            at++;
        }

        Pixels pixels() {
            return pixels;
        }
    }
}
