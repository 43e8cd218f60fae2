package tenon.engine;

/** Tensors of two back-ends meet in one operation, or the back-end lacks the operation. */
public final class DeviceException extends TenonException {
    private static final long serialVersionUID = 1L;

    public DeviceException(String message) {
        super(message);
    }

    public DeviceException(String message, Throwable cause) {
        super(message, cause);
    }
}
