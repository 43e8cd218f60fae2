package tenon.engine.ops;

import tenon.engine.backend.Backend;
import tenon.engine.testing.CudaTesting;

class CudaActivationTest extends ActivationContract {
    @Override
    protected Backend open() {
        return CudaTesting.open();
    }
}
