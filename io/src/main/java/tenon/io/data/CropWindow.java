package tenon.io.data;

import java.util.List;
import tenon.engine.Rng;
import tenon.io.augment.Augmenter;
import tenon.io.augment.Crop;
import tenon.io.augment.HorizontalFlip;

/**
 * What a chain of crops and mirrorings takes from an image, without taking it: where each pixel of the result lies in the image. Reusable;
 * confined to a thread.
 */
final class CropWindow {
    private int top;
    private int left;
    private int height;
    private int width;
    private boolean mirrored;
    /** Pixels outside of [firstRow, endRow) × [firstColumn, endColumn) are black: some crop's padding. */
    private int firstRow;

    private int endRow;
    private int firstColumn;
    private int endColumn;

    /** Whether a chain can be followed. */
    static boolean follows(List<Augmenter> chain) {
        return chain.stream().allMatch(step -> step instanceof Crop || step instanceof HorizontalFlip);
    }

    /** Follows the chain over an image of the given size, drawing as its steps would. */
    void draw(int imageHeight, int imageWidth, List<Augmenter> chain, Rng rng) {
        top = 0;
        left = 0;
        height = imageHeight;
        width = imageWidth;
        mirrored = false;
        firstRow = 0;
        endRow = imageHeight;
        firstColumn = 0;
        endColumn = imageWidth;
        for (int i = 0; i < chain.size(); i++) {
            switch (chain.get(i)) {
                case HorizontalFlip flip -> mirrored ^= flip.draw(rng);
                case Crop crop -> {
                    int y = crop.top(height, rng);
                    cut(y, crop.left(width, rng), crop.height(), crop.width());
                }
                case Augmenter other -> throw new AssertionError(other);
            }
        }
    }

    /** Cuts a window out of what is left; what lies outside of that is black. */
    private void cut(int y, int x, int newHeight, int newWidth) {
        firstRow = Math.max(firstRow, top);
        endRow = Math.min(endRow, top + height);
        firstColumn = Math.max(firstColumn, left);
        endColumn = Math.min(endColumn, left + width);
        top += y;
        left += mirrored ? width - x - newWidth : x;
        height = newHeight;
        width = newWidth;
    }

    /** Row of the image that the window begins with; may lie outside. */
    int top() {
        return top;
    }

    /** Column of the image at the window's left edge, before mirroring; may lie outside. */
    int left() {
        return left;
    }

    int height() {
        return height;
    }

    int width() {
        return width;
    }

    boolean mirrored() {
        return mirrored;
    }

    /** First row of the image inside the window that is not black. */
    int firstRow() {
        return Math.max(firstRow, top);
    }

    /** The row after the last that is not black, at least {@link #firstRow}. */
    int endRow() {
        return Math.max(firstRow(), Math.min(endRow, top + height));
    }

    int firstColumn() {
        return Math.max(firstColumn, left);
    }

    int endColumn() {
        return Math.max(firstColumn(), Math.min(endColumn, left + width));
    }
}
