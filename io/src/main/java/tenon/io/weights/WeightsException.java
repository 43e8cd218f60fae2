package tenon.io.weights;

import tenon.engine.TenonException;

/** A file of weights cannot be read, or is not what it claims to be. */
public final class WeightsException extends TenonException {
    private static final long serialVersionUID = 1L;

    public WeightsException(String message) {
        super(message);
    }

    public WeightsException(String message, Throwable cause) {
        super(message, cause);
    }
}
