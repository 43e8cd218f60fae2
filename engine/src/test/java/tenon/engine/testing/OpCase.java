package tenon.engine.testing;

import java.util.Arrays;
import java.util.function.Function;
import tenon.engine.DType;
import tenon.engine.GradMode;
import tenon.engine.Rng;
import tenon.engine.Scope;
import tenon.engine.Shape;
import tenon.engine.Tensor;
import tenon.engine.autograd.GradientCheck;
import tenon.engine.backend.Backend;
import tenon.engine.backend.OpKind;

/**
 * An op on given inputs, to be run on several back-ends and compared.
 *
 * @param reductionLength most products added up for one element of the result or a gradient; sets the tolerance
 * @param op a pure function of its inputs
 * @param inputs null entries for absent arguments
 */
public record OpCase(OpKind kind, long reductionLength, Function<Tensor[], Tensor> op, Input... inputs) {
    /** @param gradients one per input, null for constants */
    public record Outcome(Shape shape, double[] output, double[][] gradients) {}

    /** Forward and {@code backwards} backward passes over fresh graphs, with a random upstream gradient. */
    public Outcome run(Backend backend, DType dtype, int backwards) {
        try (var _ = Scope.open("case", backend)) {
            Tensor[] tensors = make(dtype);
            boolean trained = Arrays.stream(inputs).anyMatch(input -> input != null && input.trained());
            Tensor output = op.apply(tensors);
            double[] result = output.toDoubleArray();
            for (int i = 0; trained && i < backwards; i++) {
                Tensor fresh = i == 0 ? output : op.apply(tensors);
                Tensor upstream = Tensor.empty(output.shape(), output.dtype());
                Tensors.upload(upstream, upstream(result.length));
                fresh.backward(upstream);
            }
            double[][] gradients = new double[tensors.length][];
            for (int i = 0; i < tensors.length; i++) {
                gradients[i] = tensors[i] != null && tensors[i].grad() != null
                        ? tensors[i].grad().toDoubleArray()
                        : null;
            }
            return new Outcome(output.shape(), result, gradients);
        }
    }

    public Outcome run(Backend backend, DType dtype) {
        return run(backend, dtype, 1);
    }

    /** The result without recording, as in inference. */
    public double[] infer(Backend backend, DType dtype) {
        try (var _ = Scope.open("case", backend);
                var _ = GradMode.noGrad()) {
            return op.apply(make(dtype)).toDoubleArray();
        }
    }

    public void checkGradients(Backend backend) {
        try (var _ = Scope.open("case", backend)) {
            GradientCheck.check(op, make(DType.F64));
        }
    }

    private Tensor[] make(DType dtype) {
        Tensor[] tensors = new Tensor[inputs.length];
        for (int i = 0; i < inputs.length; i++) {
            tensors[i] = inputs[i] == null ? null : inputs[i].make(dtype, i + 1);
        }
        return tensors;
    }

    private static double[] upstream(int count) {
        Rng rng = new Rng(0, Rng.stream("upstream"), 0);
        double[] values = new double[count];
        for (int i = 0; i < count; i++) {
            values[i] = DType.bf16ToFloat(DType.floatToBf16((float) rng.nextUniform(-1, 1)));
        }
        return values;
    }
}
