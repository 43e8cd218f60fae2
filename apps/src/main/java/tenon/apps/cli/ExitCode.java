package tenon.apps.cli;

/** Exit codes of every command. */
public final class ExitCode {
    public static final int OK = 0;
    /** The command was understood and could not be done. */
    public static final int FAILED = 1;
    /** The command line itself is wrong. */
    public static final int USAGE = 2;

    private ExitCode() {}
}
