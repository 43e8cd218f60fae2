package tenon.engine.backend.cuda;

import org.junit.jupiter.api.Test;

class GpusInHostMemoryTest extends CudaCommunicatorContract {
    GpusInHostMemoryTest() {
        super("host");
    }

    @Test
    void sumsAreTakenInTheOrderOfRanks() {
        assertInRankOrder();
    }
}
