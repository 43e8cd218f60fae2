package tenon.engine.ops;

import tenon.engine.backend.Backend;
import tenon.engine.testing.CudaTesting;

class CudaUpdateTest extends UpdateContract {
    @Override
    protected Backend open() {
        return CudaTesting.open();
    }
}
