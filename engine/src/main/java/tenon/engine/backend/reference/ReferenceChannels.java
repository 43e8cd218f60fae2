package tenon.engine.backend.reference;

import tenon.engine.Tensor;
import tenon.engine.backend.ChannelKernels;
import tenon.engine.ops.Activation;

final class ReferenceChannels implements ChannelKernels {
    @Override
    public void copy(Tensor from, int fromOffset, Tensor to, int toOffset, int count) {
        copy(Activation.NONE, from, fromOffset, to, toOffset, count);
    }

    @Override
    public void activate(Activation activation, Tensor[] from, Tensor to, int toOffset) {
        int offset = toOffset;
        for (Tensor tensor : from) {
            int count = tensor.shape().dim(-1);
            copy(activation, tensor, 0, to, offset, count);
            offset += count;
        }
    }

    private static void copy(Activation activation, Tensor from, int fromOffset, Tensor to, int toOffset, int count) {
        Elements x = Elements.of(from);
        Elements y = Elements.of(to);
        long fromChannels = from.shape().dim(-1);
        long toChannels = to.shape().dim(-1);
        for (long outer = 0; outer < from.shape().outerCount(); outer++) {
            for (int i = 0; i < count; i++) {
                double value = x.get(outer * fromChannels + fromOffset + i);
                y.set(outer * toChannels + toOffset + i, ReferenceActivation.apply(activation, value));
            }
        }
    }

    @Override
    public void activateBackward(
            Activation activation, Tensor output, Tensor gradOutput, int offset, Tensor[] gradInput) {
        int from = offset;
        for (Tensor tensor : gradInput) {
            int count = tensor.shape().dim(-1);
            if (output == null) {
                copy(gradOutput, from, tensor, 0, count);
            } else {
                activateBackward(activation, output, gradOutput, from, tensor);
            }
            from += count;
        }
    }

    private static void activateBackward(
            Activation activation, Tensor output, Tensor gradOutput, int offset, Tensor gradInput) {
        Elements y = Elements.of(output);
        Elements gy = Elements.of(gradOutput);
        Elements gx = Elements.of(gradInput);
        int count = gradInput.shape().dim(-1);
        long channels = output.shape().dim(-1);
        for (long outer = 0; outer < output.shape().outerCount(); outer++) {
            for (int i = 0; i < count; i++) {
                long at = outer * channels + offset + i;
                gx.set(outer * count + i, gy.get(at) * ReferenceActivation.derivative(activation, y.get(at)));
            }
        }
    }
}
