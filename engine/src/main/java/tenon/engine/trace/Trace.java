package tenon.engine.trace;

import java.io.IOException;
import java.nio.file.Path;
import java.util.IdentityHashMap;
import java.util.Map;
import tenon.engine.backend.Backend;
import tenon.engine.backend.shapes.ShapeBackend;

/**
 * What the system properties ask for, in every program that uses the engine:
 *
 * <ul>
 *   <li>{@code -Dtenon.trace}: a line on standard error for each kernel, see {@link TraceLog};
 *   <li>{@code -Dtenon.trace.file=F.json}: a training step in Chrome's trace format, written when the JVM ends, see {@link ChromeTrace}.
 * </ul>
 *
 * Without them nothing stands between an op and the back-end.
 */
public final class Trace {
    private static final Trace ON = fromProperties();

    private final TraceLog log;
    private final ChromeTrace chrome;
    /** Kept as long as the process, as is what they were made from: tracing is for looking at a short run. */
    private final Map<Backend, Backend> watched = new IdentityHashMap<>();

    private Trace(TraceLog log, ChromeTrace chrome) {
        this.log = log;
        this.chrome = chrome;
    }

    private static Trace fromProperties() {
        String lines = System.getProperty("tenon.trace", "false");
        String file = System.getProperty("tenon.trace.file");
        if (lines.equals("false") && file == null) {
            return null;
        }
        ChromeTrace chrome = file == null ? null : new ChromeTrace();
        Trace trace = new Trace(lines.equals("false") ? null : new TraceLog(System.err), chrome);
        if (chrome != null) {
            Runtime.getRuntime().addShutdownHook(new Thread(() -> trace.write(Path.of(file)), "trace"));
        }
        return trace;
    }

    /** The back-end itself, or where the properties ask for it, one that reports its kernels. */
    public static Backend watched(Backend backend) {
        return ON == null || backend instanceof ShapeBackend ? backend : ON.watch(backend);
    }

    private synchronized Backend watch(Backend backend) {
        Backend known = watched.get(backend);
        if (known == null) {
            known = TracedBackend.of(backend, this::ran);
            watched.put(backend, known);
            watched.put(known, known);
        }
        return known;
    }

    private synchronized void ran(KernelCall call) {
        Event event = Event.of(call);
        if (log != null) {
            log.add(event);
        }
        if (chrome != null) {
            chrome.add(event);
        }
    }

    private synchronized void write(Path file) {
        try {
            chrome.write(file);
        } catch (IOException e) {
            System.err.println("-Dtenon.trace.file: cannot write " + file + ": " + e);
        }
    }
}
