package tenon.io.build;

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

    private static void check(boolean holds, String given) {
        if (!holds) {
            throw new BuildException("resize: sides must be at least 1: given=" + given);
        }
    }
}
