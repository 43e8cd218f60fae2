package tenon.engine.ops;

import static tenon.engine.autograd.Autograd.saveNothing;

import java.util.Arrays;
import tenon.engine.ShapeException;
import tenon.engine.TenonException;
import tenon.engine.Tensor;
import tenon.engine.autograd.Autograd;
import tenon.engine.autograd.Gradients;
import tenon.engine.backend.Backend;
import tenon.engine.backend.OpKind;

/** Concatenation and splitting along the last dimension. */
public final class Channels {
    /** Places of a branch among an op's inputs (input, gamma, beta) and saved tensors (input, gamma, beta, mean, variance). */
    private static final int PER_BRANCH = 5;

    private Channels() {}

    /** Joins [N, …, C_i] to [N, …, Σ C_i]. */
    public static Tensor concat(Tensor... inputs) {
        return concat(Activation.NONE, inputs);
    }

    /** Joins activation(inputs), computed in the copying pass: [N, …, C_i] to [N, …, Σ C_i]. Saves its result, not the inputs. */
    public static Tensor concat(Activation activation, Tensor... inputs) {
        ConcatBranch[] branches = new ConcatBranch[inputs.length];
        for (int i = 0; i < inputs.length; i++) {
            branches[i] = ConcatBranch.activated(inputs[i], activation);
        }
        return join(branches);
    }

    /** Joins branches [N, …, C_i] to [N, …, Σ C_i]; what ends a branch writes its result where it belongs, and its gradient reads it from there. */
    public static Tensor join(ConcatBranch... branches) {
        if (branches.length == 0) {
            throw new ShapeException(TenonException.where("concat") + ": at least one input is needed");
        }
        Tensor first = branches[0].input();
        int channels = 0;
        for (ConcatBranch branch : branches) {
            check(first, branch);
            channels += branch.channels();
        }
        Backend backend = first.backend();
        Tensor output = Tensor.empty(backend, first.shape().withDim(-1, channels), first.dtype());
        Tensor[] inputs = new Tensor[PER_BRANCH * branches.length];
        Tensor[] saved = new Tensor[inputs.length + 1];
        int[] offsets = new int[branches.length];
        boolean needsOutput = false;
        int offset = 0;
        for (int i = 0; i < branches.length; i++) {
            ConcatBranch branch = branches[i];
            offsets[i] = offset;
            inputs[PER_BRANCH * i] = branch.input();
            if (branch.norm() != null) {
                Normalization.forward(branch, output, offset, inputs, saved, PER_BRANCH * i);
            } else if (branch.needsOutput()) {
                backend.channels().activate(branch.activation(), branch.input(), output, offset);
            } else {
                backend.channels().copy(branch.input(), 0, output, offset, branch.channels());
            }
            needsOutput |= branch.needsOutput();
            offset += branch.channels();
        }
        saved[saved.length - 1] = needsOutput ? output : null;
        End[] ends = new End[branches.length];
        for (int i = 0; i < ends.length; i++) {
            ends[i] = End.of(branches[i]);
        }
        Autograd.record("concat", inputs, output, saved, (kept, grads) -> {
            for (int i = 0; i < ends.length; i++) {
                backward(backend, ends[i], offsets[i], PER_BRANCH * i, kept, grads);
            }
        });
        for (int i = 0; i < branches.length; i++) {
            if (branches[i].norm() != null && branches[i].training()) {
                saved[PER_BRANCH * i + 3].close();
                saved[PER_BRANCH * i + 4].close();
            }
        }
        return output;
    }

    /** What the gradient needs to know of a branch, without its tensors. */
    private record End(int channels, Activation activation, BatchNormSpec norm, boolean training) {
        static End of(ConcatBranch branch) {
            return new End(branch.channels(), branch.activation(), branch.norm(), branch.training());
        }
    }

    private static void backward(Backend backend, End end, int offset, int at, Tensor[] saved, Gradients grads) {
        Tensor gradOutput = grads.output();
        if (end.norm != null) {
            if (grads.wanted(at) || grads.wanted(at + 1) || grads.wanted(at + 2)) {
                backend.normalization()
                        .backward(
                                end.norm,
                                saved[at],
                                saved[at + 1],
                                saved[at + 2],
                                saved[at + 3],
                                saved[at + 4],
                                !end.training,
                                null,
                                gradOutput,
                                offset,
                                grads.wanted(at) ? grads.target(at) : null,
                                null,
                                grads.wanted(at + 1) ? grads.target(at + 1) : null,
                                grads.wanted(at + 2) ? grads.target(at + 2) : null);
            }
        } else if (grads.wanted(at)) {
            if (end.activation.kind() == Activation.Kind.NONE) {
                backend.channels().copy(gradOutput, offset, grads.target(at), 0, end.channels);
            } else {
                Tensor output = saved[saved.length - 1];
                backend.channels().activateBackward(end.activation, output, gradOutput, offset, grads.target(at));
            }
        }
    }

    private static void check(Tensor first, ConcatBranch branch) {
        Tensor input = branch.input();
        Checks.backend(
                "concat",
                OpKind.CONCAT,
                first,
                input,
                branch.gamma(),
                branch.beta(),
                branch.runningMean(),
                branch.runningVariance());
        Checks.sameDType("concat", first, input);
        if (input.shape().rank() == 0
                || !input.shape().withDim(-1, 1).equals(first.shape().withDim(-1, 1))) {
            throw new ShapeException(TenonException.where("concat") + ": all but the last dimension must be equal: "
                    + first.shape() + ", " + input.shape());
        }
        if (branch.norm() != null) {
            first.backend().require("batch_norm", OpKind.BATCH_NORM, first.dtype());
            Normalization.check(
                    "concat",
                    input,
                    branch.gamma(),
                    branch.beta(),
                    branch.runningMean(),
                    branch.runningVariance(),
                    branch.norm(),
                    branch.training());
        }
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
