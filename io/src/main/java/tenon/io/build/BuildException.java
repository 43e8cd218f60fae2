package tenon.io.build;

import tenon.engine.TenonException;

/** A data set cannot be built: files are missing, damaged or contradict each other. */
public final class BuildException extends TenonException {
    private static final long serialVersionUID = 1L;

    public BuildException(String message) {
        super(message);
    }

    public BuildException(String message, Throwable cause) {
        super(message, cause);
    }
}
