package tenon.optim.train;

import java.util.concurrent.Callable;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import tenon.engine.Scope;
import tenon.engine.backend.Backend;

/** The thread on which a further device of a training works, with a scope that lives as long as it does. */
final class DeviceThread implements AutoCloseable {
    private final Backend backend;
    private final ExecutorService thread;
    private final Scope scope;

    DeviceThread(Backend backend) {
        this.backend = backend;
        thread = Executors.newSingleThreadExecutor(Thread.ofPlatform()
                .daemon()
                .name("tenon-train-" + backend.name())
                .factory());
        scope = await(start(() -> Scope.open("replica", backend)));
    }

    Backend backend() {
        return backend;
    }

    <T> Future<T> start(Callable<T> work) {
        return thread.submit(work);
    }

    /** The result, or the work's own exception. An interruption of the caller does not cut the wait short, and is not lost. */
    static <T> T await(Future<T> work) {
        boolean interrupted = false;
        try {
            while (true) {
                try {
                    return work.get();
                } catch (InterruptedException _) {
                    interrupted = true;
                } catch (ExecutionException e) {
                    switch (e.getCause()) {
                        case RuntimeException cause -> throw cause;
                        case Error cause -> throw cause;
                        default -> throw new IllegalStateException(e.getCause());
                    }
                }
            }
        } finally {
            if (interrupted) {
                Thread.currentThread().interrupt();
            }
        }
    }

    /** Closes what was made in the thread's scope, and ends the thread. */
    @Override
    public void close() {
        try (ExecutorService _ = thread) {
            await(start(() -> {
                scope.close();
                return null;
            }));
        }
    }
}
