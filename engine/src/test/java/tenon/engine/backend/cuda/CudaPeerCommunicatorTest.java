package tenon.engine.backend.cuda;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.junit.jupiter.api.Assumptions.assumeFalse;

import java.util.Map;
import org.junit.jupiter.api.Test;
import tenon.engine.DeviceException;
import tenon.engine.OutOfMemoryException;
import tenon.engine.testing.CudaTesting;
import tenon.simulator.Simulator;

class CudaPeerCommunicatorTest extends CudaCommunicatorContract {
    CudaPeerCommunicatorTest() {
        super("peer");
    }

    @Test
    void sumsAreTakenInTheOrderOfRanks() {
        assertInRankOrder();
    }

    /** Events of the communicator of any rank, or of the stream of sums: whichever cannot be made, those made before are given back. */
    @Test
    void anEventThatCannotBeMadeLeavesNothingBehind() {
        assumeFalse(CudaTesting.isReal());
        Simulator simulator = CudaTesting.simulator();
        // Kernels of a group that is open are loaded.
        Map<String, Long> live = simulator.live();
        for (int n = 1; n <= 3 * SIZE; n++) {
            simulator.failAt("cuEventCreate", n, 2);
            assertThatThrownBy(() -> communicators(backends))
                    .isInstanceOfAny(DeviceException.class, OutOfMemoryException.class)
                    .hasMessageContaining("cuEventCreate");
            assertThat(simulator.live()).as("event %d", n).isEqualTo(live);
        }
        CudaBackend first = (CudaBackend) backends.getFirst();
        first.enter();
        for (int n = 1; n <= 2; n++) {
            simulator.failAt("cuEventCreate", n, 2);
            assertThatThrownBy(() -> new SideStream(first)).hasMessageContaining("cuEventCreate");
            assertThat(simulator.live()).as("event %d of a stream", n).isEqualTo(live);
        }
    }
}
