package tenon.layers;

import java.util.ArrayList;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Consumer;
import java.util.function.Supplier;
import java.util.function.UnaryOperator;
import tenon.engine.Context;
import tenon.engine.DType;
import tenon.engine.GradMode;
import tenon.engine.Precision;
import tenon.engine.Scope;
import tenon.engine.Tensor;
import tenon.engine.ops.Activation;
import tenon.engine.ops.Activations;
import tenon.engine.ops.Casts;
import tenon.engine.ops.ConcatBranch;

/**
 * A layer, or a network of layers. A subclass registers what it consists of in its constructor and computes in {@link #forward}, in plain Java:
 *
 * <pre>{@code
 * final class Block extends Module {
 *     private final Conv2d conv = child("conv", new Conv2d(64, 64, 3, 1, 1));
 *     private final BatchNorm bn = child("bn", new BatchNorm(64));
 *
 *     protected Tensor forward(Tensor input) {
 *         return Arithmetic.add(input, bn.apply(conv.apply(input)));
 *     }
 * }
 * }</pre>
 *
 * Children, parameters and buffers keep their order of registration; their dotted names from the root are the keys of checkpoints and name the
 * layer in error messages. Parameters live in the scope that was current when the layer was constructed. A new module is in training mode. Not
 * thread-safe.
 */
public abstract class Module {
    private final Map<String, Module> children = new LinkedHashMap<>();
    private final Map<String, Parameter> parameters = new LinkedHashMap<>();
    private final Map<String, Buffer> buffers = new LinkedHashMap<>();
    private Module parent;
    private String name = "";
    private String path;
    private boolean training = true;
    private Precision precision = Precision.FP32;
    private ApplyListener listener;

    /**
     * The layer's computation. What it allocates is closed when it returns, except for the result and what the tape saved. It may return its
     * input or a tensor of an outer scope.
     */
    protected abstract Tensor forward(Tensor input);

    /**
     * Appends what this layer computes in evaluation mode to a chain that is only used for inference ({@link InferenceForm}). A layer overrides it where
     * it can be merged with its neighbours, or consists of layers that can.
     */
    protected void appendTo(InferenceChain chain) {
        chain.add(this, this::apply);
    }

    /** Runs the layer; the result belongs to the current scope. */
    public final Tensor apply(Tensor input) {
        if (listener != null) {
            listener.before(this, input);
        }
        Scope caller = Scope.current();
        Context context = Context.get();
        String outerPath = context.path();
        context.setPath(path());
        Tensor output;
        try (Scope local = Scope.openLocal(path)) {
            output = precision == Precision.FP32 ? forward(input) : forwardIn(precision.dtype(), input);
            handOver(output, local, caller);
        } finally {
            context.setPath(outerPath);
        }
        if (listener != null) {
            listener.after(this, input, output);
        }
        return output;
    }

    /**
     * Runs the layer as a branch of a concatenation: an activation or batch norm that ends it is left to {@link
     * tenon.engine.ops.Channels#join}, which saves a pass over memory. With a listener, or in a precision of its own, the layer runs as in
     * {@link #apply}.
     */
    public final ConcatBranch applyAsBranch(Tensor input) {
        if (!mayFuse()) {
            return ConcatBranch.of(apply(input));
        }
        Context context = Context.get();
        String outerPath = context.path();
        context.setPath(path());
        try {
            return branch(input);
        } finally {
            context.setPath(outerPath);
        }
    }

    /**
     * activation(apply(input) + shortcut); a batch norm that ends the layer does it in its own pass where it can.
     *
     * @param shortcut of the result's shape
     */
    public Tensor applyAdding(Tensor input, Tensor shortcut, Activation activation) {
        return Activations.addActivation(apply(input), shortcut, activation);
    }

    /** {@link #applyAsBranch}, for layers that leave something to the concatenation. */
    ConcatBranch branch(Tensor input) {
        return ConcatBranch.of(apply(input));
    }

    private Tensor forwardIn(DType dtype, Tensor input) {
        return Casts.cast(forward(Casts.cast(input, dtype)), input.dtype());
    }

    /**
     * Runs a computation with several results as {@link #apply} runs {@link #forward}: for public methods of networks with several inputs or
     * outputs.
     */
    protected final Tensor[] scoped(Supplier<Tensor[]> computation) {
        Scope caller = Scope.current();
        Context context = Context.get();
        String outerPath = context.path();
        context.setPath(path());
        try (Scope local = Scope.openLocal(path)) {
            Tensor[] outputs = computation.get();
            for (Tensor output : outputs) {
                handOver(output, local, caller);
            }
            return outputs;
        } finally {
            context.setPath(outerPath);
        }
    }

    /** One step of an {@link InferenceChain}: what {@link #apply} does around {@link #forward}. */
    static Tensor inLocalScope(String path, UnaryOperator<Tensor> computation, Tensor input) {
        Scope caller = Scope.current();
        Context context = Context.get();
        String outerPath = context.path();
        context.setPath(path);
        try (Scope local = Scope.openLocal(path)) {
            Tensor output = computation.apply(input);
            handOver(output, local, caller);
            return output;
        } finally {
            context.setPath(outerPath);
        }
    }

    private static void handOver(Tensor output, Scope local, Scope caller) {
        if (output.scope() == local) {
            output.moveTo(caller);
        }
    }

    /**
     * Runs the next layer of a chain and closes {@code x} when it is an intermediate result of the running {@link #forward}: what the tape saved
     * lives on.
     */
    protected static Tensor next(Module layer, Tensor x) {
        Tensor result = layer.apply(x);
        if (result != x && x.scope() == Scope.current()) {
            x.close();
        }
        return result;
    }

    // ---- building ----

    /** Registers a child. Returns it. */
    protected final <M extends Module> M child(String childName, M module) {
        checkName(childName);
        Module m = module;
        if (m.parent != null) {
            throw new IllegalArgumentException("module: a module has one parent: name=" + childName + ", module="
                    + m.type() + ", already '" + m.path() + "' (register it once, and apply it as often as needed)");
        }
        for (Module ancestor = this; ancestor != null; ancestor = ancestor.parent) {
            if (ancestor == m) {
                throw new IllegalArgumentException(
                        "module: a module cannot contain itself: name=" + childName + ", module=" + m.type());
            }
        }
        m.parent = this;
        m.name = childName;
        m.walk(inner -> inner.path = null);
        children.put(childName, m);
        return module;
    }

    /** Registers a parameter that is trained; see {@link Parameter} for {@code decays}. Returns it. */
    protected final Parameter parameter(String parameterName, Tensor value, boolean decays) {
        checkName(parameterName);
        Parameter parameter = new Parameter(parameterName, value, decays);
        parameter.ownedBy(this);
        parameters.put(parameterName, parameter);
        return parameter;
    }

    /** Registers a buffer. Returns it. */
    protected final Buffer buffer(String bufferName, Tensor value) {
        checkName(bufferName);
        Buffer buffer = new Buffer(bufferName, value);
        buffer.ownedBy(this);
        buffers.put(bufferName, buffer);
        return buffer;
    }

    private void checkName(String wanted) {
        if (wanted.isEmpty() || wanted.indexOf('.') >= 0) {
            throw new IllegalArgumentException(
                    "module: a name must be non-empty and without dots: name='" + wanted + "', in=" + type());
        }
        if (children.containsKey(wanted) || parameters.containsKey(wanted) || buffers.containsKey(wanted)) {
            throw new IllegalArgumentException(
                    "module: names must differ: name='" + wanted + "' is taken in " + type());
        }
    }

    // ---- names ----

    /** Dotted name from the root, empty for the root itself. */
    public final String path() {
        if (path == null) {
            path = parent == null ? "" : parent.dotted(name);
        }
        return path;
    }

    final String dotted(String localName) {
        return path().isEmpty() ? localName : path() + "." + localName;
    }

    /** Class name without package, as tables show it. */
    public final String type() {
        return getClass().getSimpleName();
    }

    /** Type in summaries, with an activation that the layer has in itself. */
    String summaryType() {
        return type();
    }

    /** Children by their local names. */
    public final Map<String, Module> children() {
        return Collections.unmodifiableMap(children);
    }

    /** The descendant of that dotted name relative to this module; the empty name is this module. */
    public final Module module(String dottedName) {
        Module found = this;
        if (!dottedName.isEmpty()) {
            for (String part : dottedName.split("\\.", -1)) {
                Module next = found.children.get(part);
                if (next == null) {
                    throw new IllegalArgumentException(
                            "module: no module of that name: name='" + dottedName + "', missing='" + part
                                    + "', children of '" + found.path() + "'=" + found.children.keySet());
                }
                found = next;
            }
        }
        return found;
    }

    // ---- state ----

    /** All parameters, this module's own first, then each child's. */
    public final List<Parameter> parameters() {
        List<Parameter> all = new ArrayList<>();
        walk(module -> all.addAll(module.parameters.values()));
        return all;
    }

    public final List<Buffer> buffers() {
        List<Buffer> all = new ArrayList<>();
        walk(module -> all.addAll(module.buffers.values()));
        return all;
    }

    /** Parameters by dotted name, in the order of {@link #parameters}. */
    public final Map<String, Parameter> namedParameters() {
        Map<String, Parameter> named = new LinkedHashMap<>();
        parameters().forEach(parameter -> named.put(parameter.name(), parameter));
        return named;
    }

    /** Buffers by dotted name. */
    public final Map<String, Buffer> namedBuffers() {
        Map<String, Buffer> named = new LinkedHashMap<>();
        buffers().forEach(buffer -> named.put(buffer.name(), buffer));
        return named;
    }

    /** Values of all parameters and buffers by dotted name, module by module: what a checkpoint holds. */
    public final Map<String, Tensor> state() {
        Map<String, Tensor> state = new LinkedHashMap<>();
        walk(module -> {
            module.parameters.values().forEach(parameter -> state.put(parameter.name(), parameter.value()));
            module.buffers.values().forEach(buffer -> state.put(buffer.name(), buffer.value()));
        });
        return state;
    }

    /** Elements of all parameters and buffers, frozen or not: Keras's "total params". */
    public final long parameterCount() {
        return state().values().stream().mapToLong(Tensor::elementCount).sum();
    }

    /** Elements of the parameters that are not frozen; buffers are not trainable. */
    public final long trainableCount() {
        return parameters().stream()
                .filter(Parameter::trainable)
                .mapToLong(parameter -> parameter.value().elementCount())
                .sum();
    }

    /** Elements of this layer's own parameters that are constants and therefore kept nowhere. */
    long constantCount() {
        return 0;
    }

    final Iterable<Parameter> ownParameters() {
        return parameters.values();
    }

    final Iterable<Buffer> ownBuffers() {
        return buffers.values();
    }

    /** Forgets all gradients; costs nothing. */
    public final void zeroGrad() {
        walk(module -> module.parameters
                .values()
                .forEach(parameter -> parameter.value().zeroGrad()));
    }

    /**
     * Stops training the parameters whose dotted name is {@code prefix} or starts with it and a dot; the empty prefix means all. Running
     * statistics still move in training mode, see {@link BatchNorm#fixStatistics}.
     */
    public final void freeze(String prefix) {
        setTrainable(prefix, false);
    }

    /** Undoes {@link #freeze}. */
    public final void unfreeze(String prefix) {
        setTrainable(prefix, true);
    }

    private void setTrainable(String prefix, boolean trainable) {
        boolean found = false;
        for (Parameter parameter : parameters()) {
            String dotted = parameter.name();
            if (prefix.isEmpty() || dotted.equals(prefix) || dotted.startsWith(prefix + ".")) {
                parameter.setTrainable(trainable);
                found = true;
            }
        }
        if (!found) {
            throw new IllegalArgumentException("module: no parameter of that name or prefix: prefix='" + prefix
                    + "', parameters=" + namedParameters().keySet());
        }
    }

    /** Replaces all parameters and buffers by copies of another floating dtype; call it before anything refers to their tensors. */
    public final void convertTo(DType dtype) {
        walk(module -> {
            module.parameters.values().forEach(parameter -> parameter.convertTo(dtype));
            module.buffers.values().forEach(buffer -> buffer.convertTo(dtype));
        });
    }

    static Tensor converted(Tensor value, DType dtype) {
        if (value.dtype() == dtype) {
            return value;
        }
        try (var _ = GradMode.noGrad()) {
            Tensor copy = Casts.cast(value, dtype).moveTo(value.scope());
            value.close();
            return copy;
        }
    }

    // ---- mode ----

    /** Training mode for this module and all below: dropout drops, batch norm uses the batch's statistics. */
    public final void train() {
        walk(module -> module.training = true);
    }

    /** Evaluation mode: dropout is the identity, batch norm uses the running statistics. */
    public final void eval() {
        walk(module -> module.training = false);
    }

    public final boolean isTraining() {
        return training;
    }

    /**
     * The precision in which this module, with all below, computes: with {@link Precision#BF16}, {@link #apply} casts its input to BF16, every layer
     * follows its input's dtype, and the result is cast back. Parameters and buffers stay as they are. Meant for the root of a network.
     */
    public final void computeIn(Precision newPrecision) {
        precision = newPrecision;
    }

    public final Precision precision() {
        return precision;
    }

    /** Has every {@link #apply} of this module and all below reported to {@code newListener}; null ends it. */
    public final void listen(ApplyListener newListener) {
        walk(module -> module.listener = newListener);
    }

    /** Has this module alone reported to another listener; returns the one it had. */
    final ApplyListener exchangeListener(ApplyListener newListener) {
        ApplyListener old = listener;
        listener = newListener;
        return old;
    }

    /** Whether this layer's op may run as a part of another: nobody listens, and it has no precision of its own. */
    final boolean mayFuse() {
        return listener == null && precision == Precision.FP32;
    }

    /** Visits this module, then its children, depth first. */
    public final void walk(Consumer<Module> visitor) {
        visitor.accept(this);
        for (Module child : children.values()) {
            child.walk(visitor);
        }
    }

    // ---- text ----

    /** The settings of this layer in one line, for {@link #toString}; empty if it has none. */
    protected String settings() {
        return "";
    }

    /** The tree of layers with their settings, one a line. */
    @Override
    public final String toString() {
        if (children.isEmpty()) {
            return type() + "(" + settings() + ")";
        }
        UnaryOperator<String> indented = text -> text.replace("\n", "\n  ");
        StringBuilder out = new StringBuilder(type()).append('(').append(settings());
        children.forEach((childName, child) ->
                out.append("\n  (").append(childName).append("): ").append(indented.apply(child.toString())));
        return out.append("\n)").toString();
    }
}
