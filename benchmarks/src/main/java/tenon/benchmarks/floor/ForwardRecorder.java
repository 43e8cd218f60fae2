package tenon.benchmarks.floor;

import java.lang.reflect.InvocationHandler;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Method;
import java.lang.reflect.Parameter;
import java.lang.reflect.Proxy;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Supplier;
import tenon.benchmarks.floor.Op.Value;
import tenon.engine.Context;
import tenon.engine.DType;
import tenon.engine.Scope;
import tenon.engine.Shape;
import tenon.engine.Tensor;
import tenon.engine.backend.Backend;
import tenon.engine.backend.Question;
import tenon.engine.backend.shapes.ShapeBackend;
import tenon.engine.memory.Allocator;
import tenon.engine.memory.MemoryStatistics;
import tenon.engine.memory.Storage;
import tenon.engine.ops.Activation;
import tenon.engine.ops.BatchNormSpec;
import tenon.engine.ops.ConvSpec;
import tenon.engine.ops.Losses;
import tenon.engine.ops.PoolSpec;
import tenon.layers.Module;

/**
 * Runs the forward pass of a network in training mode, loss included, on the shape-only back-end and writes down which ops it calls. Kernel arguments are found by
 * the names of the back-end interfaces' parameters; a kernel that is not known here is an error, so that no op is missing from a floor.
 */
final class ForwardRecorder {
    private final ShapeBackend shapes = new ShapeBackend();
    private final Backend proxy = wrap(Backend.class, "");
    private final List<Op> ops = new ArrayList<>();
    private final Numbers numbers = new Numbers();
    private boolean recording;

    private ForwardRecorder() {}

    /**
     * Ops in the order in which they run.
     *
     * @param network makes the network when called; its output is [N, classes]
     * @param input [N, H, W, C]
     */
    static List<Op> record(Supplier<Module> network, Shape input) {
        ForwardRecorder recorder = new ForwardRecorder();
        try (var _ = Scope.open("floor", recorder.proxy)) {
            Module module = network.get();
            Tensor images = Tensor.empty(input, DType.F32);
            Tensor labels = Tensor.of(new int[input.dim(0)], input.dim(0));
            recorder.recording = true;
            Losses.softmaxCrossEntropy(module.apply(images), labels);
        }
        return List.copyOf(recorder.ops);
    }

    private void record(String kernel, Call call) {
        String layer = Context.get().path();
        switch (kernel) {
            case "convolution.forward" -> {
                Value output = call.beforeActivation();
                ops.add(new Op.Convolution(
                        layer,
                        call.get("spec", ConvSpec.class),
                        call.value("input"),
                        call.get("weight", Tensor.class).shape(),
                        call.has("bias"),
                        output));
                call.activate(layer, output);
            }
            case "dense.forward" -> {
                Value output = call.beforeActivation();
                ops.add(new Op.Dense(
                        layer,
                        call.value("input"),
                        call.get("weight", Tensor.class).shape(),
                        call.has("bias"),
                        output));
                call.activate(layer, output);
            }
            case "normalization.trainForward" -> norm(layer, call);
            case "activation.forward" ->
                ops.add(new Op.Activate(
                        layer, call.get("activation", Activation.class), call.value("input"), call.value("output")));
            case "activation.preluForward" -> ops.add(new Op.PRelu(layer, call.value("input"), call.value("output")));
            case "activation.addForward" -> {
                Value output = call.beforeActivation();
                ops.add(new Op.Add(layer, call.value("a"), call.value("b"), output));
                call.activate(layer, output);
            }
            case "add" -> ops.add(new Op.Add(layer, call.value("a"), call.value("b"), call.value("out")));
            case "pooling.maxForward", "pooling.averageForward" ->
                ops.add(new Op.Pool(
                        layer,
                        kernel.equals("pooling.maxForward"),
                        call.get("spec", PoolSpec.class),
                        call.value("input"),
                        call.value("output")));
            case "channels.copy" -> {
                Value from = call.value("from");
                if (call.get("fromOffset", Integer.class) != 0
                        || call.get("count", Integer.class) != from.shape().dim(-1)) {
                    throw new IllegalStateException("floor: only whole tensors can be copied into a slice: layer="
                            + layer + ", from=" + from.shape());
                }
                ops.add(new Op.CopyInto(layer, from, call.value("to"), call.get("toOffset", Integer.class)));
            }
            case "channels.activate" -> {
                int offset = call.get("toOffset", Integer.class);
                for (Tensor tensor : call.get("from", Tensor[].class)) {
                    Value from = valueOf(tensor);
                    Value activated = call.fused() ? fresh(from.shape()) : from;
                    if (call.fused()) {
                        ops.add(new Op.Activate(layer, call.get("activation", Activation.class), from, activated));
                    }
                    ops.add(new Op.CopyInto(layer, activated, call.value("to"), offset));
                    offset += tensor.shape().dim(-1);
                }
            }
            case "random.dropout" -> ops.add(new Op.Dropout(layer, call.value("input"), call.value("output")));
            case "losses.softmaxCrossEntropyForward" ->
                ops.add(new Op.Softmax(layer.isEmpty() ? "loss" : layer, call.value("logits")));
            case "losses.findBadIndex" -> {
                // It looks at one number per image.
            }
            default ->
                throw new IllegalStateException("floor: this kernel has no translation to oneDNN primitives: kernel="
                        + kernel + ", layer=" + layer + " (add it to ForwardRecorder)");
        }
    }

    /** Batch norm with whatever of shortcut, activation and place in a wider output is fused with it; oneDNN fuses a ReLU alone. */
    private void norm(String layer, Call call) {
        BatchNormSpec spec = call.get("spec", BatchNormSpec.class);
        Value input = call.value("input");
        Value output = call.value("output");
        boolean shortcut = call.has("shortcut");
        boolean relu = spec.activation().kind() == Activation.Kind.RELU && !shortcut;
        boolean activation = spec.activation().kind() != Activation.Kind.NONE && !relu;
        boolean slice = !output.shape().equals(input.shape());
        Value result = shortcut || activation || slice ? fresh(input.shape()) : output;
        ops.add(new Op.Norm(layer, spec.epsilon(), relu, call.has("gamma"), call.has("beta"), input, result));
        if (shortcut) {
            Value sum = activation || slice ? fresh(input.shape()) : output;
            ops.add(new Op.Add(layer, result, call.value("shortcut"), sum));
            result = sum;
        }
        if (activation) {
            Value activated = slice ? fresh(input.shape()) : output;
            ops.add(new Op.Activate(layer, spec.activation(), result, activated));
            result = activated;
        }
        if (slice) {
            ops.add(new Op.CopyInto(layer, result, output, call.get("offset", Integer.class)));
        }
    }

    private static Value valueOf(Tensor tensor) {
        return new Value(tensor.address(), tensor.shape());
    }

    /** What only the parts of a fused op see. */
    private Value fresh(Shape shape) {
        return new Value(numbers.next(), shape);
    }

    private <T> T wrap(Class<T> type, String family) {
        Map<Method, Object> families = new HashMap<>();
        for (Method method : type.getMethods()) {
            Class<?> result = method.getReturnType();
            if (method.getParameterCount() == 0 && result.getSimpleName().endsWith("Kernels")) {
                families.put(method, wrap(result, method.getName() + "."));
            }
        }
        InvocationHandler handler = (_, method, arguments) -> {
            if (families.containsKey(method)) {
                return families.get(method);
            }
            if (method.getReturnType() == Allocator.class) {
                return numbers;
            }
            if (recording
                    && arguments != null
                    && !method.isAnnotationPresent(Question.class)
                    && Arrays.stream(arguments).anyMatch(Tensor.class::isInstance)) {
                record(family + method.getName(), new Call(method, arguments));
            }
            try {
                return method.invoke(shapes, arguments);
            } catch (InvocationTargetException e) {
                throw e.getCause();
            }
        };
        return type.cast(Proxy.newProxyInstance(type.getClassLoader(), new Class<?>[] {type}, handler));
    }

    /** Arguments of a kernel by the names of its parameters. */
    private final class Call {
        private final Map<String, Object> arguments = new HashMap<>();

        Call(Method method, Object[] values) {
            Parameter[] parameters = method.getParameters();
            for (int i = 0; i < parameters.length; i++) {
                arguments.put(parameters[i].getName(), values[i]);
            }
        }

        boolean has(String name) {
            return arguments.get(name) != null;
        }

        <T> T get(String name, Class<T> type) {
            if (!has(name)) {
                throw new IllegalStateException("floor: the kernel must have an argument of that name: name=" + name
                        + ", arguments=" + arguments.keySet() + " (were the interfaces compiled without -parameters?)");
            }
            return type.cast(arguments.get(name));
        }

        Value value(String name) {
            return valueOf(get(name, Tensor.class));
        }

        private boolean fused() {
            return has("activation") && get("activation", Activation.class).kind() != Activation.Kind.NONE;
        }

        /** The output, or what the fused activation reads. */
        Value beforeActivation() {
            Value output = value("output");
            return fused() ? fresh(output.shape()) : output;
        }

        void activate(String layer, Value from) {
            if (fused()) {
                ops.add(new Op.Activate(layer, get("activation", Activation.class), from, value("output")));
            }
        }
    }

    /** Blocks without bytes whose addresses are numbers that no other block has. */
    private static final class Numbers implements Allocator {
        private long last;

        long next() {
            return ++last;
        }

        @Override
        public Storage allocate(long byteSize) {
            Storage storage = new Storage(this, null, next(), byteSize);
            storage.retain();
            return storage;
        }

        @Override
        public void free(Storage storage) {}

        @Override
        public MemoryStatistics statistics() {
            return new MemoryStatistics(0, 0, 0, 0, 0, 0);
        }

        @Override
        public void trim() {}

        @Override
        public void close() {}
    }
}
