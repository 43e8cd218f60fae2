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
     * @param x0 left edge, pixels of the stored image; y0 top, x1 right, y1 bottom; finite, x0 ≤ x1, y0 ≤ y1, and not bound to the image
     * @param flags sum of {@link #DIFFICULT}, {@link #TRUNCATED}, {@link #OCCLUDED}, {@link #CROWD}
     */
    record Box(int classIndex, float x0, float y0, float x1, float y1, int flags) {
        /** Hard to recognise; Pascal VOC leaves such objects out of the score. */
        public static final int DIFFICULT = 1;
        /** Part of the object lies outside the picture. */
        public static final int TRUNCATED = 2;
        /** Something stands in front of the object. */
        public static final int OCCLUDED = 4;
        /** The box holds a group of objects (COCO's iscrowd). */
        public static final int CROWD = 8;

        private static final int ALL_FLAGS = DIFFICULT | TRUNCATED | OCCLUDED | CROWD;

        public Box {
            boolean edges = Float.isFinite(x0)
                    && Float.isFinite(y0)
                    && Float.isFinite(x1)
                    && Float.isFinite(y1)
                    && x0 <= x1
                    && y0 <= y1;
            if (!edges) {
                throw new RecordException("box: edges must be finite, x0 ≤ x1 and y0 ≤ y1: x0=" + x0 + ", y0=" + y0
                        + ", x1=" + x1 + ", y1=" + y1);
            }
            if ((flags & ~ALL_FLAGS) != 0) {
                throw new RecordException("box: flags must be a sum of 1, 2, 4 and 8: " + flags);
            }
        }

        /** A box without flags. */
        public Box(int classIndex, float x0, float y0, float x1, float y1) {
            this(classIndex, x0, y0, x1, y1, 0);
        }
    }
}
