package tenon.engine.ops;

import tenon.engine.backend.Backend;
import tenon.engine.backend.reference.ReferenceBackend;

class ReferenceArithmeticTest extends ArithmeticContract {
    @Override
    protected Backend open() {
        return ReferenceBackend.open();
    }
}
