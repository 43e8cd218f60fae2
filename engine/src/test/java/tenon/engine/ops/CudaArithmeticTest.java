package tenon.engine.ops;

import tenon.engine.backend.Backend;
import tenon.engine.testing.CudaTesting;

class CudaArithmeticTest extends ArithmeticContract {
    @Override
    protected Backend open() {
        return CudaTesting.open();
    }
}
