package tenon.engine.ops;

import tenon.engine.backend.Backend;
import tenon.engine.testing.CudaTesting;

class CudaCastTest extends CastContract {
    @Override
    protected Backend open() {
        return CudaTesting.open();
    }
}
