package tenon.io.weights;

import java.util.ArrayList;
import java.util.Collections;
import java.util.List;

/** Shapes from files, before anything is allocated from them. */
final class ArrayShapes {
    /** NumPy's limit was 32 for decades; weights have at most 5. */
    private static final int MOST_DIMENSIONS = 32;

    private ArrayShapes() {}

    /** Why arrays of this shape cannot be read, or null. */
    static String problem(long[] dims) {
        if (dims.length > MOST_DIMENSIONS) {
            return "must have at most " + MOST_DIMENSIONS + " dimensions: dimensions=" + dims.length;
        }
        long elements = 1;
        boolean empty = false;
        for (long dim : dims) {
            if (dim < 0 || dim > Integer.MAX_VALUE) {
                return "must have dimensions from 0 to 2^31 - 1: shape=" + text(dims);
            }
            empty |= dim == 0;
            if (dim > 0 && elements > Integer.MAX_VALUE / dim) {
                elements = Long.MAX_VALUE;
            } else {
                elements *= Math.max(1, dim);
            }
        }
        return !empty && elements > Integer.MAX_VALUE ? "must have less than 2^31 elements: shape=" + text(dims) : null;
    }

    /** Of a shape without {@link #problem}. */
    static long elements(long[] dims) {
        long elements = 1;
        for (long dim : dims) {
            elements *= dim;
        }
        return elements;
    }

    static List<Integer> list(long[] dims) {
        List<Integer> list = new ArrayList<>();
        for (long dim : dims) {
            list.add((int) dim);
        }
        return Collections.unmodifiableList(list);
    }

    static String text(long[] dims) {
        StringBuilder text = new StringBuilder("[");
        for (int i = 0; i < dims.length; i++) {
            text.append(i == 0 ? "" : ", ").append(Long.toUnsignedString(dims[i]));
        }
        return text.append(']').toString();
    }
}
