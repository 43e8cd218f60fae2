package tenon.io.build;

import java.util.ArrayDeque;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.function.Consumer;
import java.util.function.Function;

/** Works on several threads and hands the results over in order, so that what is written does not depend on the number of threads. */
public final class OrderedParallel {
    private OrderedParallel() {}

    /** Calls {@code sink} on this thread with {@code work(item)} of every item in order; at most 4 results per thread wait. */
    public static <T, R> void forEach(Iterable<T> items, int threads, Function<T, R> work, Consumer<R> sink) {
        ExecutorService pool = Executors.newFixedThreadPool(
                threads, Thread.ofPlatform().daemon().name("tenon-build-", 0).factory());
        try (pool) {
            ArrayDeque<Future<R>> waiting = new ArrayDeque<>();
            try {
                for (T item : items) {
                    if (waiting.size() == 4 * threads) {
                        sink.accept(waiting.poll().get());
                    }
                    waiting.add(pool.submit(() -> work.apply(item)));
                }
                while (!waiting.isEmpty()) {
                    sink.accept(waiting.poll().get());
                }
            } finally {
                waiting.forEach(future -> future.cancel(false));
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new BuildException("build: interrupted", e);
        } catch (ExecutionException e) {
            switch (e.getCause()) {
                case RuntimeException cause -> throw cause;
                case Error cause -> throw cause;
                default -> throw new BuildException("build: " + e.getCause(), e.getCause());
            }
        }
    }
}
