package tenon.layers;

import tenon.engine.Tensor;
import tenon.engine.ops.Channels;
import tenon.engine.ops.ConcatBranch;

/**
 * Parallel branches on one input, joined along the channels: input [N, …], outputs [N, …, C_i], result [N, …, Σ C_i] in the order of the branches. An
 * activation or batch norm at a branch's end writes straight into the result.
 */
public final class Concat extends Module {
    private Module[] branches = {};

    /** Branches named 0, 1, 2, …; more can be added. */
    public Concat(Module... branches) {
        for (Module branch : branches) {
            add(Integer.toString(this.branches.length), branch);
        }
    }

    /** Appends a branch under a name of its own. Returns this. */
    public Concat add(String name, Module branch) {
        Module[] more = new Module[branches.length + 1];
        System.arraycopy(branches, 0, more, 0, branches.length);
        more[branches.length] = child(name, branch);
        branches = more;
        return this;
    }

    @Override
    protected void appendTo(InferenceChain chain) {
        InferenceChain[] chains = new InferenceChain[branches.length];
        for (int i = 0; i < chains.length; i++) {
            chains[i] = InferenceChain.of(branches[i]);
        }
        chain.add(this, x -> {
            Tensor[] outputs = new Tensor[chains.length];
            for (int i = 0; i < chains.length; i++) {
                outputs[i] = chains[i].run(x);
            }
            return Channels.concat(outputs);
        });
    }

    @Override
    protected Tensor forward(Tensor input) {
        ConcatBranch[] parts = new ConcatBranch[branches.length];
        for (int i = 0; i < branches.length; i++) {
            parts[i] = branches[i].applyAsBranch(input);
        }
        return Channels.join(parts);
    }
}
