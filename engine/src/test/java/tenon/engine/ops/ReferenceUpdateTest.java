package tenon.engine.ops;

import tenon.engine.backend.Backend;
import tenon.engine.backend.reference.ReferenceBackend;

class ReferenceUpdateTest extends UpdateContract {
    @Override
    protected Backend open() {
        return ReferenceBackend.open();
    }
}
