package tenon.engine.ops;

import tenon.engine.backend.Backend;
import tenon.engine.backend.cpu.CpuBackend;

class CpuPoolingTest extends PoolingContract {
    @Override
    protected Backend open() {
        return CpuBackend.open(2);
    }
}
