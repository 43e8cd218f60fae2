package tenon.apps.training;

import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import tenon.apps.cli.Console;

/**
 * Ctrl-C (or SIGTERM) during training: asks the training thread to stop after the current step and keeps the JVM alive until it has saved. A second
 * Ctrl-C has no further effect; the JVM ends by itself after {@value #LONGEST_WAIT_SECONDS} seconds.
 */
final class Interruption implements AutoCloseable {
    private static final int LONGEST_WAIT_SECONDS = 120;

    private final CountDownLatch finished = new CountDownLatch(1);
    private final Thread hook;
    private volatile boolean requested;

    /** @param stop asks the training thread to stop; called on another thread */
    Interruption(Console console, Runnable stop) {
        hook = new Thread(
                () -> {
                    requested = true;
                    stop.run();
                    console.warn("interrupted: finishing this step and saving a checkpoint");
                    awaitFinished();
                },
                "tenon-interruption");
        Runtime.getRuntime().addShutdownHook(hook);
    }

    private void awaitFinished() {
        try {
            boolean _ = finished.await(LONGEST_WAIT_SECONDS, TimeUnit.SECONDS);
        } catch (InterruptedException _) {
            Thread.currentThread().interrupt();
        }
    }

    boolean requested() {
        return requested;
    }

    /** Says that everything is saved. */
    @Override
    public void close() {
        finished.countDown();
        if (!requested) {
            try {
                Runtime.getRuntime().removeShutdownHook(hook);
            } catch (IllegalStateException _) {
                // The JVM began to end just now; the hook will not wait.
            }
        }
    }
}
