package tenon.io.augment;

/**
 * Resizing of a window of an image. As in OpenCV, output pixel x covers the input from x·s to (x + 1)·s, s = window size / output size, and pixels
 * outside the window play no part.
 */
final class Resample {
    private Resample() {}

    /** Linear between the two nearest pixel centres in each direction; no smoothing when it shrinks. */
    static void bilinear(FloatImage in, Window from, FloatImage out, int height, int width) {
        double scaleY = (double) from.height() / height;
        double scaleX = (double) from.width() / width;
        new AffineMap(scaleX, 0, 0.5 * scaleX - 0.5, 0, scaleY, 0.5 * scaleY - 0.5)
                .warp(in, from, out, new Window(0, 0, height, width), Fill.NEAREST);
    }

    /** The mean over the covered area: for shrinking. */
    static void area(FloatImage in, Window from, FloatImage out, int height, int width) {
        int channels = in.channels();
        int rowLength = in.width() * channels;
        int corner = from.top() * rowLength + from.left() * channels;
        float[] values = in.values();
        float[] result = out.resize(height, width, channels).values();
        double scaleY = (double) from.height() / height;
        double scaleX = (double) from.width() / width;
        int o = 0;
        for (int y = 0; y < height; y++) {
            double top = y * scaleY;
            double bottom = Math.min(from.height(), top + scaleY);
            for (int x = 0; x < width; x++) {
                double left = x * scaleX;
                double right = Math.min(from.width(), left + scaleX);
                double area = (bottom - top) * (right - left);
                for (int c = 0; c < channels; c++) {
                    // In double, so that an image of one colour stays as it is.
                    double sum = 0;
                    for (int v = (int) top; v < bottom; v++) {
                        double rows = Math.min(v + 1, bottom) - Math.max(v, top);
                        sum += rows * rowSum(values, corner + v * rowLength + c, channels, left, right);
                    }
                    result[o++] = (float) (sum / area);
                }
            }
        }
    }

    /** Integral of a row of pixels from {@code left} to {@code right}. */
    private static double rowSum(float[] values, int row, int channels, double left, double right) {
        int first = (int) left;
        int last = (int) Math.ceil(right) - 1;
        if (first == last) {
            return (right - left) * values[row + first * channels];
        }
        double sum = (first + 1 - left) * values[row + first * channels];
        for (int u = first + 1; u < last; u++) {
            sum += values[row + u * channels];
        }
        return sum + (right - last) * values[row + last * channels];
    }
}
