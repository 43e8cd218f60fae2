package tenon.engine.ops;

import tenon.engine.backend.Backend;
import tenon.engine.backend.reference.ReferenceBackend;

class ReferenceLossTest extends LossContract {
    @Override
    protected Backend open() {
        return ReferenceBackend.open();
    }
}
