package tenon.engine.ops;

import tenon.engine.DType;
import tenon.engine.DTypeException;
import tenon.engine.DeviceException;
import tenon.engine.Shape;
import tenon.engine.ShapeException;
import tenon.engine.TenonException;
import tenon.engine.Tensor;
import tenon.engine.backend.Backend;
import tenon.engine.backend.OpKind;

/** Conditions that many ops share, with one wording each. */
final class Checks {
    private Checks() {}

    /**
     * All tensors (null entries allowed) are open and on one back-end, which supports {@code kind} for the first one's dtype.
     *
     * @return the back-end
     */
    static Backend backend(String op, OpKind kind, Tensor first, Tensor... others) {
        first.checkOpen();
        Backend backend = first.backend();
        for (Tensor other : others) {
            if (other != null) {
                other.checkOpen();
                if (other.backend() != backend) {
                    throw new DeviceException(TenonException.where(op) + ": all tensors must be on one back-end: "
                            + first + ", " + other);
                }
            }
        }
        backend.require(op, kind, first.dtype());
        return backend;
    }

    static void floating(String op, String name, Tensor tensor) {
        if (!tensor.dtype().isFloating()) {
            throw new DTypeException(TenonException.where(op) + ": " + name + " must have a floating dtype: dtype="
                    + tensor.dtype() + ", shape=" + tensor.shape() + " (cast it first)");
        }
    }

    static void dtype(String op, String name, Tensor tensor, DType wanted) {
        if (tensor.dtype() != wanted) {
            throw new DTypeException(TenonException.where(op) + ": " + name + " must be " + wanted + ": dtype="
                    + tensor.dtype() + ", shape=" + tensor.shape());
        }
    }

    static void sameDType(String op, Tensor a, Tensor b) {
        if (a.dtype() != b.dtype()) {
            throw new DTypeException(
                    TenonException.where(op) + ": dtypes must be equal: " + a + ", " + b + " (cast one of them)");
        }
    }

    static void sameShape(String op, Tensor a, Tensor b) {
        if (!a.shape().equals(b.shape())) {
            throw new ShapeException(
                    TenonException.where(op) + ": shapes must be equal: " + a.shape() + ", " + b.shape());
        }
    }

    /** A layer's weight and optional bias: F32 for a BF16 input, since parameters stay in F32; else the input's dtype. */
    static void parameters(String op, Tensor input, Tensor weight, Tensor bias) {
        DType wanted = input.dtype() == DType.BF16 ? DType.F32 : input.dtype();
        if (weight.dtype() != wanted || bias != null && bias.dtype() != wanted) {
            throw new DTypeException(TenonException.where(op) + ": for an input in " + input.dtype()
                    + " weight and bias must be " + wanted + ": input=" + input + ", weight=" + weight + ", bias="
                    + bias);
        }
    }

    static void rank(String op, String name, Tensor tensor, int rank, String letters) {
        if (tensor.shape().rank() != rank) {
            throw new ShapeException(TenonException.where(op) + ": " + name + " must be " + letters + ": " + name + "="
                    + tensor.shape() + (rank == 2 && tensor.shape().rank() > 2 ? " (flatten first?)" : ""));
        }
    }

    static void shape(String op, String name, Tensor tensor, Shape wanted) {
        if (!tensor.shape().equals(wanted)) {
            throw new ShapeException(
                    TenonException.where(op) + ": " + name + " must be " + wanted + ": " + name + "=" + tensor.shape());
        }
    }
}
