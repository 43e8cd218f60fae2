package tenon.engine;

/** Something in a step that is being recorded needs the host, so the step cannot be recorded; it can run as it is. */
public final class NotCapturableException extends TenonException {
    private static final long serialVersionUID = 1L;

    public NotCapturableException(String message) {
        super(message);
    }
}
