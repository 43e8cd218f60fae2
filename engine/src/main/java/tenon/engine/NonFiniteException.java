package tenon.engine;

/** A NaN or infinity appeared while the finite check was on. */
public final class NonFiniteException extends TenonException {
    private static final long serialVersionUID = 1L;

    public NonFiniteException(String message) {
        super(message);
    }
}
