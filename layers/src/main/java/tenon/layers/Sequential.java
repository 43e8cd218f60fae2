package tenon.layers;

import tenon.engine.Tensor;
import tenon.engine.ops.Activation;
import tenon.engine.ops.ConcatBranch;

/**
 * Layers one after the other: input of the first, output of the last. Each intermediate result is closed as soon as the next layer has used it;
 * what the tape saved lives on.
 */
public class Sequential extends Module {
    private Module[] layers = {};

    /** Layers named 0, 1, 2, … */
    public static Sequential of(Module... layers) {
        Sequential sequential = new Sequential();
        for (Module layer : layers) {
            sequential.add(layer);
        }
        return sequential;
    }

    /** Appends a layer under a name of its own. Returns this. */
    public final Sequential add(String name, Module layer) {
        Module[] more = new Module[layers.length + 1];
        System.arraycopy(layers, 0, more, 0, layers.length);
        more[layers.length] = child(name, layer);
        layers = more;
        return this;
    }

    /** Appends a layer; its name is its position. */
    public final Sequential add(Module layer) {
        return add(Integer.toString(layers.length), layer);
    }

    @Override
    protected final void appendTo(InferenceChain chain) {
        for (Module layer : layers) {
            chain.append(layer);
        }
    }

    @Override
    protected final Tensor forward(Tensor input) {
        Tensor x = input;
        for (Module layer : layers) {
            x = next(layer, x);
        }
        return x;
    }

    @Override
    final ConcatBranch branch(Tensor input) {
        return layers.length == 0 ? ConcatBranch.of(input) : last().applyAsBranch(beforeLast(input));
    }

    @Override
    public final Tensor applyAdding(Tensor input, Tensor shortcut, Activation activation) {
        return layers.length == 0 || !mayFuse()
                ? super.applyAdding(input, shortcut, activation)
                : last().applyAdding(beforeLast(input), shortcut, activation);
    }

    private Module last() {
        return layers[layers.length - 1];
    }

    private Tensor beforeLast(Tensor input) {
        Tensor x = input;
        for (int i = 0; i < layers.length - 1; i++) {
            // The input is the caller's, who may have use for it.
            x = i == 0 ? layers[i].apply(x) : next(layers[i], x);
        }
        return x;
    }
}
