package tenon.benchmarks.floor;

import tenon.engine.DType;
import tenon.engine.Rng;
import tenon.engine.Shape;
import tenon.engine.Tensor;
import tenon.engine.backend.cpu.CpuBackend;

/** Native memory in huge pages where the system has them, touched before use; it belongs to the current scope. */
final class Buffers {
    private final CpuBackend backend;
    private int drawn;

    Buffers(CpuBackend backend) {
        this.backend = backend;
    }

    /** Zeros. */
    Tensor bytes(long byteSize) {
        return floats((byteSize + 3) / 4);
    }

    /** Zeros. */
    Tensor floats(long count) {
        return constant(count, 0);
    }

    Tensor constant(long count, double value) {
        Tensor tensor = Tensor.empty(backend, Shape.of(Math.toIntExact(count)), DType.F32);
        tensor.fill(value);
        return tensor;
    }

    /** Uniform noise of a standard deviation. */
    Tensor noise(long count, double standardDeviation) {
        Tensor tensor = Tensor.empty(backend, Shape.of(Math.toIntExact(count)), DType.F32);
        double bound = Math.sqrt(3) * standardDeviation;
        backend.random().uniform(tensor, -bound, bound, new Rng(1, Rng.stream("floor"), drawn++));
        return tensor;
    }
}
