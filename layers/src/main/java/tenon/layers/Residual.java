package tenon.layers;

import tenon.engine.Tensor;
import tenon.engine.ops.Activation;
import tenon.engine.ops.Activations;

/**
 * activation(main(x) + shortcut(x)) (He et al. 2015, "Deep residual learning", eqs. 1 and 2); both branches give the same shape. Children {@code
 * main} and, unless it is the identity, {@code shortcut}.
 */
public final class Residual extends Module {
    private final Module main;
    private final Module shortcut;
    private final Activation activation;

    /** Identity shortcut, no activation after the sum. */
    public Residual(Module main) {
        this(main, null, Activation.NONE);
    }

    /** @param shortcut null for the identity */
    public Residual(Module main, Module shortcut, Activation activation) {
        this.main = child("main", main);
        this.shortcut = shortcut == null ? null : child("shortcut", shortcut);
        this.activation = activation;
    }

    /** Applied after the sum. */
    public Activation activation() {
        return activation;
    }

    @Override
    protected void appendTo(InferenceChain chain) {
        InferenceChain mainChain = InferenceChain.of(main);
        InferenceChain shortcutChain = shortcut == null ? InferenceChain.of() : InferenceChain.of(shortcut);
        chain.add(this, x -> Activations.addActivation(mainChain.run(x), shortcutChain.run(x), activation));
    }

    @Override
    protected Tensor forward(Tensor input) {
        Tensor added = shortcut == null ? input : shortcut.apply(input);
        return main.applyAdding(input, added, activation);
    }

    @Override
    protected String settings() {
        return activation.kind() == Activation.Kind.NONE ? "" : activation.opName();
    }
}
