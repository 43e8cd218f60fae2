package tenon.io.augment;

/**
 * Where an output pixel (x, y) of a warp comes from: (xIn, yIn) = (xx·x + xy·y + x0, yx·x + yy·y + y0), in pixels, pixel centres at whole numbers.
 */
public record AffineMap(double xx, double xy, double x0, double yx, double yy, double y0) {
    public static final AffineMap IDENTITY = new AffineMap(1, 0, 0, 0, 1, 0);

    /**
     * Resamples {@code in} to an image of the same size by bilinear interpolation. Places outside the image take the nearest edge pixel, so an
     * image of one colour stays as it is, and values stay in their range.
     *
     * @param out another object, resized by this method
     */
    public void warp(FloatImage in, FloatImage out) {
        int height = in.height();
        int width = in.width();
        int channels = in.channels();
        float[] from = in.values();
        float[] to = out.resize(height, width, channels).values();
        int o = 0;
        for (int y = 0; y < height; y++) {
            for (int x = 0; x < width; x++) {
                double xIn = clamp(xx * x + xy * y + x0, width - 1);
                double yIn = clamp(yx * x + yy * y + y0, height - 1);
                int left = (int) xIn;
                int top = (int) yIn;
                float fx = (float) (xIn - left);
                float fy = (float) (yIn - top);
                int topLeft = (top * width + left) * channels;
                int right = left + 1 < width ? channels : 0;
                int down = top + 1 < height ? width * channels : 0;
                for (int c = 0; c < channels; c++) {
                    int i = topLeft + c;
                    float upper = from[i] + fx * (from[i + right] - from[i]);
                    float lower = from[i + down] + fx * (from[i + down + right] - from[i + down]);
                    to[o++] = upper + fy * (lower - upper);
                }
            }
        }
    }

    private static double clamp(double at, int last) {
        return Math.max(0, Math.min(at, last));
    }
}
