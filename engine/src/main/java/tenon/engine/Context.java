package tenon.engine;

/**
 * What the current thread is doing: innermost scope, whether gradients are recorded, the layer path for messages, the random generator.
 * Confined to its thread; a new thread starts with no scope.
 */
public final class Context {
    private static final ThreadLocal<Context> CURRENT = ThreadLocal.withInitial(Context::new);

    private final Generator generator = new Generator();
    Scope scope;
    private boolean gradEnabled = true;
    private boolean lateChecks;
    private String path = "";
    private boolean backward;
    private long nodeCount;

    private Context() {}

    public static Context get() {
        return CURRENT.get();
    }

    public Generator generator() {
        return generator;
    }

    /** Dotted name of the layer being applied, empty outside layers. */
    public String path() {
        return path;
    }

    /** Sets the layer path; the caller restores the previous one. */
    public void setPath(String newPath) {
        path = newPath;
    }

    /** True while a backward pass runs. */
    public boolean inBackward() {
        return backward;
    }

    /** Called by the backward pass, which restores the previous value. */
    public void setInBackward(boolean running) {
        backward = running;
    }

    public boolean gradEnabled() {
        return gradEnabled;
    }

    void setGradEnabled(boolean enabled) {
        gradEnabled = enabled;
    }

    /** True where {@link LateChecks} are open. */
    public boolean lateChecks() {
        return lateChecks;
    }

    void setLateChecks(boolean late) {
        lateChecks = late;
    }

    /** Sequence number for the next recorded op: backward visits nodes in falling order. */
    public long nextNodeNumber() {
        return nodeCount++;
    }
}
