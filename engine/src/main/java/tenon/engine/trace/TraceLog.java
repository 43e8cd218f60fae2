package tenon.engine.trace;

import java.io.PrintStream;
import java.util.Locale;

/** One line per kernel: time, rates, memory that tensors hold, phase, kernel, largest tensor, layer. */
final class TraceLog {
    private final PrintStream out;

    TraceLog(PrintStream out) {
        this.out = out;
    }

    void add(Event event) {
        out.println(line(event));
    }

    static String line(Event event) {
        String flops = event.gflops() == 0 ? "-" : String.format(Locale.ROOT, "%.1f", event.gflops());
        return String.format(
                        Locale.ROOT,
                        "%10.3f ms %8s GFLOP/s %7.1f GB/s %9.1f MB live  %-8s  %s %s  %s",
                        1e-6 * event.nanos(),
                        flops,
                        event.gigabytes(),
                        event.liveBytes() / 1e6,
                        event.phase(),
                        event.kernel(),
                        event.tensor(),
                        event.layer())
                .stripTrailing();
    }
}
