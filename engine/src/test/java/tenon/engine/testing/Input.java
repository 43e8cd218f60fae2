package tenon.engine.testing;

import java.util.Arrays;
import java.util.function.DoubleUnaryOperator;
import tenon.engine.DType;
import tenon.engine.Rng;
import tenon.engine.Shape;
import tenon.engine.Tensor;

/**
 * An argument of an {@link OpCase}, made anew for each run on each back-end.
 *
 * @param values row-major contents, or null for random ones
 * @param map applied to random contents in [−1, 1)
 * @param role which dtype it takes in a run
 */
public record Input(Shape shape, double[] values, DoubleUnaryOperator map, Role role, boolean trained) {
    public enum Role {
        /** The run's dtype. */
        ACTIVATION,
        /** The run's dtype, but F32 in a BF16 run. */
        STATISTIC,
        /** I32. */
        INDEX
    }

    /** Random in [−1, 1), with a gradient. */
    public static Input random(int... dims) {
        return random(Shape.of(dims));
    }

    public static Input random(Shape shape) {
        return new Input(shape, null, x -> x, Role.ACTIVATION, true);
    }

    public static Input of(double[] values, int... dims) {
        return new Input(Shape.of(dims), values, null, Role.ACTIVATION, true);
    }

    public static Input indices(int... values) {
        return new Input(
                Shape.of(values.length), Arrays.stream(values).asDoubleStream().toArray(), null, Role.INDEX, false);
    }

    public Input mapped(DoubleUnaryOperator newMap) {
        return new Input(shape, values, newMap, role, trained);
    }

    /** At least {@code gap} away from 0, where activations have a kink. */
    public Input awayFromZero(double gap) {
        return mapped(x -> x < 0 ? x - gap : x + gap);
    }

    public Input constant() {
        return new Input(shape, values, map, role, false);
    }

    public Input statistic() {
        return new Input(shape, values, map, Role.STATISTIC, trained);
    }

    /** @param seed tells inputs of one case apart */
    Tensor make(DType dtype, int seed) {
        double[] contents = values == null ? draw(seed) : values;
        Tensor tensor = Tensor.empty(shape, type(dtype));
        Tensors.upload(tensor, contents);
        return tensor.requireGrad(trained);
    }

    private double[] draw(int seed) {
        Rng rng = new Rng(seed, Rng.stream("input"), 0);
        double[] contents = new double[Math.toIntExact(shape.elementCount())];
        for (int i = 0; i < contents.length; i++) {
            // Rounded as BF16 would, so that every dtype sees the same numbers.
            double value = map.applyAsDouble(rng.nextUniform(-1, 1));
            contents[i] = DType.bf16ToFloat(DType.floatToBf16((float) value));
        }
        return contents;
    }

    private DType type(DType dtype) {
        return switch (role) {
            case ACTIVATION -> dtype;
            case STATISTIC -> dtype == DType.BF16 ? DType.F32 : dtype;
            case INDEX -> DType.I32;
        };
    }
}
