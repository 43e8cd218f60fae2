package tenon.engine.ops;

import tenon.engine.backend.Backend;
import tenon.engine.testing.CudaTesting;

class CudaReshapeTest extends ReshapeContract {
    @Override
    protected Backend open() {
        return CudaTesting.open();
    }
}
