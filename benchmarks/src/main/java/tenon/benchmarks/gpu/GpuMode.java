package tenon.benchmarks.gpu;

import java.util.Locale;
import tenon.engine.Precision;
import tenon.engine.backend.cuda.CudaBackend;
import tenon.engine.backend.cuda.CudaOptions;

/** What a network is trained in on a GPU. */
public enum GpuMode {
    FP32(Precision.FP32, false),
    /** F32 tensors, whose products round their factors for the tensor cores. */
    TF32(Precision.FP32, true),
    BF16(Precision.BF16, false);

    private final Precision precision;
    private final boolean tf32;

    GpuMode(Precision precision, boolean tf32) {
        this.precision = precision;
        this.tf32 = tf32;
    }

    Precision precision() {
        return precision;
    }

    CudaBackend open(CudaOptions options) {
        return CudaBackend.open(options.withTf32(tf32));
    }

    /** As typed. */
    @Override
    public String toString() {
        return name().toLowerCase(Locale.ROOT);
    }
}
