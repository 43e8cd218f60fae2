package tenon.engine.ops;

import tenon.engine.backend.Backend;
import tenon.engine.backend.reference.ReferenceBackend;

class ReferenceActivationTest extends ActivationContract {
    @Override
    protected Backend open() {
        return ReferenceBackend.open();
    }
}
