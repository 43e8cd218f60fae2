package tenon.io.augment;

import tenon.engine.ShapeException;

/**
 * Ten views of an image for evaluation, whose predictions the caller averages: the four corners clockwise from the top left, the centre, and the five
 * mirrored in the same order. The centre leaves a margin of ⌊(size − crop) / 2⌋ on both sides, so where the difference is odd it is one pixel too
 * large and is squashed to the size of the others.
 *
 * @param height rows of each view; width its columns
 */
public record TenCrop(int height, int width) {
    public static final int COUNT = 10;

    public TenCrop {
        if (height < 1 || width < 1) {
            throw new ShapeException("ten-crop: size must be positive: height=" + height + ", width=" + width);
        }
    }

    /**
     * Writes one view.
     *
     * @param index 0…9; the first five are not mirrored
     * @param out another object, resized by this method
     */
    public void crop(int index, FloatImage in, FloatImage out) {
        if (index < 0 || index >= COUNT) {
            throw new IndexOutOfBoundsException("ten-crop: view must lie in [0, " + COUNT + "): " + index);
        }
        int bottom = in.height() - height;
        int right = in.width() - width;
        if (bottom < 0 || right < 0) {
            throw new ShapeException("ten-crop: the image must be at least as large as the crop: image=" + in.height()
                    + "×" + in.width() + ", crop=" + height + "×" + width);
        }
        int top = bottom / 2;
        int left = right / 2;
        switch (index % 5) {
            case 0 -> Crop.cut(in, out, 0, 0, height, width);
            case 1 -> Crop.cut(in, out, 0, right, height, width);
            case 2 -> Crop.cut(in, out, bottom, right, height, width);
            case 3 -> Crop.cut(in, out, bottom, 0, height, width);
            default -> {
                Window middle = new Window(top, left, in.height() - 2 * top, in.width() - 2 * left);
                Resample.area(in, middle, out, height, width);
            }
        }
        if (index >= 5) {
            HorizontalFlip.mirror(out);
        }
    }
}
