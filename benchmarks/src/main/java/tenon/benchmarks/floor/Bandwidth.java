package tenon.benchmarks.floor;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.function.ToLongFunction;
import tenon.engine.DType;
import tenon.engine.Scope;
import tenon.engine.Shape;
import tenon.engine.Tensor;
import tenon.engine.backend.cpu.CpuBackend;

/** Copies and reads memory on several threads, each between two buffers of its own. */
final class Bandwidth implements AutoCloseable {
    private static final int LONGS_PER_LINE = 64 / Long.BYTES;

    private final int threads;
    private final int bytes;
    private final CpuBackend backend;
    private final Scope scope;
    private final MemorySegment[] from;
    private final MemorySegment[] to;
    private final ExecutorService pool;
    private long sink;

    /** @param bytes of each buffer */
    Bandwidth(int threads, int bytes) {
        this.threads = threads;
        this.bytes = bytes;
        // The CPU back-end's allocator asks for huge pages.
        backend = CpuBackend.open(threads);
        scope = Scope.open("bandwidth", backend);
        from = new MemorySegment[threads];
        to = new MemorySegment[threads];
        for (int i = 0; i < threads; i++) {
            from[i] = buffer();
            to[i] = buffer();
        }
        pool = Executors.newFixedThreadPool(
                threads, Thread.ofPlatform().daemon().factory());
    }

    private MemorySegment buffer() {
        Tensor tensor = Tensor.empty(backend, Shape.of(bytes), DType.U8);
        tensor.fill(1);
        return tensor.segment();
    }

    /** Bytes per second, read and written, when each thread copies its buffer {@code times} times between two measurements. */
    double copy(int times) {
        return 2.0
                * threads
                * bytes
                / seconds(times, i -> {
                    MemorySegment.copy(from[i], 0, to[i], 0, bytes);
                    return 0;
                });
    }

    double read(int times) {
        return (double) threads * bytes / seconds(times, i -> sum(from[i]));
    }

    /** One load from each cache line: the line moves as a whole. */
    private static long sum(MemorySegment segment) {
        long sum = 0;
        int count = (int) (segment.byteSize() / Long.BYTES);
        for (int i = 0; i < count; i += LONGS_PER_LINE) {
            sum += segment.getAtIndex(ValueLayout.JAVA_LONG, i);
        }
        return sum;
    }

    private double seconds(int times, ToLongFunction<Integer> body) {
        return Roofline.medianSeconds(1, () -> {
                    List<Future<Long>> results = new ArrayList<>();
                    for (int i = 0; i < threads; i++) {
                        int index = i;
                        results.add(pool.submit(() -> {
                            long total = 0;
                            for (int j = 0; j < times; j++) {
                                total += body.applyAsLong(index);
                            }
                            return total;
                        }));
                    }
                    results.forEach(result -> sink += get(result));
                })
                / times;
    }

    private static long get(Future<Long> result) {
        try {
            return result.get();
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new IllegalStateException("interrupted while measuring bandwidth", e);
        } catch (ExecutionException e) {
            throw new IllegalStateException("measuring bandwidth failed", e.getCause());
        }
    }

    @Override
    public void close() {
        pool.shutdown();
        scope.close();
        backend.close();
    }
}
