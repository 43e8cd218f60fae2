package tenon.engine;

/**
 * Root of every error that Tenon reports on purpose. A message says where, what must hold, what was given and what to do.
 */
public class TenonException extends RuntimeException {
    private static final long serialVersionUID = 1L;

    public TenonException(String message) {
        super(message);
    }

    public TenonException(String message, Throwable cause) {
        super(message, cause);
    }

    /** Prefix of an op's messages: the op, and the layer it runs in when one is known, e.g. {@code conv2d 'block1.conv1'}. */
    public static String where(String op) {
        return where(op, Context.get().path());
    }

    /** The same for an op that ran in the layer {@code path}, empty for none. */
    public static String where(String op, String path) {
        return path.isEmpty() ? op : op + " '" + path + "'";
    }
}
