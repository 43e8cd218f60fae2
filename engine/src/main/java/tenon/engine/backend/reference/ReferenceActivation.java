package tenon.engine.backend.reference;

import tenon.engine.Tensor;
import tenon.engine.backend.ActivationKernels;
import tenon.engine.ops.Activation;

/** Activations; NaN in gives NaN out. */
final class ReferenceActivation implements ActivationKernels {
    @Override
    public void forward(Activation activation, Tensor input, Tensor output) {
        Elements x = Elements.of(input);
        Elements y = Elements.of(output);
        for (long i = 0; i < output.elementCount(); i++) {
            y.set(i, apply(activation, x.get(i)));
        }
    }

    @Override
    public void backward(Activation activation, Tensor output, Tensor gradOutput, Tensor gradInput) {
        Elements y = Elements.of(output);
        Elements gy = Elements.of(gradOutput);
        Elements gx = Elements.of(gradInput);
        for (long i = 0; i < gradInput.elementCount(); i++) {
            gx.set(i, gy.get(i) * derivative(activation, y.get(i)));
        }
    }

    @Override
    public void preluForward(Tensor input, Tensor slope, Tensor output) {
        Elements x = Elements.of(input);
        Elements a = Elements.of(slope);
        Elements y = Elements.of(output);
        int channels = input.shape().dim(-1);
        for (long i = 0; i < output.elementCount(); i++) {
            double value = x.get(i);
            y.set(i, value > 0 ? value : a.get(i % channels) * value);
        }
    }

    @Override
    public void preluBackward(Tensor input, Tensor slope, Tensor gradOutput, Tensor gradInput, Tensor gradSlope) {
        Elements x = Elements.of(input);
        Elements a = Elements.of(slope);
        Elements gy = Elements.of(gradOutput);
        int channels = input.shape().dim(-1);
        // The slopes first: the input's gradient may overwrite the output's.
        if (gradSlope != null) {
            Elements ga = Elements.of(gradSlope);
            for (int c = 0; c < channels; c++) {
                double sum = 0;
                for (long i = c; i < input.elementCount(); i += channels) {
                    sum += x.get(i) > 0 ? 0 : gy.get(i) * x.get(i);
                }
                ga.set(c, sum);
            }
        }
        if (gradInput != null) {
            Elements gx = Elements.of(gradInput);
            for (long i = 0; i < input.elementCount(); i++) {
                gx.set(i, gy.get(i) * (x.get(i) > 0 ? 1 : a.get(i % channels)));
            }
        }
    }

    @Override
    public void addForward(Activation activation, Tensor a, Tensor b, Tensor output) {
        Elements x = Elements.of(a);
        Elements y = Elements.of(b);
        Elements z = Elements.of(output);
        for (long i = 0; i < output.elementCount(); i++) {
            z.set(i, apply(activation, x.get(i) + y.get(i)));
        }
    }

    static double apply(Activation activation, double x) {
        return switch (activation.kind()) {
            case NONE -> x;
            case RELU -> Math.max(x, 0);
            case RELU6 -> Math.min(Math.max(x, 0), 6);
            case LEAKY_RELU -> x > 0 ? x : activation.alpha() * x;
            case ELU -> x > 0 ? x : activation.alpha() * Math.expm1(x);
            case SIGMOID -> 1 / (1 + Math.exp(-x));
            case TANH -> Math.tanh(x);
        };
    }

    /** Derivative at the input whose image is {@code y}. */
    static double derivative(Activation activation, double y) {
        return switch (activation.kind()) {
            case NONE -> 1;
            case RELU -> y > 0 ? 1 : 0;
            case RELU6 -> y > 0 && y < 6 ? 1 : 0;
            case LEAKY_RELU -> y > 0 ? 1 : activation.alpha();
            case ELU -> y > 0 ? 1 : y + activation.alpha();
            case SIGMOID -> y * (1 - y);
            case TANH -> 1 - y * y;
        };
    }
}
