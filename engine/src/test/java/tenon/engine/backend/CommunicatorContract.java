package tenon.engine.backend;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.function.IntFunction;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import tenon.engine.DType;
import tenon.engine.DTypeException;
import tenon.engine.DeviceException;
import tenon.engine.Scope;
import tenon.engine.Shape;
import tenon.engine.ShapeException;
import tenon.engine.Tensor;

/** What every communicator does. */
@Timeout(30)
public abstract class CommunicatorContract {
    protected static final int SIZE = 3;

    protected List<Backend> backends;
    protected List<Communicator> ends;
    private ExecutorService threads;

    protected abstract List<Backend> openBackends(int count);

    protected abstract List<Communicator> communicators(List<Backend> backends);

    @BeforeEach
    void open() {
        backends = openBackends(SIZE);
        ends = communicators(backends);
        threads = Executors.newFixedThreadPool(SIZE);
    }

    @AfterEach
    void close() throws InterruptedException {
        if (ends != null) {
            threads.shutdown();
            assertThat(threads.awaitTermination(20, TimeUnit.SECONDS)).isTrue();
            ends.forEach(Communicator::close);
            backends.forEach(Backend::close);
            closed();
        }
    }

    /** What is to be looked at when all is closed. */
    protected void closed() {}

    /** Runs the work of each rank on a thread and in a scope of its own. */
    protected final <T> List<Future<T>> start(IntFunction<T> work) {
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

    protected final <T> List<T> run(IntFunction<T> work) {
        List<T> results = new ArrayList<>();
        for (Future<T> each : start(work)) {
            results.add(got(each));
        }
        return results;
    }

    private static <T> T got(Future<T> future) {
        try {
            return future.get();
        } catch (ExecutionException e) {
            throw new AssertionError(e.getCause());
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new AssertionError(e);
        }
    }

    /** For communicators that promise it. */
    protected final void assertInRankOrder() {
        // (1e8 + 4) − 1e8 is 0 in F32, since 1e8 + 4 rounds to 1e8; (1e8 − 1e8) + 4 would be 4.
        float[][] values = {{1e8f, 1}, {4, 2}, {-1e8f, 3}};
        List<float[]> sums = run(rank -> {
            Tensor tensor = Tensor.of(values[rank], 2);
            ends.get(rank).allReduceSum(List.of(tensor));
            return tensor.toFloatArray();
        });
        assertThat(sums).allSatisfy(sum -> assertThat(sum).containsExactly(0, 6));
    }

    @Test
    void ranksAreNumberedAsTheBackEnds() {
        for (int rank = 0; rank < SIZE; rank++) {
            assertThat(ends.get(rank).rank()).isEqualTo(rank);
            assertThat(ends.get(rank).size()).isEqualTo(SIZE);
        }
    }

    /** Whole numbers, so every order of adding gives the same. What is queued before comes before, what is queued after comes after. */
    @Test
    void manyTensorsOfOddSizesAreSummedAgainAndAgainInTheOrderOfOtherWork() {
        int[] sizes = {1, 63, 0, 65, 9001, 4};
        List<Boolean> right = run(rank -> {
            Backend backend = backends.get(rank);
            boolean all = true;
            for (int round = 1; round <= 3; round++) {
                List<Tensor> tensors = new ArrayList<>();
                for (int size : sizes) {
                    float[] values = new float[size];
                    for (int i = 0; i < size; i++) {
                        values[i] = i * round + rank;
                    }
                    Tensor tensor = Tensor.of(values, size);
                    backend.scale(tensor, 2, tensor);
                    tensors.add(tensor);
                }
                ends.get(rank).allReduceSum(tensors);
                for (Tensor tensor : tensors) {
                    backend.scale(tensor, 3, tensor);
                }
                for (Tensor tensor : tensors) {
                    float[] sum = tensor.toFloatArray();
                    for (int i = 0; i < sum.length; i++) {
                        all &= sum[i] == 6 * (3f * i * round + 3);
                    }
                }
            }
            ends.get(rank).allReduceSum(List.of());
            return all;
        });
        assertThat(right).containsOnly(true);
    }

    /** Sums of different sizes, which begin between other work and are used together. */
    @Test
    void sumsThatWereStartedAreThereWhenTheyAreAwaited() {
        int[] sizes = {7, 4099, 1};
        List<List<float[]>> sums = run(rank -> {
            Backend backend = backends.get(rank);
            List<Tensor> tensors = new ArrayList<>();
            for (int size : sizes) {
                Tensor tensor = Tensor.full(Shape.of(size), DType.F32, rank + size);
                backend.scale(tensor, 2, tensor);
                ends.get(rank).startSum(List.of(tensor));
                tensors.add(tensor);
            }
            ends.get(rank).awaitSums();
            tensors.forEach(tensor -> backend.scale(tensor, 0.5, tensor));
            return tensors.stream().map(Tensor::toFloatArray).toList();
        });
        for (List<float[]> ofRank : sums) {
            for (int i = 0; i < sizes.length; i++) {
                assertThat(ofRank.get(i)).hasSize(sizes[i]).containsOnly(3 * sizes[i] + 3);
            }
        }
    }

    @Test
    void allRanksGetTheSameBits() {
        List<float[]> sums = run(rank -> {
            Random random = new Random(rank);
            float[] values = new float[1000];
            for (int i = 0; i < values.length; i++) {
                values[i] = (float) random.nextGaussian();
            }
            Tensor tensor = Tensor.of(values, values.length);
            ends.get(rank).allReduceSum(List.of(tensor));
            return tensor.toFloatArray();
        });
        assertThat(sums).allSatisfy(sum -> assertThat(sum).isEqualTo(sums.getFirst()));
    }

    @Test
    void rankZerosValuesOfAnyTypeReachAll() {
        List<List<Object>> got = run(rank -> {
            Tensor ints = Tensor.of(new int[] {10 * rank + 7, rank, -5}, 3);
            Tensor floats = Tensor.full(Shape.of(5), DType.F32, rank + 0.5);
            Tensor bytes = Tensor.full(Shape.of(13), DType.U8, 9 + rank);
            ends.get(rank).broadcast(List.of(ints, floats, Tensor.empty(Shape.of(0), DType.F32), bytes));
            byte[] raw = new byte[13];
            bytes.download(MemorySegment.ofArray(raw));
            return List.of(ints.toIntArray(), floats.toFloatArray(), raw);
        });
        byte[] nines = new byte[13];
        Arrays.fill(nines, (byte) 9);
        for (List<Object> each : got) {
            assertThat((int[]) each.get(0)).containsExactly(7, 0, -5);
            assertThat((float[]) each.get(1)).containsOnly(0.5f);
            assertThat((byte[]) each.get(2)).isEqualTo(nines);
        }
    }

    @Test
    void aFailureAtOneRankEndsTheWaitOfTheOthers() {
        List<Future<Object>> running = start(rank -> {
            Tensor tensor = Tensor.empty(Shape.of(2), rank == 1 ? DType.I32 : DType.F32);
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
    }

    @Test
    void anotherCallAtOneRankIsAnError() {
        List<Future<Object>> running = start(rank -> {
            List<Tensor> tensors = List.of(Tensor.full(Shape.of(2), DType.F32, 1));
            if (rank == 1) {
                ends.get(rank).broadcast(tensors);
            } else {
                ends.get(rank).allReduceSum(tensors);
            }
            return null;
        });
        assertThatThrownBy(running.get(1)::get).hasCauseInstanceOf(ShapeException.class);
    }

    @Test
    void abortReachesAWaitingRankFromAnyThread() {
        IllegalStateException cause = new IllegalStateException("a cable was pulled");
        Future<?> waiting = threads.submit(() -> ends.get(0).broadcast(List.of()));
        ends.get(2).abort(cause);
        assertThatThrownBy(waiting::get)
                .cause()
                .isInstanceOf(DeviceException.class)
                .hasRootCause(cause);
        assertThatThrownBy(() -> ends.get(1).allReduceSum(List.of())).hasRootCause(cause);
    }

    @Test
    void closingOneEndEndsTheWaitOfTheOthers() {
        Future<?> waiting = threads.submit(() -> ends.get(0).broadcast(List.of()));
        ends.get(1).close();
        assertThatThrownBy(waiting::get)
                .hasCauseInstanceOf(DeviceException.class)
                .hasMessageContaining("closed");
        ends.get(0).close();
        ends.get(2).close();
        ends = List.of();
    }

    @Test
    void repeatedCallsMakeNothingNew() {
        List<List<BackendStatistics>> statistics = run(rank -> {
            List<BackendStatistics> seen = new ArrayList<>();
            Tensor large = Tensor.full(Shape.of(5000), DType.F32, 1);
            Tensor small = Tensor.full(Shape.of(3), DType.F32, 1);
            for (int round = 0; round < 3; round++) {
                ends.get(rank).allReduceSum(List.of(large, small));
                backends.get(rank).synchronize();
                seen.add(backends.get(rank).statistics());
            }
            return seen;
        });
        for (List<BackendStatistics> each : statistics) {
            assertThat(each.get(2)).isEqualTo(each.get(1));
        }
    }
}
