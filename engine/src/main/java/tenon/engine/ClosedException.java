package tenon.engine;

/** A tensor or scope was used after it was closed. */
public final class ClosedException extends TenonException {
    private static final long serialVersionUID = 1L;

    public ClosedException(String message) {
        super(message);
    }
}
