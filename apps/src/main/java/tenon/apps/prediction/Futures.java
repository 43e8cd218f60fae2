package tenon.apps.prediction;

import java.util.concurrent.ExecutionException;
import java.util.concurrent.Future;
import tenon.engine.TenonException;

/** Waiting for what another thread computes. */
final class Futures {
    private Futures() {}

    /**
     * The result; an unchecked exception of the other thread is thrown as it is.
     *
     * @param name of what is waited for, for messages
     * @throws TenonException around any other exception, and when this thread is interrupted
     */
    static <T> T await(Future<T> future, String name) {
        try {
            return future.get();
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new TenonException(name + ": interrupted while waiting for a result", e);
        } catch (ExecutionException e) {
            switch (e.getCause()) {
                case RuntimeException cause -> throw cause;
                case Error cause -> throw cause;
                default -> throw new TenonException(name + ": " + e.getCause().getMessage(), e.getCause());
            }
        }
    }
}
