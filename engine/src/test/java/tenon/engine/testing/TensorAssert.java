package tenon.engine.testing;

import java.util.Arrays;
import tenon.engine.Shape;
import tenon.engine.Tensor;

/** Comparisons of whole tensors that print the first mismatches with index and both values. NaN never equals anything. */
public final class TensorAssert {
    private static final int PRINTED = 5;

    private TensorAssert() {}

    public static void assertClose(Tensor actual, Tensor expected, Tolerance tolerance) {
        if (!actual.shape().equals(expected.shape())) {
            throw new AssertionError(
                    "shapes must be equal: actual=" + actual.shape() + ", expected=" + expected.shape());
        }
        assertClose("tensor", actual.shape(), actual.toDoubleArray(), expected.toDoubleArray(), tolerance);
    }

    public static void assertValues(Tensor actual, Shape shape, Tolerance tolerance, double... expected) {
        if (!actual.shape().equals(shape)) {
            throw new AssertionError("shapes must be equal: actual=" + actual.shape() + ", expected=" + shape);
        }
        assertClose("tensor", shape, actual.toDoubleArray(), expected, tolerance);
    }

    /** Exactly these values, whatever the shape. */
    public static void assertValues(Tensor actual, double... expected) {
        assertClose("tensor", actual.shape(), actual.toDoubleArray(), expected, Tolerance.EXACT);
    }

    /** These values up to the rounding of a few operations. */
    public static void assertNear(Tensor actual, double... expected) {
        assertClose("tensor", actual.shape(), actual.toDoubleArray(), expected, Tolerance.of(actual.dtype(), 8));
    }

    /** @param what begins the message */
    public static void assertClose(String what, Shape shape, double[] actual, double[] expected, Tolerance tolerance) {
        if (actual.length != expected.length) {
            throw new AssertionError(what + ": element counts must be equal: actual=" + actual.length + ", expected="
                    + expected.length + ", shape=" + shape);
        }
        int mismatches = 0;
        StringBuilder message = new StringBuilder();
        for (int i = 0; i < actual.length; i++) {
            if (!tolerance.accepts(actual[i], expected[i]) && mismatches++ < PRINTED) {
                message.append("\n  ")
                        .append(Arrays.toString(coordinates(i, shape)))
                        .append(": actual=")
                        .append(actual[i])
                        .append(", expected=")
                        .append(expected[i]);
            }
        }
        if (mismatches > 0) {
            throw new AssertionError(what + " " + shape + ": " + mismatches + " of " + actual.length
                    + " elements differ by more than " + tolerance.absolute() + " + " + tolerance.relative()
                    + "·|expected|:"
                    + message);
        }
    }

    /** The same bits, NaN included. */
    public static void assertIdentical(String what, double[] actual, double[] expected) {
        for (int i = 0; i < expected.length; i++) {
            if (Double.doubleToRawLongBits(actual[i]) != Double.doubleToRawLongBits(expected[i])) {
                throw new AssertionError(
                        what + ": element " + i + " must have the same bits: " + actual[i] + ", " + expected[i]);
            }
        }
        if (actual.length != expected.length) {
            throw new AssertionError(
                    what + ": element counts must be equal: " + actual.length + ", " + expected.length);
        }
    }

    private static int[] coordinates(int index, Shape shape) {
        int[] coordinates = new int[shape.rank()];
        for (int i = shape.rank() - 1; i >= 0; i--) {
            coordinates[i] = index % shape.dim(i);
            index /= shape.dim(i);
        }
        return coordinates;
    }
}
