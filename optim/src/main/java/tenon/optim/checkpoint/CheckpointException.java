package tenon.optim.checkpoint;

import tenon.engine.TenonException;

/** A checkpoint or tensor file could not be written, or is not what it claims to be. */
public final class CheckpointException extends TenonException {
    private static final long serialVersionUID = 1L;

    public CheckpointException(String message) {
        super(message);
    }

    public CheckpointException(String message, Throwable cause) {
        super(message, cause);
    }
}
