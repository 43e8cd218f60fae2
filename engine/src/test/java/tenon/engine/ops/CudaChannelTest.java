package tenon.engine.ops;

import tenon.engine.backend.Backend;
import tenon.engine.testing.CudaTesting;

class CudaChannelTest extends ChannelContract {
    @Override
    protected Backend open() {
        return CudaTesting.open();
    }
}
