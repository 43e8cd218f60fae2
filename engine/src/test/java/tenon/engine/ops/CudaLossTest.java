package tenon.engine.ops;

import tenon.engine.backend.Backend;
import tenon.engine.testing.CudaTesting;

class CudaLossTest extends LossContract {
    @Override
    protected Backend open() {
        return CudaTesting.open();
    }
}
