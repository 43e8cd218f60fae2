package tenon.apps.cli;

import java.io.PrintWriter;
import java.util.Locale;
import java.util.function.IntSupplier;

/** Where a command writes: results to {@code out}, warnings to {@code err}. On a terminal, progress overwrites its line. */
public final class Console {
    private final PrintWriter out;
    private final PrintWriter err;
    private final boolean terminal;
    private final IntSupplier columns;
    /** Whether the cursor stands at the end of a line that {@link #overwrite} wrote. */
    private boolean midLine;

    public Console(PrintWriter out, PrintWriter err, boolean terminal) {
        this(out, err, terminal, TerminalWidth::columns);
    }

    Console(PrintWriter out, PrintWriter err, boolean terminal, IntSupplier columns) {
        this.out = out;
        this.err = err;
        this.terminal = terminal;
        this.columns = columns;
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

    /** Of the terminal, now. Only for terminals. */
    int columns() {
        return columns.getAsInt();
    }

    /** Replaces the terminal's current line; what is wider than the terminal would leave its beginning behind. Only for terminals. */
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
