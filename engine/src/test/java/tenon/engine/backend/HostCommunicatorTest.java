package tenon.engine.backend;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.function.IntFunction;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import tenon.engine.DType;
import tenon.engine.DTypeException;
import tenon.engine.DeviceException;
import tenon.engine.Scope;
import tenon.engine.Shape;
import tenon.engine.ShapeException;
import tenon.engine.Tensor;
import tenon.engine.backend.reference.ReferenceBackend;

@Timeout(20)
class HostCommunicatorTest {
    private static final int SIZE = 3;

    private final List<Backend> backends = IntStream.range(0, SIZE)
            .<Backend>mapToObj(_ -> ReferenceBackend.open())
            .toList();
    private final List<Communicator> ends = backends.getFirst().communicators(backends);
    private final ExecutorService threads = Executors.newFixedThreadPool(SIZE);

    @AfterEach
    void close() {
        ends.forEach(Communicator::close);
        threads.shutdown();
        backends.forEach(Backend::close);
    }

    /** Runs the work of each rank on a thread and in a scope of its own. */
    private <T> List<Future<T>> start(IntFunction<T> work) {
        List<Future<T>> running = new ArrayList<>();
        for (int rank = 0; rank < SIZE; rank++) {
            int mine = rank;
            Callable<T> call = () -> {
                try (var _ = Scope.open("rank", backends.get(mine))) {
                    return work.apply(mine);
                }
            };
            running.add(threads.submit(call));
        }
        return running;
    }

    @Test
    void sumsAreTakenInTheOrderOfRanksAndEqualEverywhere() throws Exception {
        // (1e8 + 4) − 1e8 is 0 in F32, since 1e8 + 4 rounds to 1e8; (1e8 − 1e8) + 4 would be 4.
        float[][] values = {{1e8f, 1}, {4, 2}, {-1e8f, 3}};
        List<Future<float[]>> sums = start(rank -> {
            Tensor tensor = Tensor.of(values[rank], 2);
            ends.get(rank).allReduceSum(List.of(tensor));
            return tensor.toFloatArray();
        });
        for (Future<float[]> sum : sums) {
            assertThat(sum.get()).containsExactly(0, 6);
        }
    }

    @Test
    void manyTensorsOfOddSizesAreSummedAgainAndAgain() throws Exception {
        int[] sizes = {1, 63, 65, 20_000};
        List<Future<Boolean>> right = start(rank -> {
            boolean all = true;
            for (int round = 1; round <= 3; round++) {
                List<Tensor> tensors = new ArrayList<>();
                for (int size : sizes) {
                    float[] values = new float[size];
                    for (int i = 0; i < size; i++) {
                        values[i] = i * round + rank;
                    }
                    tensors.add(Tensor.of(values, size));
                }
                ends.get(rank).allReduceSum(tensors);
                for (Tensor tensor : tensors) {
                    float[] sum = tensor.toFloatArray();
                    for (int i = 0; i < sum.length; i++) {
                        all &= sum[i] == 3f * i * round + 3;
                    }
                }
            }
            ends.get(rank).allReduceSum(List.of());
            return all;
        });
        for (Future<Boolean> one : right) {
            assertThat(one.get()).isTrue();
        }
    }

    @Test
    void rankZerosValuesReachAll() throws Exception {
        List<Future<int[]>> got = start(rank -> {
            Tensor tensor = Tensor.of(new int[] {10 * rank + 7, rank}, 2);
            ends.get(rank).broadcast(List.of(tensor));
            return tensor.toIntArray();
        });
        for (Future<int[]> one : got) {
            assertThat(one.get()).containsExactly(7, 0);
        }
    }

    @Test
    void aFailureAtOneRankEndsTheWaitOfTheOthers() {
        List<Future<Object>> running = start(rank -> {
            Tensor tensor = Tensor.empty(Shape.of(2), rank == 1 ? DType.F64 : DType.F32);
            ends.get(rank).allReduceSum(List.of(tensor));
            return null;
        });
        assertThatThrownBy(running.get(1)::get)
                .hasCauseInstanceOf(DTypeException.class)
                .hasMessageContaining("all-reduce: tensors must be F32: rank=1");
        for (int rank : new int[] {0, 2}) {
            assertThatThrownBy(running.get(rank)::get)
                    .cause()
                    .isInstanceOf(DeviceException.class)
                    .hasMessageContaining("the group of devices has ended: all-reduce: tensors must be F32: rank=1")
                    .hasCauseInstanceOf(DTypeException.class);
        }
        assertThatThrownBy(() -> ends.getFirst().broadcast(List.of())).isInstanceOf(DeviceException.class);
    }

    @Test
    void otherShapesAtOneRankAreAnError() {
        List<Future<Object>> running = start(rank -> {
            ends.get(rank).allReduceSum(List.of(Tensor.full(Shape.of(rank == 2 ? 3 : 2), DType.F32, 1)));
            return null;
        });
        assertThatThrownBy(running.get(2)::get)
                .hasCauseInstanceOf(ShapeException.class)
                .hasMessageContaining("rank 2");
        assertThatThrownBy(running.get(0)::get).hasCauseInstanceOf(DeviceException.class);
    }

    @Test
    void abortReachesAWaitingRankFromAnyThread() throws Exception {
        IllegalStateException cause = new IllegalStateException("a cable was pulled");
        Future<?> waiting = threads.submit(() -> ends.get(0).broadcast(List.of()));
        ends.get(2).abort(cause);
        assertThatThrownBy(waiting::get)
                .cause()
                .isInstanceOf(DeviceException.class)
                .hasRootCause(cause);
        assertThatThrownBy(() -> ends.get(1).allReduceSum(List.of())).hasRootCause(cause);
    }
}
