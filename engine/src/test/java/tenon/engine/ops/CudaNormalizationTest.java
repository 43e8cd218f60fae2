package tenon.engine.ops;

import tenon.engine.backend.Backend;
import tenon.engine.testing.CudaTesting;

class CudaNormalizationTest extends NormalizationContract {
    @Override
    protected Backend open() {
        return CudaTesting.open();
    }
}
