package tenon.engine.testing;

import org.junit.jupiter.api.Assumptions;
import tenon.engine.backend.cuda.CudaBackend;

/** Back-ends of the CUDA tests: on the simulated device, or with {@code -Dtenon.test.gpu=real} on a real GPU. */
public final class CudaTesting {
    private CudaTesting() {}

    /** A back-end on device 0; skips the test, and says why, where there can be none. */
    public static CudaBackend open() {
        Assumptions.abort("the CUDA back-end does not compute yet");
        return CudaBackend.open();
    }
}
