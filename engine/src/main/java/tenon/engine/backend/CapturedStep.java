package tenon.engine.backend;

/** A recorded step. Belongs to its back-end, which it must not outlive. */
public interface CapturedStep extends AutoCloseable {
    /** Starts the recorded work with these values and returns at once; {@link Backend#synchronize} or reading a tensor waits for it. */
    void replay(StepState now);

    /** Gives the recording's memory back; its tensors must be closed before. Waits for replays. */
    @Override
    void close();
}
