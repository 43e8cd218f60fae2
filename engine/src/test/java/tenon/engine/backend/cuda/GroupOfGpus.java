package tenon.engine.backend.cuda;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.function.Function;
import java.util.function.IntConsumer;
import tenon.engine.Scope;
import tenon.engine.TenonException;
import tenon.engine.Tensor;
import tenon.engine.backend.Communicator;
import tenon.engine.backend.RankBarrier;
import tenon.engine.testing.CudaTesting;

/** A few simulated GPUs with a thread each, and sums over them whose values are known. */
final class GroupOfGpus implements AutoCloseable {
    static final int ROUNDS = 2;
    private static final int[] SIZES = {1, 9001, 130};

    final List<CudaBackend> backends = new ArrayList<>();
    final List<Communicator> ends;
    private final ExecutorService threads;

    GroupOfGpus(int count) {
        this(count, backends -> backends.getFirst().communicators(List.copyOf(backends)));
    }

    GroupOfGpus(int count, Function<List<CudaBackend>, List<Communicator>> communicators) {
        this(count, CudaTesting.options(), communicators);
    }

    GroupOfGpus(int count, CudaOptions options, Function<List<CudaBackend>, List<Communicator>> communicators) {
        threads = Executors.newFixedThreadPool(count);
        try {
            for (int device = 0; device < count; device++) {
                backends.add(CudaTesting.open(options.withDevice(device)));
            }
            ends = communicators.apply(backends);
        } catch (RuntimeException e) {
            backends.forEach(CudaBackend::close);
            threads.shutdown();
            throw e;
        }
    }

    @Override
    public void close() {
        threads.shutdown();
        ends.forEach(Communicator::close);
        backends.forEach(CudaBackend::close);
    }

    /** What the work of each rank ends with, null where with nothing. */
    List<Throwable> failures(IntConsumer work) {
        List<Future<?>> running = new ArrayList<>();
        for (int rank = 0; rank < backends.size(); rank++) {
            int mine = rank;
            running.add(threads.submit(() -> {
                try (var _ = Scope.open("rank", backends.get(mine))) {
                    work.accept(mine);
                }
            }));
        }
        List<Throwable> failures = new ArrayList<>();
        for (Future<?> each : running) {
            try {
                each.get();
                failures.add(null);
            } catch (ExecutionException e) {
                failures.add(e.getCause());
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
                throw new IllegalStateException(e);
            }
        }
        return failures;
    }

    /** 1 + 2 + … of the ranks, {@code count} times. */
    Tensor sum(int rank, int count) {
        float[] values = new float[count];
        Arrays.fill(values, rank + 1);
        Tensor tensor = Tensor.of(values, count);
        ends.get(rank).allReduceSum(List.of(tensor));
        return tensor;
    }

    /** What is wrong with a few sums that are queued before anybody waits, with work of the device before and after each; null if nothing. */
    String wrongWith() {
        int size = backends.size();
        float[][][][] results = new float[size][ROUNDS][SIZES.length][];
        Tensor[][][] tensors = new Tensor[size][ROUNDS][SIZES.length];
        RankBarrier allQueued = new RankBarrier(size);
        List<Throwable> failures = failures(rank -> {
            for (int round = 0; round < ROUNDS; round++) {
                for (int i = 0; i < SIZES.length; i++) {
                    float[] values = new float[SIZES[i]];
                    for (int j = 0; j < values.length; j++) {
                        values[j] = value(rank, round, j);
                    }
                    tensors[rank][round][i] = Tensor.of(values, values.length);
                }
            }
            // After all uploads, which may wait for those before them.
            for (Tensor[] ofRound : tensors[rank]) {
                for (Tensor tensor : ofRound) {
                    backends.get(rank).scale(tensor, 2, tensor);
                }
            }
            for (int round = 0; round < ROUNDS; round++) {
                ends.get(rank).startSum(List.of(tensors[rank][round]));
            }
            ends.get(rank).awaitSums();
            for (Tensor[] ofRound : tensors[rank]) {
                for (Tensor tensor : ofRound) {
                    backends.get(rank).scale(tensor, 3, tensor);
                }
            }
            // Rank 0 waits first, so that what runs when its device is asked for is the same each time.
            allQueued.await();
            if (rank == 0) {
                try {
                    backends.getFirst().synchronize();
                } catch (TenonException e) {
                    allQueued.end(e);
                    throw e;
                }
            }
            allQueued.await();
            for (int round = 0; round < ROUNDS; round++) {
                for (int i = 0; i < SIZES.length; i++) {
                    results[rank][round][i] = tensors[rank][round][i].toFloatArray();
                }
            }
        });
        for (Throwable failure : failures) {
            if (failure != null) {
                return failure.toString();
            }
        }
        for (int rank = 0; rank < size; rank++) {
            for (int round = 0; round < ROUNDS; round++) {
                for (float[] result : results[rank][round]) {
                    for (int j = 0; j < result.length; j++) {
                        float expected = 0;
                        for (int other = 0; other < size; other++) {
                            expected += 6 * value(other, round, j);
                        }
                        if (result[j] != expected) {
                            return "rank " + rank + ", round " + round + ", element " + j + " of " + result.length
                                    + ": actual=" + result[j] + ", expected=" + expected;
                        }
                    }
                }
            }
        }
        return null;
    }

    private static float value(int rank, int round, int element) {
        return (rank + 1) * 10_000 + round * 1000 + element % 997;
    }
}
