package tenon.engine.ops;

import static tenon.engine.autograd.Autograd.save;
import static tenon.engine.autograd.Autograd.saveNothing;

import tenon.engine.Shape;
import tenon.engine.ShapeException;
import tenon.engine.TenonException;
import tenon.engine.Tensor;
import tenon.engine.autograd.Autograd;
import tenon.engine.backend.Backend;
import tenon.engine.backend.OpKind;

/** Addition, multiplication, scaling, matrix product and reductions. */
public final class Arithmetic {
    private Arithmetic() {}

    /** a + b; shapes broadcast as in {@link Shape#broadcast}. */
    public static Tensor add(Tensor a, Tensor b) {
        Backend backend = Checks.backend("add", OpKind.ADD, a, b);
        Checks.sameDType("add", a, b);
        Tensor output = Tensor.empty(backend, Shape.broadcast("add", a.shape(), b.shape()), a.dtype());
        backend.add(a, b, output);
        return Autograd.record("add", save(a, b), output, saveNothing(), (_, grads) -> {
            for (int i = 0; i < 2; i++) {
                if (grads.wanted(i)) {
                    grads.give(i, grads.output());
                }
            }
        });
    }

    /** a·b elementwise; shapes broadcast. */
    public static Tensor mul(Tensor a, Tensor b) {
        Backend backend = Checks.backend("mul", OpKind.MUL, a, b);
        Checks.sameDType("mul", a, b);
        Tensor output = Tensor.empty(backend, Shape.broadcast("mul", a.shape(), b.shape()), a.dtype());
        backend.multiply(a, b, output);
        return Autograd.record("mul", save(a, b), output, saveFactors(a, b), (saved, grads) -> {
            for (int i = 0; i < 2; i++) {
                if (grads.wanted(i)) {
                    Tensor gradient = Tensor.empty(
                            backend, grads.output().shape(), grads.output().dtype());
                    backend.multiply(grads.output(), saved[1 - i], gradient);
                    grads.give(i, gradient);
                }
            }
        });
    }

    /** factor·input. */
    public static Tensor scale(Tensor input, double factor) {
        Backend backend = Checks.backend("scale", OpKind.MUL, input);
        Checks.floating("scale", "input", input);
        Tensor output = Tensor.empty(backend, input.shape(), input.dtype());
        backend.scale(input, factor, output);
        return Autograd.record(
                "scale",
                save(input),
                output,
                saveNothing(),
                (_, grads) -> backend.scale(grads.output(), factor, grads.targetInPlace(0)));
    }

    /** Matrix product of a [M, K] and b [K, N]: [M, N]. */
    public static Tensor matmul(Tensor a, Tensor b) {
        Backend backend = Checks.backend("matmul", OpKind.GEMM, a, b);
        Checks.sameDType("matmul", a, b);
        Checks.rank("matmul", "a", a, 2, "[M, K]");
        Checks.rank("matmul", "b", b, 2, "[K, N]");
        if (a.shape().dim(1) != b.shape().dim(0)) {
            throw new ShapeException(TenonException.where("matmul") + ": columns of a must equal rows of b: a="
                    + a.shape() + ", b=" + b.shape());
        }
        Tensor output =
                Tensor.empty(backend, Shape.of(a.shape().dim(0), b.shape().dim(1)), a.dtype());
        backend.gemm(false, false, 1, a, b, 0, output);
        return Autograd.record("matmul", save(a, b), output, saveFactors(a, b), (saved, grads) -> {
            if (grads.wanted(0)) {
                backend.gemm(false, true, 1, grads.output(), saved[1], 0, grads.target(0));
            }
            if (grads.wanted(1)) {
                backend.gemm(true, false, 1, saved[0], grads.output(), 0, grads.target(1));
            }
        });
    }

    /** Each factor is needed for the other one's gradient. */
    private static Tensor[] saveFactors(Tensor a, Tensor b) {
        return save(b.requiresGrad() ? a : null, a.requiresGrad() ? b : null);
    }

    /** Sum of all elements, a scalar. */
    public static Tensor sum(Tensor input) {
        return reduce("sum", input, 1);
    }

    /** Mean of all elements, a scalar. */
    public static Tensor mean(Tensor input) {
        if (input.elementCount() == 0) {
            throw new ShapeException(TenonException.where("mean") + ": the input must have at least one element: input="
                    + input.shape());
        }
        return reduce("mean", input, 1.0 / input.elementCount());
    }

    private static Tensor reduce(String op, Tensor input, double factor) {
        Backend backend = Checks.backend(op, OpKind.REDUCE, input);
        Checks.floating(op, "input", input);
        Tensor output = Tensor.empty(backend, Shape.scalar(), input.dtype());
        backend.sumTo(input, output);
        if (factor != 1) {
            backend.scale(output, factor, output);
        }
        return Autograd.record(op, save(input), output, saveNothing(), (_, grads) -> {
            Tensor target = grads.target(0);
            target.fill(0);
            backend.add(target, grads.output(), target);
            if (factor != 1) {
                backend.scale(target, factor, target);
            }
        });
    }
}
