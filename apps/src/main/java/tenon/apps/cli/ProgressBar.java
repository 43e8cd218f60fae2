package tenon.apps.cli;

import java.util.Locale;
import java.util.function.LongSupplier;

/**
 * Progress of one pass over {@code total} items. On a terminal: a bar with rate and remaining time, redrawn at most ten times a second in one line, whatever the
 * terminal's width. Elsewhere: only the final line. Either way the last thing written is {@code n/n [====] …}, on a terminal that is too narrow without the bar.
 */
public final class ProgressBar {
    private static final int LONGEST = 30;
    private static final int SHORTEST = 10;
    private static final long REDRAW_NANOS = 100_000_000;

    private final Console console;
    private final long total;
    private final String unit;
    private final LongSupplier clock;
    private final long start;
    private long drawn;

    /**
     * @param total number of items
     * @param unit what an item is, for the rate: {@code images}
     */
    public ProgressBar(Console console, long total, String unit) {
        this(console, total, unit, System::nanoTime);
    }

    ProgressBar(Console console, long total, String unit, LongSupplier nanoClock) {
        this.console = console;
        this.total = total;
        this.unit = unit;
        this.clock = nanoClock;
        this.start = nanoClock.getAsLong();
        this.drawn = start;
    }

    /**
     * @param done items done so far
     * @param detail what stands at the end of the line, e.g. the running loss; may be empty
     */
    public void update(long done, String detail) {
        long now = clock.getAsLong();
        if (!console.terminal() || now - drawn < REDRAW_NANOS) {
            return;
        }
        drawn = now;
        double rate = rate(done, now);
        String left = rate > 0 ? " - ETA " + duration((total - done) / rate) : "";
        console.overwrite(fitted(done, rateText(rate) + left + suffix(detail)));
    }

    /** One line of the terminal: with a bar, or without, or in fewer words, or cut off. */
    private String fitted(long done, String text) {
        int room = room();
        String line = withBar(done, text, room);
        if (line.length() > room) {
            line = percent(done) + text.replace(' ' + unit + "/s", "/s").replace(" - ", " ");
        }
        return line.length() > room ? line.substring(0, room) : line;
    }

    /** The last column stays free: terminals differ in where the cursor is behind it. */
    private int room() {
        return Math.max(1, console.columns() - 1);
    }

    private String withBar(long done, String text, int room) {
        int length = Math.min(LONGEST, room - (counter(done) + " []" + text).length());
        return counter(done) + (length < SHORTEST ? "" : " " + bar(done, length)) + text;
    }

    /** Writes a line of its own: for logs of long work. */
    void line(long done, String detail) {
        long now = clock.getAsLong();
        console.print(done + "/" + total + " - " + duration((now - start) / 1e9) + rateText(rate(done, now))
                + suffix(detail));
    }

    /** Ends the line at {@code total/total}. */
    public void finish(String detail) {
        long now = clock.getAsLong();
        String text = " - " + duration((now - start) / 1e9) + rateText(rate(total, now)) + suffix(detail);
        if (console.terminal()) {
            console.overwrite(withBar(total, text, room()));
            console.endLine();
        } else {
            console.print(counter(total) + " " + bar(total, LONGEST) + text);
        }
    }

    private double rate(long done, long now) {
        return now > start ? done / ((now - start) / 1e9) : 0;
    }

    private String rateText(double rate) {
        return rate > 0 ? String.format(Locale.ROOT, " - %.0f %s/s", rate, unit) : "";
    }

    private static String suffix(String detail) {
        return detail.isEmpty() ? "" : " - " + detail;
    }

    private String counter(long done) {
        return String.format(Locale.ROOT, "%" + Long.toString(total).length() + "d/%d", done, total);
    }

    private String percent(long done) {
        return (total == 0 ? 100 : 100 * Math.min(done, total) / total) + "%";
    }

    private String bar(long done, int length) {
        int filled = total == 0 ? length : (int) (length * Math.min(done, total) / total);
        String head = filled == 0 || filled == length ? "" : ">";
        return "[" + "=".repeat(filled - head.length()) + head + ".".repeat(length - filled) + "]";
    }

    /** Seconds as {@code 8s}, {@code 2m05s} or {@code 3h07m}. */
    public static String duration(double seconds) {
        long s = Math.round(seconds);
        if (s < 60) {
            return s + "s";
        }
        return s < 3600
                ? String.format(Locale.ROOT, "%dm%02ds", s / 60, s % 60)
                : String.format(Locale.ROOT, "%dh%02dm", s / 3600, s % 3600 / 60);
    }
}
