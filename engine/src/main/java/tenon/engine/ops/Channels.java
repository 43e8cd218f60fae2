package tenon.engine.ops;

import static tenon.engine.autograd.Autograd.saveNothing;

import java.util.Arrays;
import tenon.engine.ShapeException;
import tenon.engine.TenonException;
import tenon.engine.Tensor;
import tenon.engine.autograd.Autograd;
import tenon.engine.backend.Backend;
import tenon.engine.backend.OpKind;

/** Concatenation and splitting along the last dimension. */
public final class Channels {
    private Channels() {}

    /** Joins [N, …, C_i] to [N, …, Σ C_i]. */
    public static Tensor concat(Tensor... inputs) {
        if (inputs.length == 0) {
            throw new ShapeException(TenonException.where("concat") + ": at least one input is needed");
        }
        Tensor first = inputs[0];
        Backend backend = Checks.backend("concat", OpKind.CONCAT, first, inputs);
        int channels = 0;
        for (Tensor input : inputs) {
            Checks.sameDType("concat", first, input);
            if (input.shape().rank() == 0
                    || !input.shape().withDim(-1, 1).equals(first.shape().withDim(-1, 1))) {
                throw new ShapeException(TenonException.where("concat") + ": all but the last dimension must be equal: "
                        + first.shape() + ", " + input.shape());
            }
            channels += input.shape().dim(-1);
        }
        Tensor output = Tensor.empty(backend, first.shape().withDim(-1, channels), first.dtype());
        int[] counts = new int[inputs.length];
        int offset = 0;
        for (int i = 0; i < inputs.length; i++) {
            counts[i] = inputs[i].shape().dim(-1);
            backend.channels().copy(inputs[i], 0, output, offset, counts[i]);
            offset += counts[i];
        }
        return Autograd.record("concat", inputs.clone(), output, saveNothing(), (_, grads) -> {
            int from = 0;
            for (int i = 0; i < counts.length; i++) {
                if (grads.wanted(i)) {
                    backend.channels().copy(grads.output(), from, grads.target(i), 0, counts[i]);
                }
                from += counts[i];
            }
        });
    }

    /** Cuts [N, …, C] into [N, …, sizes_i]; the sizes add up to C. */
    public static Tensor[] split(Tensor input, int... sizes) {
        Backend backend = Checks.backend("split", OpKind.CONCAT, input);
        int total = 0;
        for (int size : sizes) {
            if (size < 0) {
                throw new ShapeException(
                        TenonException.where("split") + ": sizes must be at least 0: sizes=" + Arrays.toString(sizes));
            }
            total += size;
        }
        if (input.shape().rank() == 0 || total != input.shape().dim(-1)) {
            throw new ShapeException(TenonException.where("split") + ": sizes must add up to the last dimension: input="
                    + input.shape() + ", sum of sizes=" + total);
        }
        Tensor[] outputs = new Tensor[sizes.length];
        int offset = 0;
        for (int i = 0; i < sizes.length; i++) {
            outputs[i] = Tensor.empty(backend, input.shape().withDim(-1, sizes[i]), input.dtype());
            backend.channels().copy(input, offset, outputs[i], 0, sizes[i]);
            offset += sizes[i];
        }
        int[] counts = sizes.clone();
        return Autograd.record("split", new Tensor[] {input}, outputs, saveNothing(), (_, grads) -> {
            Tensor target = grads.target(0);
            int to = 0;
            for (int i = 0; i < counts.length; i++) {
                backend.channels().copy(grads.output(i), 0, target, to, counts[i]);
                to += counts[i];
            }
        });
    }
}
