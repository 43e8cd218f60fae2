package tenon.engine.ops;

import tenon.engine.backend.Backend;
import tenon.engine.testing.CudaTesting;

class CudaPoolingTest extends PoolingContract {
    @Override
    protected Backend open() {
        return CudaTesting.open();
    }
}
