package tenon.engine.backend.reference;

import tenon.engine.Tensor;
import tenon.engine.backend.DenseKernels;
import tenon.engine.ops.Activation;

final class ReferenceDense implements DenseKernels {
    @Override
    public void forward(Tensor input, Tensor weight, Tensor bias, Activation activation, Tensor output) {
        int batch = input.shape().dim(0);
        int in = weight.shape().dim(1);
        int out = weight.shape().dim(0);
        double[] x = Elements.values(input);
        double[] w = Elements.weight(weight, input);
        double[] b = bias == null ? null : Elements.values(bias);
        Elements y = Elements.of(output);
        for (int n = 0; n < batch; n++) {
            for (int o = 0; o < out; o++) {
                double sum = b == null ? 0 : b[o];
                for (int i = 0; i < in; i++) {
                    sum += x[n * in + i] * w[o * in + i];
                }
                y.set((long) n * out + o, ReferenceActivation.apply(activation, sum));
            }
        }
    }

    @Override
    public void backwardInput(Tensor gradOutput, Tensor weight, Tensor gradInput) {
        int batch = gradOutput.shape().dim(0);
        int in = weight.shape().dim(1);
        int out = weight.shape().dim(0);
        double[] gy = Elements.values(gradOutput);
        double[] w = Elements.weight(weight, gradInput);
        Elements gx = Elements.of(gradInput);
        for (int n = 0; n < batch; n++) {
            for (int i = 0; i < in; i++) {
                double sum = 0;
                for (int o = 0; o < out; o++) {
                    sum += gy[n * out + o] * w[o * in + i];
                }
                gx.set((long) n * in + i, sum);
            }
        }
    }

    @Override
    public void backwardWeight(Tensor input, Tensor gradOutput, Tensor gradWeight, Tensor gradBias) {
        ReferenceArithmetic.gemm(true, false, 1, gradOutput, input, 0, gradWeight);
        if (gradBias != null) {
            ReferenceArithmetic.sumTo(gradOutput, gradBias);
        }
    }
}
