package tenon.engine.ops;

import tenon.engine.backend.Backend;
import tenon.engine.backend.cpu.CpuBackend;

class CpuUpdateTest extends UpdateContract {
    @Override
    protected Backend open() {
        return CpuBackend.open(2);
    }
}
