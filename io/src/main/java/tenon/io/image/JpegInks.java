package tenon.io.image;

import java.awt.image.Raster;

/** The pixels of JPEG files with four components. */
final class JpegInks {
    private JpegInks() {}

    /**
     * CMYK with 255 for full ink from the stored components. Files with Adobe's marker store the inverse; YCCK files store C, M, Y as the Y, Cb, Cr of their
     * complement R, G, B (JFIF's formulas), which the inversion of an Adobe file takes back.
     */
    static Pixels pixels(Raster raster, JpegFile file) {
        int width = raster.getWidth();
        int height = raster.getHeight();
        byte[] inks = new byte[Math.multiplyExact(width * height, 4)];
        int[] row = new int[width * 4];
        boolean ycck = file.colors() == JpegFile.Colors.YCCK;
        int o = 0;
        for (int y = 0; y < height; y++) {
            raster.getPixels(0, y, width, 1, row);
            for (int i = 0; i < row.length; i += 4) {
                if (ycck) {
                    toCmy(row, i);
                }
                for (int c = 0; c < 4; c++) {
                    inks[o++] = (byte) (file.isAdobe() ? 255 - row[i + c] : row[i + c]);
                }
            }
        }
        return new Pixels(width, height, 4, inks, null);
    }

    private static void toCmy(int[] row, int i) {
        double luma = row[i];
        double cb = row[i + 1] - 128;
        double cr = row[i + 2] - 128;
        row[i] = 255 - clamp(luma + 1.402 * cr);
        row[i + 1] = 255 - clamp(luma - 0.344136 * cb - 0.714136 * cr);
        row[i + 2] = 255 - clamp(luma + 1.772 * cb);
    }

    private static int clamp(double value) {
        return Math.clamp(Math.round(value), 0, 255);
    }
}
