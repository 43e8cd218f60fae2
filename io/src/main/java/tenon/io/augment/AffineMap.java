package tenon.io.augment;

/**
 * Where an output pixel (x, y) of a warp comes from: (xIn, yIn) = (xx·x + xy·y + x0, yx·x + yy·y + y0), in pixels, pixel centres at whole numbers.
 */
public record AffineMap(double xx, double xy, double x0, double yx, double yy, double y0) {
    public static final AffineMap IDENTITY = new AffineMap(1, 0, 0, 0, 1, 0);

    /** The linear map that leaves the point (centerX, centerY) where it is. */
    static AffineMap about(double centerX, double centerY, double xx, double xy, double yx, double yy) {
        double x0 = centerX - xx * centerX - xy * centerY;
        double y0 = centerY - yx * centerX - yy * centerY;
        return new AffineMap(xx, xy, x0, yx, yy, y0);
    }

    /**
     * Resamples {@code in} to an image of the same size by bilinear interpolation between four pixels; those outside the image are what
     * {@code fill} says. Values stay in the range of the image and the fill.
     *
     * @param out another object, resized by this method
     */
    public void warp(FloatImage in, FloatImage out, Fill fill) {
        int height = in.height();
        int width = in.width();
        out.resize(height, width, in.channels());
        for (int y = 0; y < height; y++) {
            double xOfRow = xy * y + x0;
            double yOfRow = yy * y + y0;
            // Along a row both input coordinates rise or fall steadily, so the pixels with four neighbours are one
            // range.
            int begin = Math.max(firstInside(xx, xOfRow, width), firstInside(yx, yOfRow, height));
            int end = Math.min(endInside(xx, xOfRow, width), endInside(yx, yOfRow, height));
            begin = Math.min(begin, width);
            end = Math.clamp(end, begin, width);
            while (begin < end && !isInside(begin, xOfRow, yOfRow, height, width)) {
                begin++;
            }
            while (begin < end && !isInside(end - 1, xOfRow, yOfRow, height, width)) {
                end--;
            }
            border(in, out, fill, y, 0, begin);
            if (in.channels() == 3) {
                insideRgb(in, out, y, begin, end);
            } else {
                inside(in, out, y, begin, end);
            }
            border(in, out, fill, y, end, width);
        }
    }

    private boolean isInside(int x, double xOfRow, double yOfRow, int height, int width) {
        double xIn = xx * x + xOfRow;
        double yIn = yx * x + yOfRow;
        return xIn >= 0 && xIn < width - 1 && yIn >= 0 && yIn < height - 1;
    }

    /** About the first x ≥ 0 with slope·x + start in [0, size − 1); at most one too small or too large. */
    private static int firstInside(double slope, double start, int size) {
        if (slope == 0) {
            return start >= 0 && start < size - 1 ? 0 : Integer.MAX_VALUE;
        }
        double at = slope > 0 ? Math.ceil(-start / slope) : Math.floor((size - 1 - start) / slope) + 1;
        return (int) Math.max(0, at);
    }

    private static int endInside(double slope, double start, int size) {
        if (slope == 0) {
            return Integer.MAX_VALUE;
        }
        double at = slope > 0 ? Math.ceil((size - 1 - start) / slope) : Math.floor(-start / slope) + 1;
        return (int) Math.max(0, at);
    }

    private void inside(FloatImage in, FloatImage out, int y, int begin, int end) {
        int channels = in.channels();
        int down = in.width() * channels;
        double xOfRow = xy * y + x0;
        double yOfRow = yy * y + y0;
        float[] from = in.values();
        float[] to = out.values();
        int o = (y * out.width() + begin) * channels;
        for (int x = begin; x < end; x++) {
            double xIn = xx * x + xOfRow;
            double yIn = yx * x + yOfRow;
            int left = (int) xIn;
            int top = (int) yIn;
            float fx = (float) (xIn - left);
            float fy = (float) (yIn - top);
            int i = top * down + left * channels;
            for (int c = 0; c < channels; c++, i++) {
                to[o++] = bilinear(from[i], from[i + channels], from[i + down], from[i + down + channels], fx, fy);
            }
        }
    }

    /** {@link #inside} for three channels, which the compiler then lays out without an inner loop. */
    private void insideRgb(FloatImage in, FloatImage out, int y, int begin, int end) {
        int down = in.width() * 3;
        double xOfRow = xy * y + x0;
        double yOfRow = yy * y + y0;
        float[] from = in.values();
        float[] to = out.values();
        int o = (y * out.width() + begin) * 3;
        for (int x = begin; x < end; x++, o += 3) {
            double xIn = xx * x + xOfRow;
            double yIn = yx * x + yOfRow;
            int left = (int) xIn;
            int top = (int) yIn;
            float fx = (float) (xIn - left);
            float fy = (float) (yIn - top);
            int i = top * down + left * 3;
            int j = i + down;
            to[o] = bilinear(from[i], from[i + 3], from[j], from[j + 3], fx, fy);
            to[o + 1] = bilinear(from[i + 1], from[i + 4], from[j + 1], from[j + 4], fx, fy);
            to[o + 2] = bilinear(from[i + 2], from[i + 5], from[j + 2], from[j + 5], fx, fy);
        }
    }

    private void border(FloatImage in, FloatImage out, Fill fill, int y, int begin, int end) {
        int height = in.height();
        int width = in.width();
        int channels = in.channels();
        double xOfRow = xy * y + x0;
        double yOfRow = yy * y + y0;
        float[] to = out.values();
        int o = (y * out.width() + begin) * channels;
        for (int x = begin; x < end; x++) {
            double xIn = xx * x + xOfRow;
            double yIn = yx * x + yOfRow;
            int left = (int) Math.floor(xIn);
            int top = (int) Math.floor(yIn);
            float fx = (float) (xIn - left);
            float fy = (float) (yIn - top);
            int x1 = fill.source(left, width);
            int x2 = fill.source(left + 1, width);
            int y1 = fill.source(top, height);
            int y2 = fill.source(top + 1, height);
            for (int c = 0; c < channels; c++) {
                to[o++] = bilinear(
                        pixel(in, fill, y1, x1, c),
                        pixel(in, fill, y1, x2, c),
                        pixel(in, fill, y2, x1, c),
                        pixel(in, fill, y2, x2, c),
                        fx,
                        fy);
            }
        }
    }

    private static float pixel(FloatImage in, Fill fill, int y, int x, int channel) {
        return y < 0 || x < 0 ? fill.value() : in.value(y, x, channel);
    }

    static float bilinear(float topLeft, float topRight, float bottomLeft, float bottomRight, float fx, float fy) {
        float upper = topLeft + fx * (topRight - topLeft);
        float lower = bottomLeft + fx * (bottomRight - bottomLeft);
        return upper + fy * (lower - upper);
    }
}
