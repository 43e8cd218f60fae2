package tenon.engine;

/** A shape or size does not fit the operation. */
public final class ShapeException extends TenonException {
    private static final long serialVersionUID = 1L;

    public ShapeException(String message) {
        super(message);
    }
}
