package tenon.engine.backend.cuda;

import org.junit.jupiter.api.Test;

class PeerCommunicatorTest extends CudaCommunicatorContract {
    PeerCommunicatorTest() {
        super("peer");
    }

    @Test
    void sumsAreTakenInTheOrderOfRanks() {
        assertInRankOrder();
    }
}
