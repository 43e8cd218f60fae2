package tenon.engine.backend.reference;

import tenon.engine.Tensor;
import tenon.engine.backend.UpdateKernels;

final class ReferenceUpdates implements UpdateKernels {
    @Override
    public void sgd(
            Tensor[] weight,
            Tensor[] grad,
            Tensor[] velocity,
            float rate,
            float momentum,
            boolean nesterov,
            float rescale,
            Tensor clip,
            float[] weightDecay,
            float[] rateScale) {
        float scale = rescale * UpdateKernels.factorOf(clip);
        for (int parameter = 0; parameter < weight.length; parameter++) {
            Elements w = Elements.of(weight[parameter]);
            Elements gradient = Elements.of(grad[parameter]);
            Elements state = velocity == null ? null : Elements.of(velocity[parameter]);
            double step = (double) rate * rateScale[parameter];
            for (long i = 0; i < weight[parameter].elementCount(); i++) {
                double g = scale * gradient.get(i) + weightDecay[parameter] * w.get(i);
                double direction = g;
                if (state != null) {
                    double v = flush(momentum * state.get(i) + g);
                    state.set(i, v);
                    direction = nesterov ? g + momentum * v : v;
                }
                w.set(i, w.get(i) - step * direction);
            }
        }
    }

    @Override
    public void adam(
            Tensor[] weight,
            Tensor[] grad,
            Tensor[] firstMoment,
            Tensor[] secondMoment,
            float rate,
            float beta1,
            float beta2,
            float epsilon,
            int t,
            boolean decoupled,
            float rescale,
            Tensor clip,
            float[] weightDecay,
            float[] rateScale) {
        float scale = rescale * UpdateKernels.factorOf(clip);
        double correction1 = 1 - Math.pow(beta1, t);
        double correction2 = 1 - Math.pow(beta2, t);
        for (int parameter = 0; parameter < weight.length; parameter++) {
            Elements w = Elements.of(weight[parameter]);
            Elements gradient = Elements.of(grad[parameter]);
            Elements first = Elements.of(firstMoment[parameter]);
            Elements second = Elements.of(secondMoment[parameter]);
            double step = (double) rate * rateScale[parameter];
            double decay = weightDecay[parameter];
            for (long i = 0; i < weight[parameter].elementCount(); i++) {
                double old = decoupled ? w.get(i) - step * decay * w.get(i) : w.get(i);
                double g = scale * gradient.get(i) + (decoupled ? 0 : decay * old);
                double m = flush(beta1 * first.get(i) + (1.0 - beta1) * g);
                double v = flush(beta2 * second.get(i) + (1.0 - beta2) * g * g);
                first.set(i, m);
                second.set(i, v);
                w.set(i, old - step * (m / correction1) / (Math.sqrt(v / correction2) + epsilon));
            }
        }
    }

    @Override
    public void rmsprop(
            Tensor[] weight,
            Tensor[] grad,
            Tensor[] squareAverage,
            Tensor[] buffer,
            float rate,
            float decay,
            float epsilon,
            float momentum,
            float rescale,
            Tensor clip,
            float[] weightDecay,
            float[] rateScale) {
        float scale = rescale * UpdateKernels.factorOf(clip);
        for (int parameter = 0; parameter < weight.length; parameter++) {
            Elements w = Elements.of(weight[parameter]);
            Elements gradient = Elements.of(grad[parameter]);
            Elements square = Elements.of(squareAverage[parameter]);
            Elements state = buffer == null ? null : Elements.of(buffer[parameter]);
            double step = (double) rate * rateScale[parameter];
            for (long i = 0; i < weight[parameter].elementCount(); i++) {
                double g = scale * gradient.get(i) + weightDecay[parameter] * w.get(i);
                double s = flush(decay * square.get(i) + (1.0 - decay) * g * g);
                square.set(i, s);
                double direction = g / (Math.sqrt(s) + epsilon);
                if (state != null) {
                    direction = flush(momentum * state.get(i) + direction);
                    state.set(i, direction);
                }
                w.set(i, w.get(i) - step * direction);
            }
        }
    }

    @Override
    public double sumOfSquares(Tensor[] tensors) {
        double sum = 0;
        for (Tensor tensor : tensors) {
            Elements x = Elements.of(tensor);
            for (long i = 0; i < tensor.elementCount(); i++) {
                sum += x.get(i) * x.get(i);
            }
        }
        return sum;
    }

    /** State below the smallest normal float becomes 0. */
    private static double flush(double state) {
        return Math.abs(state) < Float.MIN_NORMAL ? 0 : state;
    }
}
