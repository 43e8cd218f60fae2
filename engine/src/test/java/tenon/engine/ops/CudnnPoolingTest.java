package tenon.engine.ops;

import tenon.engine.backend.Backend;
import tenon.engine.backend.cuda.CudaOptions.LibraryChoice;
import tenon.engine.testing.CudaTesting;

class CudnnPoolingTest extends PoolingContract {
    @Override
    protected Backend open() {
        return CudaTesting.open(CudaTesting.options().withPooling(LibraryChoice.CUDNN));
    }
}
