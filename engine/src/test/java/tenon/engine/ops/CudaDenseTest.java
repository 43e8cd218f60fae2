package tenon.engine.ops;

import tenon.engine.backend.Backend;
import tenon.engine.testing.CudaTesting;

class CudaDenseTest extends DenseContract {
    @Override
    protected Backend open() {
        return CudaTesting.open();
    }
}
