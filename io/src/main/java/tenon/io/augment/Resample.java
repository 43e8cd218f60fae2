package tenon.io.augment;

/**
 * Resizing of a window of an image. As in OpenCV, output pixel x covers the input from x·s to (x + 1)·s, s = window size / output size, and pixels outside the
 * window play no part.
 */
final class Resample {
    private Resample() {}

    /** Linear between the two nearest pixel centres in each direction; no smoothing when it shrinks. */
    static void bilinear(
            FloatImage in, int top, int left, int height, int width, FloatImage out, int outHeight, int outWidth) {
        int channels = in.channels();
        int rowLength = in.width() * channels;
        float[] from = in.values();
        float[] to = out.resize(outHeight, outWidth, channels).values();
        double scaleY = (double) height / outHeight;
        double scaleX = (double) width / outWidth;
        int o = 0;
        for (int y = 0; y < outHeight; y++) {
            double yIn = Math.clamp((y + 0.5) * scaleY - 0.5, 0.0, height - 1.0);
            int y1 = (int) yIn;
            float fy = (float) (yIn - y1);
            int upper = (top + y1) * rowLength + left * channels;
            int lower = y1 + 1 < height ? upper + rowLength : upper;
            for (int x = 0; x < outWidth; x++) {
                double xIn = Math.clamp((x + 0.5) * scaleX - 0.5, 0.0, width - 1.0);
                int x1 = (int) xIn;
                float fx = (float) (xIn - x1);
                int i = upper + x1 * channels;
                int j = lower + x1 * channels;
                int right = x1 + 1 < width ? channels : 0;
                for (int c = 0; c < channels; c++, i++, j++) {
                    to[o++] = AffineMap.bilinear(from[i], from[i + right], from[j], from[j + right], fx, fy);
                }
            }
        }
    }

    /** The mean over the covered area: for shrinking. */
    static void area(
            FloatImage in, int top, int left, int height, int width, FloatImage out, int outHeight, int outWidth) {
        int channels = in.channels();
        int rowLength = in.width() * channels;
        float[] from = in.values();
        float[] to = out.resize(outHeight, outWidth, channels).values();
        double scaleY = (double) height / outHeight;
        double scaleX = (double) width / outWidth;
        double area = scaleY * scaleX;
        int o = 0;
        for (int y = 0; y < outHeight; y++) {
            double begin = y * scaleY;
            double end = Math.min(height, begin + scaleY);
            for (int x = 0; x < outWidth; x++) {
                double first = x * scaleX;
                double last = Math.min(width, first + scaleX);
                for (int c = 0; c < channels; c++) {
                    // In double, so that an image of one colour stays as it is.
                    double sum = 0;
                    for (int v = (int) begin; v < end; v++) {
                        double rows = Math.min(v + 1, end) - Math.max(v, begin);
                        int row = (top + v) * rowLength + left * channels + c;
                        for (int u = (int) first; u < last; u++) {
                            sum += rows * (Math.min(u + 1, last) - Math.max(u, first)) * from[row + u * channels];
                        }
                    }
                    to[o++] = (float) (sum / area);
                }
            }
        }
    }
}
