package tenon.engine.backend.cuda;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.function.Consumer;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import tenon.engine.testing.CudaTesting;
import tenon.simulator.Simulator;
import tenon.simulator.Simulator.Fault;
import tenon.simulator.Simulator.Streams;

/** Tests the tests, as {@link SeededFaultsTest} does: with a fault in what several devices do together, their sums do not pass as right. */
@Timeout(60)
class CollectiveFaultsTest {
    private static final int DEVICES = 3;

    @TempDir
    private Path cache;

    private Simulator simulator;

    private record Seeded(String name, String collectives, boolean ofKernel, Consumer<Simulator> fault) {
        @Override
        public String toString() {
            return name;
        }
    }

    /** Calls {@code first} to {@code last} of a name are faulty. */
    private static Seeded calls(String name, String collectives, String call, int first, int last, Fault fault) {
        return new Seeded(name, collectives, false, simulator -> {
            for (int n = first; n <= last; n++) {
                simulator.fault(call, n, fault);
            }
        });
    }

    private static Seeded call(String name, String collectives, String call, Fault fault) {
        return calls(name, collectives, call, 1, 1, fault);
    }

    /** In a round, each of three ranks' sums wait for its own computation, then three times for two others; after the last round each rank's computation waits for its sums. */
    private static Seeded waits(String name, String collectives, int first, int last) {
        return calls(name, collectives, "cuStreamWaitEvent", first, last, Fault.DROP);
    }

    private static Seeded kernel(String name, String from, String to) {
        return new Seeded(name, "peer", true, simulator -> simulator.mutate("collectives.cu", from, to));
    }

    static List<Seeded> faults() {
        return List.of(
                waits("a part is packed before it is computed", "peer", 1, 3),
                waits("a part is fetched before it is packed", "peer", 4, 9),
                waits("a sum is fetched before it is made", "peer", 10, 15),
                waits("a buffer is filled before the others have fetched it", "peer", 16, 21),
                waits("sums by copies are used before they are there", "peer", 37, 45),
                waits("what NCCL sums is not computed", "nccl", 1, 3),
                waits("NCCL's sums are used before they are there", "nccl", 4, 9),
                call("half of a part is fetched", "peer", "cuMemcpyPeerAsync", Fault.HALF),
                call("a part is sent instead of fetched", "peer", "cuMemcpyPeerAsync", Fault.SWAP_ARGUMENTS),
                call("a part is not fetched", "peer", "cuMemcpyPeerAsync", Fault.DROP),
                call("a part is fetched on another stream", "peer", "cuMemcpyPeerAsync", Fault.WRONG_STREAM),
                call("a buffer is not filled", "peer", "kernel gather_pieces", Fault.DROP),
                call("a buffer is not emptied", "peer", "kernel scatter_pieces", Fault.DROP),
                call("half of the blocks add", "peer", "kernel sum_of_ranks", Fault.HALF),
                kernel("a rank is added in another's place", "(r < rank ? r : r - 1)", "(r - 1)"),
                kernel("the last elements are not moved", "i < to; i += blockDim.x", "i < to - 1; i += blockDim.x"),
                call("a rank does not come to a sum", "nccl", "ncclAllReduce", Fault.DROP),
                // Three ranks sum three tensors, twice: the others are on their streams when the last one does not
                // come.
                calls("streams wait for a rank that does not come", "nccl", "ncclAllReduce", 18, 18, Fault.DROP),
                call("a rank sums fewer elements", "nccl", "ncclAllReduce", Fault.HALF),
                call("a sum runs on another stream", "nccl", "ncclAllReduce", Fault.WRONG_STREAM),
                // Of the second round, whose tensors are still to be computed.
                calls("sums run early", "nccl", "ncclAllReduce", 10, 18, Fault.EARLY),
                call("a group of sums is lost", "nccl", "ncclGroupEnd", Fault.DROP),
                calls("nobody waits until sums are queued", "nccl", "ncclCommGetAsyncError", 1, 20, Fault.DROP));
    }

    @BeforeEach
    void reset() {
        simulator = CudaTesting.simulator();
        simulator.reset();
        simulator.devices(DEVICES);
        simulator.streams(Streams.LAZY);
        simulator.patience(300);
    }

    /** A fault may leave a broken context behind. */
    @AfterEach
    void restart() {
        System.clearProperty(Collectives.PROPERTY);
        simulator.restart();
    }

    @ParameterizedTest(name = "{0}")
    @MethodSource("faults")
    void aFaultIsNoticed(Seeded seeded) {
        System.setProperty(Collectives.PROPERTY, seeded.collectives);
        Map<String, Long> before = simulator.live();
        CudaOptions options = CudaTesting.options();
        if (seeded.ofKernel) {
            options = options.withCache(cache);
            seeded.fault.accept(simulator);
        }
        String wrong;
        try (GroupOfGpus gpus = new GroupOfGpus(
                DEVICES, options, backends -> backends.getFirst().communicators(List.copyOf(backends)))) {
            if (!seeded.ofKernel) {
                seeded.fault.accept(simulator);
            }
            wrong = gpus.wrongWith();
        }
        if (wrong == null && !simulator.violations().isEmpty()) {
            wrong = "wrong calls: " + simulator.violations();
        }
        if (wrong == null && !simulator.live().equals(before)) {
            wrong = "alive: " + simulator.live();
        }
        assertThat(simulator.fired()).as("the fault happened").isPositive();
        assertThat(wrong).as("what was noticed").isNotNull();
    }
}
