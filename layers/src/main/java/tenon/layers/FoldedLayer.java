package tenon.layers;

import java.util.Arrays;
import tenon.engine.Tensor;
import tenon.engine.ops.Activation;
import tenon.engine.ops.Arithmetic;
import tenon.engine.ops.Casts;

/** activation(weight·x + bias) of a convolution or dense layer, with weights of its own once batch norm is folded into them. */
final class FoldedLayer {
    /** The layer's operation with other weights; bias may be null. */
    interface Operation {
        Tensor apply(Tensor input, Tensor weight, Tensor bias, Activation activation);
    }

    private final Operation operation;
    private Tensor weight;
    private Tensor bias;
    private Activation activation;

    FoldedLayer(Operation operation, Tensor weight, Tensor bias, Activation activation) {
        this.operation = operation;
        this.weight = weight;
        this.bias = bias;
        this.activation = activation;
    }

    Tensor apply(Tensor input) {
        return operation.apply(input, weight, bias, activation);
    }

    /** Whether nothing stands between the sum and what follows. */
    boolean isLinear() {
        return activation.kind() == Activation.Kind.NONE;
    }

    void activate(Activation newActivation) {
        activation = newActivation;
    }

    /**
     * With s = gamma / sqrt(variance + epsilon), s·(weight·x + bias − mean) + beta has the weight s·weight and the bias s·(bias − mean) + beta; s
     * and the bias are computed in F64.
     */
    void fold(BatchNorm norm) {
        double[] mean = norm.runningMean().value().toDoubleArray();
        double[] variance = norm.runningVariance().value().toDoubleArray();
        double[] beta = norm.beta().value().toDoubleArray();
        double[] gamma = norm.gamma() == null ? null : norm.gamma().value().toDoubleArray();
        double[] biases = bias == null ? null : bias.toDoubleArray();
        int channels = mean.length;
        double[] scale = new double[channels];
        double[] shift = new double[channels];
        for (int k = 0; k < channels; k++) {
            scale[k] = (gamma == null ? 1 : gamma[k])
                    / Math.sqrt(variance[k] + norm.spec().epsilon());
            shift[k] = scale[k] * ((biases == null ? 0 : biases[k]) - mean[k]) + beta[k];
        }
        int[] rows = new int[weight.shape().rank()];
        Arrays.fill(rows, 1);
        rows[0] = channels;
        Tensor factor = Casts.cast(Tensor.of(scale, rows), weight.dtype());
        weight = Arithmetic.mul(weight, factor);
        factor.close();
        bias = Casts.cast(Tensor.of(shift, channels), weight.dtype());
        activation = norm.spec().activation();
    }
}
