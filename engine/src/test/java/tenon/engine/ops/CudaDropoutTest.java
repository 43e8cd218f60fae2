package tenon.engine.ops;

import tenon.engine.backend.Backend;
import tenon.engine.testing.CudaTesting;

class CudaDropoutTest extends DropoutContract {
    @Override
    protected Backend open() {
        return CudaTesting.open();
    }
}
