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
        Window whole = Window.whole(in);
        warp(in, whole, out, whole, fill);
    }

    /**
     * Computes a part of what the map makes of a part of an image.
     *
     * @param from what there is of the input, to which input coordinates refer: what lies outside of it is outside the image
     * @param to what to compute, in output coordinates; becomes all of {@code out}
     */
    void warp(FloatImage in, Window from, FloatImage out, Window to, Fill fill) {
        int lastRow = from.height() - 1;
        int lastColumn = from.width() - 1;
        int channels = in.channels();
        out.resize(to.height(), to.width(), channels);
        int endX = to.left() + to.width();
        for (int y = to.top(); y < to.top() + to.height(); y++) {
            double xOfRow = xy * y + x0;
            double yOfRow = yy * y + y0;
            // Along a row both input coordinates rise or fall steadily, so the pixels with four neighbours are one
            // range.
            int begin = Math.max(firstInside(xx, xOfRow, lastColumn), firstInside(yx, yOfRow, lastRow));
            int end = Math.min(endInside(xx, xOfRow, lastColumn), endInside(yx, yOfRow, lastRow));
            begin = Math.clamp(begin, to.left(), endX);
            end = Math.clamp(end, begin, endX);
            while (begin < end && !isInside(begin, xOfRow, yOfRow, lastRow, lastColumn)) {
                begin++;
            }
            while (begin < end && !isInside(end - 1, xOfRow, yOfRow, lastRow, lastColumn)) {
                end--;
            }
            int row = ((y - to.top()) * to.width() - to.left()) * channels;
            border(in, from, out, row, fill, y, to.left(), begin);
            if (channels == 3) {
                insideRgb(in, from, out, row, y, begin, end);
            } else {
                inside(in, from, out, row, y, begin, end);
            }
            border(in, from, out, row, fill, y, end, endX);
        }
    }

    private boolean isInside(int x, double xOfRow, double yOfRow, int lastRow, int lastColumn) {
        double xIn = xx * x + xOfRow;
        double yIn = yx * x + yOfRow;
        return xIn >= 0 && xIn < lastColumn && yIn >= 0 && yIn < lastRow;
    }

    /** About the first x with slope·x + start in [0, last); at most one too small or too large. */
    private static int firstInside(double slope, double start, int last) {
        if (slope == 0) {
            return start >= 0 && start < last ? Integer.MIN_VALUE : Integer.MAX_VALUE;
        }
        return (int) (slope > 0 ? Math.ceil(-start / slope) : Math.floor((last - start) / slope) + 1);
    }

    private static int endInside(double slope, double start, int last) {
        if (slope == 0) {
            return Integer.MAX_VALUE;
        }
        return (int) (slope > 0 ? Math.ceil((last - start) / slope) : Math.floor(-start / slope) + 1);
    }

    /** @param row place in {@code out} where pixel 0 of this row is, or would be */
    private void inside(FloatImage in, Window from, FloatImage out, int row, int y, int begin, int end) {
        int channels = in.channels();
        int down = in.width() * channels;
        int corner = from.top() * down + from.left() * channels;
        double xOfRow = xy * y + x0;
        double yOfRow = yy * y + y0;
        float[] values = in.values();
        float[] result = out.values();
        int o = row + begin * channels;
        for (int x = begin; x < end; x++) {
            double xIn = xx * x + xOfRow;
            double yIn = yx * x + yOfRow;
            int left = (int) xIn;
            int top = (int) yIn;
            float fx = (float) (xIn - left);
            float fy = (float) (yIn - top);
            int i = corner + top * down + left * channels;
            for (int c = 0; c < channels; c++, i++) {
                result[o++] = bilinear(
                        values[i], values[i + channels], values[i + down], values[i + down + channels], fx, fy);
            }
        }
    }

    /** {@link #inside} for three channels, which the compiler then lays out without an inner loop. */
    private void insideRgb(FloatImage in, Window from, FloatImage out, int row, int y, int begin, int end) {
        int down = in.width() * 3;
        int corner = from.top() * down + from.left() * 3;
        double xOfRow = xy * y + x0;
        double yOfRow = yy * y + y0;
        float[] values = in.values();
        float[] result = out.values();
        int o = row + begin * 3;
        for (int x = begin; x < end; x++, o += 3) {
            double xIn = xx * x + xOfRow;
            double yIn = yx * x + yOfRow;
            int left = (int) xIn;
            int top = (int) yIn;
            float fx = (float) (xIn - left);
            float fy = (float) (yIn - top);
            int i = corner + top * down + left * 3;
            int j = i + down;
            result[o] = bilinear(values[i], values[i + 3], values[j], values[j + 3], fx, fy);
            result[o + 1] = bilinear(values[i + 1], values[i + 4], values[j + 1], values[j + 4], fx, fy);
            result[o + 2] = bilinear(values[i + 2], values[i + 5], values[j + 2], values[j + 5], fx, fy);
        }
    }

    private void border(FloatImage in, Window from, FloatImage out, int row, Fill fill, int y, int begin, int end) {
        int channels = in.channels();
        double xOfRow = xy * y + x0;
        double yOfRow = yy * y + y0;
        float[] result = out.values();
        int o = row + begin * channels;
        for (int x = begin; x < end; x++) {
            double xIn = xx * x + xOfRow;
            double yIn = yx * x + yOfRow;
            int left = (int) Math.floor(xIn);
            int top = (int) Math.floor(yIn);
            float fx = (float) (xIn - left);
            float fy = (float) (yIn - top);
            int x1 = fill.source(left, from.width());
            int x2 = fill.source(left + 1, from.width());
            int y1 = fill.source(top, from.height());
            int y2 = fill.source(top + 1, from.height());
            for (int c = 0; c < channels; c++) {
                result[o++] = bilinear(
                        pixel(in, from, fill, y1, x1, c),
                        pixel(in, from, fill, y1, x2, c),
                        pixel(in, from, fill, y2, x1, c),
                        pixel(in, from, fill, y2, x2, c),
                        fx,
                        fy);
            }
        }
    }

    private static float pixel(FloatImage in, Window from, Fill fill, int y, int x, int channel) {
        return y < 0 || x < 0 ? fill.value() : in.value(from.top() + y, from.left() + x, channel);
    }

    private static float bilinear(
            float topLeft, float topRight, float bottomLeft, float bottomRight, float fx, float fy) {
        float upper = topLeft + fx * (topRight - topLeft);
        float lower = bottomLeft + fx * (bottomRight - bottomLeft);
        return upper + fy * (lower - upper);
    }
}
