package tenon.engine.ops;

import static tenon.engine.autograd.Autograd.saveNothing;

import java.util.Arrays;
import java.util.stream.IntStream;
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
        End[] ends = new End[branches.length];
        int offset = 0;
        for (int i = 0; i < branches.length; i++) {
            ConcatBranch branch = branches[i];
            ends[i] = new End(offset, branch.activation(), branch.norm(), branch.training());
            inputs[PER_BRANCH * i] = branch.input();
            if (branch.needsOutput()) {
                saved[saved.length - 1] = output;
            }
            offset += branch.channels();
        }
        int next;
        for (int i = 0; i < branches.length; i = next) {
            next = i + 1;
            if (branches[i].norm() != null) {
                Normalization.forward(branches[i], output, ends[i].offset, inputs, saved, PER_BRANCH * i);
                continue;
            }
            while (next < branches.length && ends[next].isSameActivation(ends[i])) {
                next++;
            }
            Tensor[] from =
                    Arrays.stream(branches, i, next).map(ConcatBranch::input).toArray(Tensor[]::new);
            backend.channels().activate(ends[i].activation, from, output, ends[i].offset);
        }
        Autograd.record("concat", inputs, output, saved, (kept, grads) -> backward(backend, ends, kept, grads));
        for (int i = 0; i < branches.length; i++) {
            if (branches[i].norm() != null && branches[i].training()) {
                saved[PER_BRANCH * i + 3].close();
                saved[PER_BRANCH * i + 4].close();
            }
        }
        return output;
    }

    /** What the gradient needs to know of a branch, without its tensors. */
    private record End(int offset, Activation activation, BatchNormSpec norm, boolean training) {
        boolean isSameActivation(End other) {
            return norm == null && other.norm == null && activation.equals(other.activation);
        }
    }

    private static void backward(Backend backend, End[] ends, Tensor[] saved, Gradients grads) {
        int next;
        for (int i = 0; i < ends.length; i = next) {
            next = i + 1;
            if (ends[i].norm != null) {
                normBackward(backend, ends[i], PER_BRANCH * i, saved, grads);
            } else if (grads.wanted(PER_BRANCH * i)) {
                while (next < ends.length && ends[next].isSameActivation(ends[i]) && grads.wanted(PER_BRANCH * next)) {
                    next++;
                }
                Tensor[] targets = IntStream.range(i, next)
                        .mapToObj(branch -> grads.target(PER_BRANCH * branch))
                        .toArray(Tensor[]::new);
                Activation activation = ends[i].activation;
                Tensor output = activation.kind() == Activation.Kind.NONE ? null : saved[saved.length - 1];
                backend.channels().activateBackward(activation, output, grads.output(), ends[i].offset, targets);
            }
        }
    }

    private static void normBackward(Backend backend, End end, int at, Tensor[] saved, Gradients grads) {
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
                            grads.output(),
                            end.offset,
                            grads.wanted(at) ? grads.target(at) : null,
                            null,
                            grads.wanted(at + 1) ? grads.target(at + 1) : null,
                            grads.wanted(at + 2) ? grads.target(at + 2) : null);
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
