package tenon.engine.backend.cuda;

import org.junit.jupiter.api.Test;

class CudaHostCommunicatorTest extends CudaCommunicatorContract {
    CudaHostCommunicatorTest() {
        super("host");
    }

    @Test
    void sumsAreTakenInTheOrderOfRanks() {
        assertInRankOrder();
    }
}
