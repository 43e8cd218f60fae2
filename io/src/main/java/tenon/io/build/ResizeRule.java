package tenon.io.build;

import tenon.io.image.Filter;
import tenon.io.image.Image;
import tenon.io.image.Resize;

/** Which size an image is stored in. */
public sealed interface ResizeRule {
    ResizeRule NONE = new None();

    /** The size it has. */
    record None() implements ResizeRule {
        @Override
        public String toString() {
            return "none";
        }
    }

    /** Stretched or squashed to exactly this size. */
    record Exact(int height, int width) implements ResizeRule {
        public Exact {
            check(height > 0 && width > 0, height + "x" + width);
        }

        @Override
        public String toString() {
            return "exact " + height + "x" + width;
        }
    }

    /**
     * The shorter side gets this length, the longer one follows (⌊longer·side / shorter⌋, as im2rec computes it).
     *
     * @param enlarge whether smaller images are enlarged or stay as they are
     */
    record ShortSide(int side, boolean enlarge) implements ResizeRule {
        public ShortSide {
            check(side > 0, Integer.toString(side));
        }

        @Override
        public String toString() {
            return "short side " + side + (enlarge ? "" : " without enlarging");
        }
    }

    /** Scaled with its aspect kept until it just covers this size, and what is over cut from both ends. */
    record AspectCrop(int height, int width) implements ResizeRule {
        public AspectCrop {
            check(height > 0 && width > 0, height + "x" + width);
        }

        @Override
        public String toString() {
            return "aspect crop " + height + "x" + width;
        }
    }

    /** The image in its new size; the same object where nothing changes. */
    default Image apply(Image image, Filter filter) {
        return switch (this) {
            case None() -> image;
            case Exact(int height, int width) -> Resize.exact(image, width, height, filter);
            case ShortSide(int side, boolean enlarge) -> Resize.shortSide(image, side, enlarge, filter);
            case AspectCrop(int height, int width) -> Resize.aspectCrop(image, width, height, filter);
        };
    }

    private static void check(boolean holds, String given) {
        if (!holds) {
            throw new BuildException("resize: sides must be at least 1: given=" + given);
        }
    }
}
