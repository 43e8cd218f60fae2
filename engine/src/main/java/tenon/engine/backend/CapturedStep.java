package tenon.engine.backend;

/** A recorded step. Belongs to its back-end, which it must not outlive. */
public interface CapturedStep extends AutoCloseable {
    /**
     * Starts the recorded work; {@link Backend#synchronize} or reading a tensor waits for it.
     *
     * @param rate of this run
     * @param step number of this run
     */
    void replay(double rate, int step);

    /** How often {@link #replay} ran. */
    long replays();

    /** Whether a loss of the last replay was not finite, in which case its updates left everything as it was. Waits for the replay. */
    boolean skipped();

    /** Gives the recording's memory back. */
    @Override
    void close();
}
