package tenon.engine.ops;

import tenon.engine.backend.Backend;
import tenon.engine.testing.CudaTesting;

class CudaMetricTest extends MetricContract {
    @Override
    protected Backend open() {
        return CudaTesting.open();
    }
}
