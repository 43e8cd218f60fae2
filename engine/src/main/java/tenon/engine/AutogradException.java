package tenon.engine;

/** The gradient that was asked for cannot be computed. */
public final class AutogradException extends TenonException {
    private static final long serialVersionUID = 1L;

    public AutogradException(String message) {
        super(message);
    }
}
