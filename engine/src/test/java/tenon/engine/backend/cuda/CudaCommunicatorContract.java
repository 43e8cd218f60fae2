package tenon.engine.backend.cuda;

import java.util.List;
import java.util.Map;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Assumptions;
import tenon.engine.backend.Backend;
import tenon.engine.backend.Communicator;
import tenon.engine.backend.CommunicatorContract;
import tenon.engine.testing.CudaTesting;

/** On three simulated GPUs, whose streams run late and in an order that nobody asked for; or on real ones, which back-ends share where there are fewer. */
abstract class CudaCommunicatorContract extends CommunicatorContract {
    private final String collectives;
    private Map<String, Long> live;

    CudaCommunicatorContract(String collectives) {
        this.collectives = collectives;
    }

    @Override
    protected List<Backend> openBackends(int count) {
        if (!CudaTesting.isReal()) {
            CudaTesting.simulator().reset();
        }
        int gpus = Math.max(1, CudaTesting.gpus(count));
        Assumptions.assumeTrue(
                gpus >= count || !collectives.equals("nccl"), "NCCL takes each GPU once, and there are " + gpus);
        if (!CudaTesting.isReal()) {
            live = CudaTesting.simulator().live();
        }
        return IntStream.range(0, count)
                .<Backend>mapToObj(
                        rank -> CudaTesting.open(CudaTesting.options().withDevice(rank % gpus)))
                .toList();
    }

    @Override
    protected List<Communicator> communicators(List<Backend> backends) {
        System.setProperty(Collectives.PROPERTY, collectives);
        try {
            return backends.getFirst().communicators(backends);
        } finally {
            System.clearProperty(Collectives.PROPERTY);
        }
    }

    @Override
    protected void closed() {
        if (!CudaTesting.isReal()) {
            CudaTesting.assertClean(live);
            CudaTesting.simulator().reset();
        }
    }
}
