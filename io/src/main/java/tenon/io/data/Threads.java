package tenon.io.data;

/** Waiting for threads that have been told to end. */
public final class Threads {
    private Threads() {}

    /** Returns when all of them have ended; an interruption of the caller does not cut that short, and is not lost. */
    public static void join(Thread... threads) {
        boolean interrupted = false;
        for (Thread thread : threads) {
            while (thread.isAlive()) {
                try {
                    thread.join();
                } catch (InterruptedException _) {
                    interrupted = true;
                }
            }
        }
        if (interrupted) {
            Thread.currentThread().interrupt();
        }
    }
}
