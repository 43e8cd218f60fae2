package tenon.apps.networks;

import java.util.Random;
import tenon.engine.DType;
import tenon.engine.Generator;
import tenon.engine.Scope;
import tenon.engine.Shape;
import tenon.engine.Tensor;
import tenon.engine.ops.Losses;
import tenon.layers.Module;
import tenon.optim.Optimizer;

/** A task that networks learn in a few steps: noise with a bright bar at one of ten heights. */
final class Bars {
    private static final int CLASSES = 10;
    private static final int BATCH = 20;

    private Bars() {}

    /** Trains on a new batch and returns its loss before that. */
    static double step(Module net, Optimizer optimizer, int side, int step, double rate) {
        Random random = new Random(step);
        int[] labels = random.ints(BATCH, 0, CLASSES).toArray();
        int row = side * 3;
        int barHeight = side / CLASSES;
        float[] pixels = new float[BATCH * side * row];
        for (int i = 0; i < pixels.length; i++) {
            boolean bar = i / row % side / barHeight == labels[i / (side * row)];
            pixels[i] = random.nextFloat() + (bar ? 2 : 0);
        }
        Generator.current().beginStep(step);
        try (var _ = Scope.open("step")) {
            Tensor images = Tensor.empty(Shape.of(BATCH, side, side, 3), DType.F32);
            images.upload(pixels);
            net.zeroGrad();
            Tensor loss = Losses.softmaxCrossEntropy(net.apply(images), Tensor.of(labels, BATCH));
            loss.backward();
            optimizer.step(rate);
            return loss.item();
        }
    }
}
