package tenon.engine;

import java.util.ArrayList;
import java.util.List;
import tenon.engine.autograd.Node;
import tenon.engine.backend.Backend;
import tenon.engine.trace.Trace;

/**
 * Owns tensors: closing a scope closes what was made in it. Scopes nest as the program does (model, trainer, step) on a stack confined to the
 * thread:
 *
 * <pre>{@code
 * try (Scope model = Scope.open("model", backend)) {
 *     Module net = …;                      // parameters live here
 *     for (…) {
 *         try (Scope step = Scope.open("step")) {
 *             …                            // activations, gradients, temporaries
 *         }
 *     }
 * }
 * }</pre>
 *
 * A sealed scope throws when something is allocated in it: in tests it finds the temporary that escaped.
 */
public final class Scope implements AutoCloseable {
    /** Owner of handles that are closed explicitly: those saved on the tape, gradient buffers. */
    static final Scope NONE = new Scope("none", null, null, false);

    private final String name;
    private final Backend backend;
    private final Scope parent;
    private final boolean local;
    private final ArrayList<Tensor> tensors = new ArrayList<>();
    private final ArrayList<Node> nodes = new ArrayList<>();
    private boolean sealed;
    private boolean closed;

    private Scope(String name, Backend backend, Scope parent, boolean local) {
        this.name = name;
        this.backend = backend;
        this.parent = parent;
        this.local = local;
    }

    /** A scope inside the current one, on its back-end. */
    public static Scope open(String name) {
        return push(name, current().backend, false);
    }

    public static Scope open(String name, Backend backend) {
        return push(name, Trace.watched(backend), false);
    }

    /**
     * A scope for the handles that a layer makes on its way to a result: closing it closes the handles, while memory that the tape saved lives
     * on and recorded ops stay recorded.
     */
    public static Scope openLocal(String name) {
        return push(name, current().backend, true);
    }

    private static Scope push(String name, Backend backend, boolean local) {
        Context context = Context.get();
        context.scope = new Scope(name, backend, context.scope, local);
        return context.scope;
    }

    /** The innermost open scope of this thread. */
    public static Scope current() {
        Scope scope = Context.get().scope;
        if (scope == null) {
            throw new ClosedException(
                    "scope: a tensor needs an open scope on this thread: wrap the code in try (Scope scope ="
                            + " Scope.open(\"name\", backend)) { … }");
        }
        return scope;
    }

    /** True when this thread has an open scope. */
    public static boolean isOpen() {
        return Context.get().scope != null;
    }

    public String name() {
        return name;
    }

    public Backend backend() {
        return backend;
    }

    /** The enclosing scope, or null. */
    public Scope parent() {
        return parent;
    }

    /** Number of open tensors, for leak checks. */
    public int tensorCount() {
        return tensors.size();
    }

    public void seal() {
        sealed = true;
    }

    public void unseal() {
        sealed = false;
    }

    void checkMayAllocate() {
        if (closed) {
            throw new ClosedException(TenonException.where("scope") + ": '" + name
                    + "' is closed: a tensor can only move to an open scope");
        }
        if (sealed) {
            throw new ClosedException(TenonException.where("scope") + ": '" + name
                    + "' is sealed: nothing may be allocated in it (open an inner scope around the code that"
                    + " allocates)");
        }
    }

    void attach(Tensor tensor) {
        if (this != NONE) {
            checkMayAllocate();
            tensors.add(tensor);
        }
    }

    void detach(Tensor tensor) {
        // Handles close in roughly the reverse order of their creation, so the search from the end is short.
        for (int i = tensors.size() - 1; i >= 0; i--) {
            if (tensors.get(i) == tensor) {
                tensors.remove(i);
                return;
            }
        }
    }

    /** Puts a recorded op into the innermost scope that is not local; what it saved is freed at the latest when that scope closes. */
    public void record(Node node) {
        Scope owner = this;
        while (owner.local && owner.parent != null) {
            owner = owner.parent;
        }
        owner.nodes.add(node);
    }

    /** Ops recorded in this scope; those that backward has visited are released and hold nothing. */
    public List<Node> nodes() {
        return nodes;
    }

    /** Bytes that recorded ops of this scope keep alive for backward. */
    public long savedBytes() {
        return nodes.stream().mapToLong(Node::savedBytes).sum();
    }

    @Override
    public void close() {
        if (closed) {
            return;
        }
        Context context = Context.get();
        if (context.scope != this) {
            throw new ClosedException(
                    "scope: '" + name + "' must be the innermost open scope of the closing thread: innermost="
                            + (context.scope == null ? "none" : context.scope.name)
                            + " (close inner scopes first, on the thread that opened them)");
        }
        closed = true;
        context.scope = parent;
        for (int i = nodes.size() - 1; i >= 0; i--) {
            nodes.get(i).release();
        }
        nodes.clear();
        for (int i = tensors.size() - 1; i >= 0; i--) {
            tensors.get(i).closeFromScope();
        }
        tensors.clear();
    }
}
