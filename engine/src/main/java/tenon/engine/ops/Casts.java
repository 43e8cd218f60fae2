package tenon.engine.ops;

import static tenon.engine.autograd.Autograd.save;
import static tenon.engine.autograd.Autograd.saveNothing;

import tenon.engine.DType;
import tenon.engine.DTypeException;
import tenon.engine.TenonException;
import tenon.engine.Tensor;
import tenon.engine.autograd.Autograd;
import tenon.engine.backend.Backend;

/** Conversion between dtypes. */
public final class Casts {
    private Casts() {}

    /** The same values in another floating dtype; U8 and I32 convert to floating. The gradient is cast back. */
    public static Tensor cast(Tensor input, DType dtype) {
        input.checkOpen();
        if (input.dtype() == dtype) {
            return input;
        }
        if (!dtype.isFloating()) {
            throw new DTypeException(TenonException.where("cast") + ": the result must have a floating dtype: from="
                    + input.dtype() + ", to=" + dtype);
        }
        Backend backend = input.backend();
        Tensor output = Tensor.empty(backend, input.shape(), dtype);
        backend.cast(input, output);
        return Autograd.record(
                "cast",
                save(input),
                output,
                saveNothing(),
                (_, grads) -> backend.cast(grads.output(), grads.target(0)));
    }
}
