package tenon.io.augment;

import tenon.engine.ShapeException;

/**
 * What an image shows outside its edges, in the terms of SciPy and Keras. Shown for the row a b c d:
 *
 * <pre>
 * CONSTANT  k k k k | a b c d | k k k k
 * NEAREST   a a a a | a b c d | d d d d
 * REFLECT   d c b a | a b c d | d c b a
 * WRAP      a b c d | a b c d | a b c d
 * </pre>
 *
 * @param value of {@link Mode#CONSTANT}, for every channel; not used otherwise
 */
public record Fill(Mode mode, float value) {
    /** Where the pixels outside come from. */
    public enum Mode {
        CONSTANT,
        NEAREST,
        REFLECT,
        WRAP
    }

    public static final Fill NEAREST = new Fill(Mode.NEAREST, 0);
    public static final Fill REFLECT = new Fill(Mode.REFLECT, 0);
    public static final Fill WRAP = new Fill(Mode.WRAP, 0);
    public static final Fill BLACK = constant(0);
    /** MXNet's default. */
    public static final Fill WHITE = constant(255);

    public Fill {
        if (!Float.isFinite(value)) {
            throw new ShapeException("fill: the value must be finite: value=" + value);
        }
    }

    public static Fill constant(float value) {
        return new Fill(Mode.CONSTANT, value);
    }

    /** The row or column of an image of {@code size} that is shown at place {@code at}; −1 stands for the constant. */
    int source(int at, int size) {
        if (at >= 0 && at < size) {
            return at;
        }
        return switch (mode) {
            case CONSTANT -> -1;
            case NEAREST -> at < 0 ? 0 : size - 1;
            case WRAP -> Math.floorMod(at, size);
            case REFLECT -> {
                long period = 2L * size;
                int folded = (int) Math.floorMod((long) at, period);
                yield folded < size ? folded : (int) (period - 1 - folded);
            }
        };
    }
}
