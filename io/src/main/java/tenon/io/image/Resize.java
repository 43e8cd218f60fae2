package tenon.io.image;

/** Resampling of whole images, and the rules by which data sets choose the new size. The image itself is returned where nothing changes. */
public final class Resize {
    private Resize() {}

    /** Stretches or squashes to the given size; the aspect ratio is not kept. */
    public static Image exact(Image image, int width, int height, Filter filter) {
        if (width < 1 || height < 1) {
            throw new ImageException(
                    "resize: the new size must be at least 1×1: width=" + width + ", height=" + height);
        }
        if (width == image.width() && height == image.height()) {
            return image;
        }
        ImageLimits.checkPixels("resize", width, height);
        boolean areaEnlarges = width > image.width() || height > image.height();
        return new Resampler(
                        image,
                        ResampleAxis.of(filter, image.width(), width, areaEnlarges),
                        ResampleAxis.of(filter, image.height(), height, areaEnlarges))
                .run();
    }

    /**
     * Scales so that the shorter side becomes {@code side}, as MXNet's im2rec does: the longer one becomes ⌊longer·side / shorter⌋, so 500×375 becomes
     * 341×256.
     *
     * @param enlarge whether images whose shorter side is below {@code side} are enlarged (im2rec does) or left as they are
     */
    public static Image shortSide(Image image, int side, boolean enlarge, Filter filter) {
        if (side < 1) {
            throw new ImageException("resize: the shorter side must be at least 1: side=" + side);
        }
        long width = image.width();
        long height = image.height();
        if (!enlarge && Math.min(width, height) < side) {
            return image;
        }
        if (height > width) {
            return exact(image, side, toInt(height * side / width), filter);
        }
        return exact(image, toInt(width * side / height), side, filter);
    }

    /**
     * Scales, with the aspect ratio kept, until the image just covers the given size; cuts ⌊surplus / 2⌋ from both ends of the longer direction; and stretches
     * to exactly the given size, which repairs an odd surplus of one pixel.
     */
    public static Image aspectCrop(Image image, int width, int height, Filter filter) {
        if (width < 1 || height < 1) {
            throw new ImageException(
                    "resize: the new size must be at least 1×1: width=" + width + ", height=" + height);
        }
        long w = image.width();
        long h = image.height();
        boolean narrow = w * height < h * width;
        Image scaled = narrow
                ? exact(image, width, toInt(h * width / w), filter)
                : exact(image, toInt(w * height / h), height, filter);
        int left = (scaled.width() - width) / 2;
        int top = (scaled.height() - height) / 2;
        Image cut = scaled.crop(left, top, scaled.width() - 2 * left, scaled.height() - 2 * top);
        return exact(cut, width, height, filter);
    }

    /** Sides far beyond the limit stay beyond it. */
    private static int toInt(long side) {
        return Math.clamp(side, 1, Integer.MAX_VALUE);
    }
}
