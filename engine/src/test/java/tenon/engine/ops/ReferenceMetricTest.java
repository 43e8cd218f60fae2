package tenon.engine.ops;

import tenon.engine.backend.Backend;
import tenon.engine.backend.reference.ReferenceBackend;

class ReferenceMetricTest extends MetricContract {
    @Override
    protected Backend open() {
        return ReferenceBackend.open();
    }
}
