package tenon.io.record;

import java.util.List;

/** The label of one sample. */
public sealed interface Label {
    Label NONE = new None();

    static Label ofClass(int index) {
        return new OfClass(index);
    }

    static Label ofVector(float... values) {
        return new OfVector(values);
    }

    static Label ofBoxes(List<Box> boxes) {
        return new OfBoxes(List.copyOf(boxes));
    }

    LabelKind kind();

    record None() implements Label {
        @Override
        public LabelKind kind() {
            return LabelKind.NONE;
        }
    }

    /** @param index position in the schema's class names, from 0 */
    record OfClass(int index) implements Label {
        @Override
        public LabelKind kind() {
            return LabelKind.CLASS;
        }
    }

    /** @param values as many as the schema's {@code labelSize}; not copied */
    record OfVector(float[] values) implements Label {
        @Override
        public LabelKind kind() {
            return LabelKind.VECTOR;
        }
    }

    record OfBoxes(List<Box> boxes) implements Label {
        @Override
        public LabelKind kind() {
            return LabelKind.BOXES;
        }
    }

    /**
     * An object in an image.
     *
     * @param classIndex position in the schema's class names, from 0
     * @param x0 left edge, pixels of the stored image; y0 top, x1 right, y1 bottom
     */
    record Box(int classIndex, float x0, float y0, float x1, float y1) {}
}
