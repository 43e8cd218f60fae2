package tenon.engine.backend;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import tenon.engine.backend.reference.ReferenceBackend;

class HostCommunicatorTest extends CommunicatorContract {
    @Override
    protected List<Backend> openBackends(int count) {
        return IntStream.range(0, count)
                .<Backend>mapToObj(_ -> ReferenceBackend.open())
                .toList();
    }

    @Override
    protected List<Communicator> communicators(List<Backend> backends) {
        return HostCommunicator.group(backends);
    }

    @Test
    void sumsAreTakenInTheOrderOfRanks() {
        assertInRankOrder();
    }

    @Test
    void isWhatABackEndHasThatBringsNothingElse() {
        try (Backend backend = ReferenceBackend.open();
                Communicator alone = backend.communicators(List.of(backend)).getFirst()) {
            assertThat(alone).isInstanceOf(HostCommunicator.class);
        }
    }
}
