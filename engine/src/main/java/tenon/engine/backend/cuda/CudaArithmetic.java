package tenon.engine.backend.cuda;

import tenon.engine.DType;
import tenon.engine.Tensor;
import tenon.engine.backend.OpKind;

/** Elementwise arithmetic, sums, casts and fills, by own kernels. */
final class CudaArithmetic {
    private final CudaBackend backend;

    CudaArithmetic(CudaBackend backend) {
        this.backend = backend;
    }

    boolean supports(OpKind op, DType dtype) {
        return false;
    }

    void cast(Tensor from, Tensor to) {
        throw new UnsupportedOperationException(backend.name() + ": cast");
    }

    void fill(Tensor tensor, double value) {
        throw new UnsupportedOperationException(backend.name() + ": fill");
    }

    boolean isFinite(Tensor tensor) {
        throw new UnsupportedOperationException(backend.name() + ": isFinite");
    }

    void add(Tensor a, Tensor b, Tensor out) {
        throw new UnsupportedOperationException(backend.name() + ": add");
    }

    void multiply(Tensor a, Tensor b, Tensor out) {
        throw new UnsupportedOperationException(backend.name() + ": multiply");
    }

    void scale(Tensor in, double factor, Tensor out) {
        throw new UnsupportedOperationException(backend.name() + ": scale");
    }

    void sumTo(Tensor in, Tensor out) {
        throw new UnsupportedOperationException(backend.name() + ": sumTo");
    }

    void roundToBf16(long from, long to, long count) {
        throw new UnsupportedOperationException(backend.name() + ": roundToBf16");
    }
}
