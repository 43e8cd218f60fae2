package tenon.engine;

/** An allocation would exceed the memory limit, or the system refused it. */
public final class OutOfMemoryException extends TenonException {
    private static final long serialVersionUID = 1L;

    public OutOfMemoryException(String message) {
        super(message);
    }
}
