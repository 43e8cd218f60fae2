package tenon.engine;

/** A dtype is not supported by the operation or back-end, or two dtypes differ where they must not. */
public final class DTypeException extends TenonException {
    private static final long serialVersionUID = 1L;

    public DTypeException(String message) {
        super(message);
    }
}
