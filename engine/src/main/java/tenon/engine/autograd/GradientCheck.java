package tenon.engine.autograd;

import java.lang.foreign.MemorySegment;
import java.util.function.Function;
import tenon.engine.DType;
import tenon.engine.DTypeException;
import tenon.engine.GradMode;
import tenon.engine.Rng;
import tenon.engine.Scope;
import tenon.engine.Tensor;

/**
 * Compares an op's gradients with central finite differences in F64, over every element of every input that requires a gradient. The upstream
 * gradient is random: with all ones, errors that cancel in the sum would pass.
 *
 * <pre>{@code
 * GradientCheck.check(in -> Convolution.conv2d(in[0], in[1], in[2], spec), input, weight, bias);
 * }</pre>
 */
public final class GradientCheck {
    public static final double TOLERANCE = 1e-6;

    private static final double STEP = 1e-5;
    private static final int STREAM = Rng.stream("gradient_check");

    private GradientCheck() {}

    /** {@link #check(Function, double, long, Tensor...)} with {@link #TOLERANCE} and seed 1. */
    public static double check(Function<Tensor[], Tensor> op, Tensor... inputs) {
        return check(op, TOLERANCE, 1, inputs);
    }

    /**
     * Checks {@code Σ r·op(inputs)} for a random r, element by element: |analytic − numeric| ≤ tolerance·max(1, |numeric|).
     *
     * @param op a function of its inputs alone, called twice per element; it must set the random generator if it draws from it, and be
     *     differentiable within 1e-5 of the inputs
     * @param inputs leaves; those that require a gradient are F64 and are checked, others are constants (null entries allowed). Contents are
     *     restored, gradients forgotten
     * @return the largest |analytic − numeric| / max(1, |numeric|)
     * @throws AssertionError naming input, element, analytic and numeric value of the first mismatch; NaN is one
     */
    public static double check(Function<Tensor[], Tensor> op, double tolerance, long seed, Tensor... inputs) {
        double[][] analytic = analytic(op, seed, inputs);
        double largest = 0;
        for (int i = 0; i < inputs.length; i++) {
            if (analytic[i] == null) {
                continue;
            }
            double[] values = inputs[i].toDoubleArray();
            for (int element = 0; element < values.length; element++) {
                double numeric = difference(op, seed, inputs, i, values, element);
                double error = Math.abs(analytic[i][element] - numeric) / Math.max(1, Math.abs(numeric));
                if (!(error <= tolerance)) {
                    throw new AssertionError(
                            "gradient check: analytic and numeric gradient must agree within " + tolerance
                                    + ": input=" + i + " " + inputs[i].shape() + ", element=" + element + ", analytic="
                                    + analytic[i][element] + ", numeric=" + numeric);
                }
                largest = Math.max(largest, error);
            }
        }
        return largest;
    }

    /** Gradients by backward, null for constants. */
    private static double[][] analytic(Function<Tensor[], Tensor> op, long seed, Tensor[] inputs) {
        requireDoubles(inputs);
        forget(inputs);
        try (var _ = Scope.open("gradient check");
                var _ = GradMode.enableGrad()) {
            Tensor output = op.apply(inputs);
            Tensor upstream = Tensor.empty(output.backend(), output.shape(), output.dtype());
            upstream.upload(MemorySegment.ofArray(upstream(output, seed)));
            output.backward(upstream);
        }
        double[][] gradients = new double[inputs.length][];
        for (int i = 0; i < inputs.length; i++) {
            Tensor input = inputs[i];
            if (input != null && input.requiresGrad()) {
                if (input.grad() == null) {
                    throw new AssertionError(
                            "gradient check: backward must reach every input that requires a gradient: input=" + i + " "
                                    + input);
                }
                gradients[i] = input.grad().toDoubleArray();
            }
        }
        forget(inputs);
        return gradients;
    }

    private static void requireDoubles(Tensor[] inputs) {
        for (int i = 0; i < inputs.length; i++) {
            if (inputs[i] != null && inputs[i].requiresGrad() && inputs[i].dtype() != DType.F64) {
                throw new DTypeException(
                        "gradient check: inputs that require a gradient must be F64: input=" + i + " " + inputs[i]);
            }
        }
    }

    private static void forget(Tensor[] inputs) {
        for (Tensor input : inputs) {
            if (input != null) {
                input.zeroGrad();
            }
        }
    }

    private static double difference(
            Function<Tensor[], Tensor> op, long seed, Tensor[] inputs, int i, double[] values, int element) {
        double original = values[element];
        double step = STEP * Math.max(1, Math.abs(original));
        double above = original + step;
        double below = original - step;
        values[element] = above;
        double high = evaluate(op, seed, inputs, i, values);
        values[element] = below;
        double low = evaluate(op, seed, inputs, i, values);
        values[element] = original;
        inputs[i].upload(MemorySegment.ofArray(values));
        return (high - low) / (above - below);
    }

    private static double evaluate(Function<Tensor[], Tensor> op, long seed, Tensor[] inputs, int i, double[] values) {
        inputs[i].upload(MemorySegment.ofArray(values));
        try (var _ = Scope.open("gradient check");
                var _ = GradMode.noGrad()) {
            Tensor output = op.apply(inputs);
            double[] result = output.toDoubleArray();
            double[] upstream = upstream(output, seed);
            double sum = 0;
            for (int j = 0; j < result.length; j++) {
                sum += result[j] * upstream[j];
            }
            return sum;
        }
    }

    /** The same random numbers in [−1, 1) for every evaluation. */
    private static double[] upstream(Tensor output, long seed) {
        Rng rng = new Rng(seed, STREAM, 0);
        double[] values = new double[Math.toIntExact(output.elementCount())];
        for (int i = 0; i < values.length; i++) {
            values[i] = rng.nextUniform(-1, 1);
        }
        return values;
    }
}
