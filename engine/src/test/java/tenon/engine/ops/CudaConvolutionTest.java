package tenon.engine.ops;

import tenon.engine.backend.Backend;
import tenon.engine.testing.CudaTesting;

class CudaConvolutionTest extends ConvolutionContract {
    @Override
    protected Backend open() {
        return CudaTesting.open();
    }
}
