package tenon.apps.cli;

import tenon.engine.TenonException;

/** Options that contradict each other or the data: exit code {@link ExitCode#USAGE}, with a pointer to the command's help. */
public final class UsageException extends TenonException {
    private static final long serialVersionUID = 1L;

    public UsageException(String message) {
        super(message);
    }
}
