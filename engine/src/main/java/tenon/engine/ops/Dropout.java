package tenon.engine.ops;

import static tenon.engine.autograd.Autograd.save;
import static tenon.engine.autograd.Autograd.saveNothing;

import tenon.engine.Generator;
import tenon.engine.Rng;
import tenon.engine.TenonException;
import tenon.engine.Tensor;
import tenon.engine.autograd.Autograd;
import tenon.engine.backend.Backend;
import tenon.engine.backend.OpKind;

/** Inverted dropout (Srivastava et al. 2014): elements vanish with probability {@code rate}, the rest grow by 1 / (1 − rate). */
public final class Dropout {
    private Dropout() {}

    /** Takes its random sequence from the thread's {@link Generator}. The backward pass draws it again, so nothing is saved. Rate 0 returns the input. */
    public static Tensor dropout(Tensor input, double rate) {
        if (!(rate >= 0 && rate < 1)) {
            throw new IllegalArgumentException(
                    TenonException.where("dropout") + ": rate must lie in [0, 1): rate=" + rate);
        }
        if (rate == 0) {
            return input;
        }
        Backend backend = Checks.backend("dropout", OpKind.DROPOUT, input);
        Rng rng = Generator.current().next();
        Tensor output = Tensor.empty(backend, input.shape(), input.dtype());
        backend.random().dropout(input, rate, rng, output);
        return Autograd.record(
                "dropout",
                save(input),
                output,
                saveNothing(),
                (_, grads) -> backend.random().dropout(grads.output(), rate, rng, grads.targetInPlace(0)));
    }
}
