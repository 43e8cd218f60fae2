package tenon.engine.backend.cuda;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import java.util.Map;
import java.util.stream.IntStream;
import tenon.engine.backend.Backend;
import tenon.engine.backend.Communicator;
import tenon.engine.backend.CommunicatorContract;
import tenon.engine.testing.CudaTesting;
import tenon.simulator.Simulator;

/** On three simulated GPUs, whose streams run late and in an order that nobody asked for. */
abstract class CudaCommunicatorContract extends CommunicatorContract {
    private final String collectives;
    protected Simulator simulator;
    private Map<String, Long> live;

    CudaCommunicatorContract(String collectives) {
        this.collectives = collectives;
    }

    @Override
    protected List<Backend> openBackends(int count) {
        simulator = CudaTesting.simulator();
        simulator.reset();
        simulator.devices(count);
        live = simulator.live();
        return IntStream.range(0, count)
                .<Backend>mapToObj(
                        device -> CudaTesting.open(CudaTesting.options().withDevice(device)))
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
        assertThat(simulator.violations()).isEmpty();
        assertThat(simulator.live()).isEqualTo(live);
        simulator.reset();
    }
}
