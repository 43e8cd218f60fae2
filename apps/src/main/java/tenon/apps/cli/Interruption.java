package tenon.apps.cli;

import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;

/**
 * Ctrl-C (or SIGTERM) during long work: asks the working thread to stop at the next good moment and keeps the JVM alive until it has saved. A second
 * Ctrl-C has no further effect; the JVM ends by itself after {@value #LONGEST_WAIT_SECONDS} seconds. What the command says after its work still appears if it ends by
 * {@link #exit}.
 */
public final class Interruption implements AutoCloseable {
    private static final int LONGEST_WAIT_SECONDS = 120;
    private static final int LAST_WORDS_SECONDS = 5;
    private static final CountDownLatch ENDED = new CountDownLatch(1);

    private final CountDownLatch finished = new CountDownLatch(1);
    private final Thread hook;
    private volatile boolean requested;

    /**
     * Begins to listen.
     *
     * @param message told when it happens
     * @param stop asks the working thread to stop; called on another thread
     */
    public Interruption(Console console, String message, Runnable stop) {
        hook = new Thread(
                () -> {
                    requested = true;
                    stop.run();
                    console.warn("interrupted: " + message);
                    awaitFinished();
                },
                "tenon-interruption");
        Runtime.getRuntime().addShutdownHook(hook);
    }

    private void awaitFinished() {
        try {
            if (finished.await(LONGEST_WAIT_SECONDS, TimeUnit.SECONDS)) {
                boolean _ = ENDED.await(LAST_WORDS_SECONDS, TimeUnit.SECONDS);
            }
        } catch (InterruptedException _) {
            Thread.currentThread().interrupt();
        }
    }

    /** Ends the JVM, after the command's last words. */
    public static void exit(int code) {
        ENDED.countDown();
        System.exit(code);
    }

    public boolean requested() {
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
