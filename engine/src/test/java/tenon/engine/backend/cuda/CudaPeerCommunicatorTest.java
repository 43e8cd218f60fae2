package tenon.engine.backend.cuda;

import org.junit.jupiter.api.Test;

class CudaPeerCommunicatorTest extends CudaCommunicatorContract {
    CudaPeerCommunicatorTest() {
        super("peer");
    }

    @Test
    void sumsAreTakenInTheOrderOfRanks() {
        assertInRankOrder();
    }
}
