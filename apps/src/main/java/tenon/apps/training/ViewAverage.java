package tenon.apps.training;

import tenon.engine.DType;
import tenon.engine.Shape;
import tenon.engine.Tensor;
import tenon.engine.ops.Losses;
import tenon.engine.ops.Pooling;
import tenon.layers.Module;

/**
 * A classifier that is asked about several views of a picture. Input [N, views·H, W, C], the views of a picture one below the other; output [N, classes]: the
 * logarithms of the mean of the views' probabilities, so that a softmax of it gives that mean. Without gradients.
 */
final class ViewAverage extends Module {
    private final Module network;
    private final int views;

    /** @param network from [N, H, W, C] to logits [N, classes]; stays the caller's */
    ViewAverage(Module network, int views) {
        this.network = network;
        this.views = views;
    }

    @Override
    protected Tensor forward(Tensor input) {
        Shape shape = input.shape();
        int n = shape.dim(0);
        Tensor logits =
                network.apply(input.view(Shape.of(n * views, shape.dim(1) / views, shape.dim(2), shape.dim(3))));
        int classes = logits.shape().dim(1);
        Tensor mean = Pooling.globalAvgPool2d(Losses.softmax(logits).view(Shape.of(n, views, 1, classes)));
        float[] values = mean.toFloatArray();
        for (int i = 0; i < values.length; i++) {
            // A class that no view gives any probability keeps a finite loss.
            values[i] = (float) Math.log(Math.max(values[i], Float.MIN_NORMAL));
        }
        Tensor output = Tensor.empty(Shape.of(n, classes), DType.F32);
        output.upload(values);
        return output;
    }
}
