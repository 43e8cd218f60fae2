package tenon.engine.trace;

import java.io.IOException;
import java.io.Writer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;

/**
 * The last whole training step, or, if nothing was trained, the first {@value #MOST} kernels, for {@code chrome://tracing} or ui.perfetto.dev: one track
 * of phases, one of kernels (Google's "Trace Event Format", complete events).
 */
final class ChromeTrace {
    static final int MOST = 100_000;

    private static final int PHASES = 1;
    private static final int KERNELS = 2;

    private List<Event> whole = List.of();
    private List<Event> events = new ArrayList<>();

    void add(Event event) {
        if (endsWithUpdate() && event.phase() != Phase.UPDATE) {
            whole = events;
            events = new ArrayList<>();
        }
        if (events.size() < MOST) {
            events.add(event);
        }
    }

    private boolean endsWithUpdate() {
        return !events.isEmpty() && events.getLast().phase() == Phase.UPDATE;
    }

    void write(Path file) throws IOException {
        List<Event> step = endsWithUpdate() || whole.isEmpty() ? events : whole;
        try (Writer out = Files.newBufferedWriter(file)) {
            out.write("{\"displayTimeUnit\":\"ms\",\"traceEvents\":[\n");
            out.write(track(PHASES, "phases") + ",\n" + track(KERNELS, "kernels"));
            long origin = step.isEmpty() ? 0 : step.getFirst().startNanos();
            int first = 0;
            for (int i = 0; i < step.size(); i++) {
                Event event = step.get(i);
                out.write(",\n" + kernel(event, origin));
                if (i + 1 == step.size() || step.get(i + 1).phase() != event.phase()) {
                    out.write(",\n" + phase(step.get(first), event, origin));
                    first = i + 1;
                }
            }
            out.write("\n]}\n");
        }
    }

    private static String track(int number, String name) {
        return "{\"ph\":\"M\",\"pid\":1,\"tid\":" + number + ",\"name\":\"thread_name\",\"args\":{\"name\":\"" + name
                + "\"}}";
    }

    private static String phase(Event first, Event last, long origin) {
        long nanos = last.startNanos() + last.nanos() - first.startNanos();
        return complete(first.phase().toString(), PHASES, first.phase(), first.startNanos() - origin, nanos, "");
    }

    private static String kernel(Event event, long origin) {
        String arguments = String.format(
                Locale.ROOT,
                "\"layer\":%s,\"tensor\":%s,\"gflops\":%.1f,\"gb_per_second\":%.1f,\"live_mb\":%.1f",
                quoted(event.layer()),
                quoted(event.tensor()),
                event.gflops(),
                event.gigabytes(),
                event.liveBytes() / 1e6);
        return complete(event.kernel(), KERNELS, event.phase(), event.startNanos() - origin, event.nanos(), arguments);
    }

    private static String complete(String name, int track, Phase phase, long start, long nanos, String arguments) {
        return String.format(
                Locale.ROOT,
                "{\"ph\":\"X\",\"pid\":1,\"tid\":%d,\"name\":%s,\"cat\":\"%s\",\"ts\":%.3f,\"dur\":%.3f,\"args\":{%s}}",
                track,
                quoted(name),
                phase,
                start / 1e3,
                nanos / 1e3,
                arguments);
    }

    private static String quoted(String text) {
        StringBuilder out = new StringBuilder("\"");
        for (char c : text.toCharArray()) {
            if (c == '"' || c == '\\') {
                out.append('\\').append(c);
            } else if (c < ' ') {
                out.append(String.format("\\u%04x", (int) c));
            } else {
                out.append(c);
            }
        }
        return out.append('"').toString();
    }
}
