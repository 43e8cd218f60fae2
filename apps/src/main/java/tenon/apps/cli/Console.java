package tenon.apps.cli;

import java.io.PrintWriter;
import java.util.Locale;

/** Where a command writes: results to {@code out}, warnings to {@code err}. On a terminal, progress overwrites its line. */
public final class Console {
    private final PrintWriter out;
    private final PrintWriter err;
    private final boolean terminal;
    /** Whether the cursor stands at the end of a line that {@link #overwrite} wrote. */
    private boolean midLine;

    public Console(PrintWriter out, PrintWriter err, boolean terminal) {
        this.out = out;
        this.err = err;
        this.terminal = terminal;
    }

    /** True when both ends of this process are a terminal: {@link System#console()} alone is never null from JDK 22 on. */
    static boolean isTerminal() {
        return System.console() != null && System.console().isTerminal();
    }

    public boolean terminal() {
        return terminal;
    }

    /** Writes one line, or several. */
    public void print(String text) {
        endLine();
        out.println(text);
        out.flush();
    }

    public void print(String format, Object... arguments) {
        print(String.format(Locale.ROOT, format, arguments));
    }

    /** Replaces the terminal's current line. Only for terminals. */
    void overwrite(String text) {
        out.print("\r" + text + "\u001b[K");
        out.flush();
        midLine = true;
    }

    /** Ends such a line. */
    void endLine() {
        if (midLine) {
            out.println();
            out.flush();
            midLine = false;
        }
    }

    public void warn(String text) {
        endLine();
        err.println("warning: " + text);
        err.flush();
    }
}
