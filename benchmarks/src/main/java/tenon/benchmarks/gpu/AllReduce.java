package tenon.benchmarks.gpu;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import tenon.engine.DType;
import tenon.engine.DeviceException;
import tenon.engine.Scope;
import tenon.engine.Shape;
import tenon.engine.Tensor;
import tenon.engine.backend.Communicator;
import tenon.engine.backend.RankBarrier;
import tenon.engine.backend.cuda.CudaBackend;

/**
 * Sums of one size over several GPUs, in the terms of nccl-tests: of what is summed (algbw), and of what a link carries each way where each value is sent as few times as can be (busbw).
 *
 * @param way as the communicator describes itself
 * @param seconds of one sum at the slowest rank
 */
record AllReduce(int devices, String way, long bytes, double seconds) {
    private static final int WARM_UP = 2;
    private static final int SUMS = 10;
    private static final int ROUNDS = 3;

    double algorithmBandwidth() {
        return bytes / seconds;
    }

    double busBandwidth() {
        return algorithmBandwidth() * 2 * (devices - 1) / devices;
    }

    static List<AllReduce> measure(List<CudaBackend> backends, long[] sizes) {
        List<Communicator> ends = backends.getFirst().communicators(List.copyOf(backends));
        try (ExecutorService threads = Executors.newFixedThreadPool(ends.size())) {
            List<AllReduce> rows = new ArrayList<>();
            for (long bytes : sizes) {
                RankBarrier all = new RankBarrier(ends.size());
                List<Future<double[]>> running = new ArrayList<>();
                for (int rank = 0; rank < ends.size(); rank++) {
                    CudaBackend backend = backends.get(rank);
                    Communicator end = ends.get(rank);
                    running.add(threads.submit(() -> seconds(backend, end, bytes, all)));
                }
                double[] slowest = new double[ROUNDS];
                for (Future<double[]> each : running) {
                    double[] ofRank = got(each);
                    for (int round = 0; round < ROUNDS; round++) {
                        slowest[round] = Math.max(slowest[round], ofRank[round]);
                    }
                }
                double best = Double.POSITIVE_INFINITY;
                for (double round : slowest) {
                    best = Math.min(best, round);
                }
                rows.add(new AllReduce(ends.size(), ends.getFirst().description(), bytes, best));
            }
            return rows;
        } finally {
            ends.forEach(Communicator::close);
        }
    }

    private static double[] seconds(CudaBackend backend, Communicator end, long bytes, RankBarrier all) {
        try (var _ = Scope.open("all-reduce", backend)) {
            List<Tensor> tensors = List.of(Tensor.full(Shape.of(Math.toIntExact(bytes / Float.BYTES)), DType.F32, 0));
            for (int i = 0; i < WARM_UP; i++) {
                end.allReduceSum(tensors);
            }
            double[] seconds = new double[ROUNDS];
            for (int round = 0; round < ROUNDS; round++) {
                backend.synchronize();
                all.await();
                long start = System.nanoTime();
                for (int i = 0; i < SUMS; i++) {
                    end.allReduceSum(tensors);
                }
                backend.synchronize();
                seconds[round] = 1e-9 * (System.nanoTime() - start) / SUMS;
            }
            return seconds;
        } catch (RuntimeException e) {
            end.abort(e);
            all.end(e);
            throw e;
        }
    }

    private static double[] got(Future<double[]> future) {
        try {
            return future.get();
        } catch (ExecutionException e) {
            throw new DeviceException("all-reduce: " + e.getCause().getMessage(), e.getCause());
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new DeviceException("all-reduce: interrupted", e);
        }
    }

    Map<String, Object> json() {
        Map<String, Object> json = new LinkedHashMap<>();
        json.put("devices", devices);
        json.put("way", way);
        json.put("bytes", bytes);
        json.put("seconds", seconds);
        json.put("algbw_bytes_per_second", algorithmBandwidth());
        json.put("busbw_bytes_per_second", busBandwidth());
        return json;
    }
}
