package tenon.engine.ops;

import static tenon.engine.autograd.Autograd.save;
import static tenon.engine.autograd.Autograd.saveNothing;

import tenon.engine.Shape;
import tenon.engine.ShapeException;
import tenon.engine.TenonException;
import tenon.engine.Tensor;
import tenon.engine.autograd.Autograd;

/** Views of another shape: no data moves, because all tensors are dense row-major. */
public final class Reshape {
    private Reshape() {}

    public static Tensor reshape(Tensor input, Shape shape) {
        Tensor output = input.view(shape);
        Shape original = input.shape();
        return Autograd.record(
                "reshape",
                save(input),
                output,
                saveNothing(),
                (_, grads) -> grads.give(0, grads.output().view(original)));
    }

    /** [N, …] to [N, product of the rest]; an image flattens in the order row, column, channel. */
    public static Tensor flatten(Tensor input) {
        if (input.shape().rank() < 1) {
            throw new ShapeException(
                    TenonException.where("flatten") + ": input must have a batch dimension: input=" + input.shape());
        }
        int n = input.shape().dim(0);
        int features = 1;
        for (int i = 1; i < input.shape().rank(); i++) {
            features = Math.multiplyExact(features, input.shape().dim(i));
        }
        return reshape(input, Shape.of(n, features));
    }
}
