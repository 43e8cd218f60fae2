package tenon.engine.ops;

import tenon.engine.backend.Backend;
import tenon.engine.backend.reference.ReferenceBackend;

class ReferenceReshapeTest extends ReshapeContract {
    @Override
    protected Backend open() {
        return ReferenceBackend.open();
    }
}
