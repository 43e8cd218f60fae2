package tenon.engine.backend.cuda;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;
import tenon.engine.DeviceException;
import tenon.engine.Tensor;
import tenon.engine.backend.Backend;
import tenon.engine.backend.Communicator;
import tenon.engine.backend.RankBarrier;
import tenon.engine.testing.CudaTesting;
import tenon.simulator.Simulator;
import tenon.simulator.Simulator.Streams;

/** Which way GPUs compute together, and what happens when it fails. */
@Timeout(60)
class CollectivesTest {
    private static final int UNHANDLED_CUDA_ERROR = 1;
    private static final int INTERNAL_ERROR = 3;

    private Simulator simulator;

    @BeforeEach
    void threeGpus() {
        simulator = CudaTesting.simulator();
        simulator.reset();
        simulator.devices(3);
    }

    @AfterEach
    void reset() {
        System.clearProperty(Collectives.PROPERTY);
        assertThat(simulator.violations()).isEmpty();
        assertThat(simulator.live()).isEmpty();
        simulator.reset();
    }

    private static List<String> descriptions(int... devices) {
        List<Backend> backends = new ArrayList<>();
        for (int device : devices) {
            backends.add(CudaTesting.open(CudaTesting.options().withDevice(device)));
        }
        try {
            List<Communicator> made = backends.getFirst().communicators(backends);
            made.forEach(Communicator::close);
            return made.stream().map(Communicator::description).distinct().toList();
        } finally {
            backends.forEach(Backend::close);
        }
    }

    @Test
    void ncclIsTakenWhereItIsFound() {
        assertThat(descriptions(0, 1, 2)).containsExactly("NCCL 2.28.0");
    }

    @Test
    void theOthersCanBeAskedFor() {
        System.setProperty(Collectives.PROPERTY, "peer");
        assertThat(descriptions(2, 0)).containsExactly("copies between GPUs");
        System.setProperty(Collectives.PROPERTY, "host");
        assertThat(descriptions(2, 0)).containsExactly("host memory");
    }

    @Test
    void twoBackEndsOfOneGpuCopy() {
        assertThat(descriptions(0, 0)).containsExactly("copies between GPUs");
    }

    @Test
    void ncclThatDoesNotBeginIsDoneWithout() {
        simulator.failAt("ncclCommInitRankConfig", 2, UNHANDLED_CUDA_ERROR);
        assertThat(descriptions(0, 1)).containsExactly("copies between GPUs");
    }

    @Test
    void ncclThatDoesNotBeginIsAnErrorWhereItWasAskedFor() {
        System.setProperty(Collectives.PROPERTY, "nccl");
        simulator.failAt("ncclCommInitRankConfig", 2, UNHANDLED_CUDA_ERROR);
        assertThatThrownBy(() -> descriptions(0, 1))
                .isInstanceOf(DeviceException.class)
                .hasMessageContaining("ncclCommInitRankConfig: NCCL: unhandled cuda error");
    }

    @Test
    void ncclSaysWhatIsWrong() {
        System.setProperty(Collectives.PROPERTY, "nccl");
        assertThatThrownBy(() -> descriptions(1, 1))
                .isInstanceOf(DeviceException.class)
                .hasMessageContaining("invalid usage")
                .hasMessageContaining("Duplicate GPU detected : rank 1 and rank 0 both on CUDA device 1");
    }

    @Test
    void anUnknownWayIsAnError() {
        System.setProperty(Collectives.PROPERTY, "mpi");
        assertThatThrownBy(() -> descriptions(0, 1)).hasMessageContaining("must be one of nccl, peer, host: mpi");
    }

    /** Two devices wait in their streams for the third, whose call NCCL refuses, until the group is aborted. */
    @Test
    void aRankThatFailsLetsTheOthersDevicesGo() {
        System.setProperty(Collectives.PROPERTY, "nccl");
        try (GroupOfGpus gpus = new GroupOfGpus(3)) {
            assertThat(gpus.wrongWith()).isNull();
            simulator.failAt("ncclAllReduce", 3, INTERNAL_ERROR);
            List<Throwable> failures = gpus.failures(rank -> {
                gpus.sum(rank, 10);
                gpus.backends.get(rank).synchronize();
            });
            assertThat(failures)
                    .filteredOn(failure ->
                            failure != null && failure.getMessage().startsWith("ncclAllReduce: NCCL: internal error"))
                    .hasSize(1);
            assertThat(failures)
                    .allSatisfy(failure -> assertThat(failure)
                            .satisfiesAnyOf(
                                    each -> assertThat(each).isNull(),
                                    each -> assertThat(each).isInstanceOf(DeviceException.class)));
            assertThatThrownBy(() -> gpus.ends.getFirst().broadcast(List.of()))
                    .hasMessageContaining("the group of devices has ended: ncclAllReduce: NCCL: internal error");
        }
    }

    @ParameterizedTest
    @CsvSource({
        "nccl, RANDOM",
        "nccl, LAZY",
        "nccl, OTHERS_FIRST",
        "nccl, IMMEDIATE",
        "peer, RANDOM",
        "peer, LAZY",
        "peer, OTHERS_FIRST",
        "peer, IMMEDIATE"
    })
    void sumsAreRightInAnyOrderOfStreams(String collectives, Streams streams) {
        System.setProperty(Collectives.PROPERTY, collectives);
        simulator.streams(streams);
        try (GroupOfGpus gpus = new GroupOfGpus(3)) {
            assertThat(gpus.wrongWith()).isNull();
        }
    }

    /** Streams do no more than a wait needs: who waits for the computation alone finds the values as they were. */
    @ParameterizedTest
    @ValueSource(strings = {"nccl", "peer"})
    void theComputationDoesNotWaitForASumUntilItIsTold(String collectives) {
        System.setProperty(Collectives.PROPERTY, collectives);
        simulator.streams(Streams.LAZY);
        try (GroupOfGpus gpus = new GroupOfGpus(3)) {
            RankBarrier allLooked = new RankBarrier(3);
            float[][] meanwhile = new float[3][];
            float[][] sums = new float[3][];
            List<Throwable> failures = gpus.failures(rank -> {
                Tensor tensor = Tensor.of(new float[] {rank, 1, 2}, 3);
                gpus.ends.get(rank).startSum(List.of(tensor));
                meanwhile[rank] = tensor.toFloatArray();
                allLooked.await();
                gpus.ends.get(rank).awaitSums();
                sums[rank] = tensor.toFloatArray();
            });
            assertThat(failures).containsOnlyNulls();
            for (int rank = 0; rank < 3; rank++) {
                assertThat(meanwhile[rank]).containsExactly(rank, 1, 2);
                assertThat(sums[rank]).containsExactly(3, 3, 6);
            }
        }
    }

    @Test
    void gpusThatDoNotReachEachOtherCopyThroughTheHost() {
        System.setProperty(Collectives.PROPERTY, "peer");
        simulator.peerAccess(false);
        try (GroupOfGpus gpus = new GroupOfGpus(2)) {
            assertThat(gpus.wrongWith()).isNull();
            assertThat(simulator.calls("cuCtxEnablePeerAccess")).isZero();
        }
    }

    /** Tensors of 1, 9001 and 130 elements go through a buffer of 4096. */
    @Test
    void aSmallBufferIsFilledAgainAndAgain() {
        try (GroupOfGpus gpus = new GroupOfGpus(3, backends -> PeerCommunicator.group(backends, 4096))) {
            simulator.clearCalls();
            assertThat(gpus.wrongWith()).isNull();
            assertThat(simulator.calls("kernel gather_pieces")).isEqualTo(3 * GroupOfGpus.ROUNDS * 3);
        }
    }

    /** Which lives longer: a group that has ended would stay in memory with it. */
    @Test
    void aBackEndKeepsNothingOfAGroup() {
        try (GroupOfGpus gpus = new GroupOfGpus(2, backends -> PeerCommunicator.group(backends, 4096))) {
            List<Integer> before =
                    gpus.backends.stream().map(CudaBackend::ownedCount).toList();
            assertThat(gpus.wrongWith()).isNull();
            assertThat(gpus.backends).map(CudaBackend::ownedCount).isEqualTo(before);
        }
    }
}
