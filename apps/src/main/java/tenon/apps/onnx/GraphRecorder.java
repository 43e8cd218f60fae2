package tenon.apps.onnx;

import java.util.ArrayList;
import java.util.Collections;
import java.util.HashMap;
import java.util.IdentityHashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Supplier;
import java.util.stream.IntStream;
import java.util.stream.LongStream;
import java.util.stream.Stream;
import tenon.engine.Context;
import tenon.engine.DType;
import tenon.engine.GradMode;
import tenon.engine.Scope;
import tenon.engine.Shape;
import tenon.engine.TenonException;
import tenon.engine.Tensor;
import tenon.engine.backend.shapes.ShapeBackend;
import tenon.engine.memory.Storage;
import tenon.engine.ops.Activation;
import tenon.engine.ops.BatchNormSpec;
import tenon.engine.ops.ConvSpec;
import tenon.engine.ops.Padding;
import tenon.engine.ops.PoolSpec;
import tenon.engine.trace.KernelCall;
import tenon.engine.trace.TracedBackend;
import tenon.layers.ApplyListener;
import tenon.layers.Module;

/**
 * Runs a network in evaluation mode on the back-end without memory and writes down the kernels that it calls as ONNX operations: a new kind of block needs
 * nothing here, a new kind of kernel does, and is an error until then. Images are [N, H, W, C] in Tenon and [N, C, H, W] in the graph; a flattened image
 * keeps Tenon's order, so that dense weights stay as they are.
 */
final class GraphRecorder {
    /** Hands out storage without memory and never the same twice, so that it can stand for the value in it. */
    private final Map<Storage, Value> values = new IdentityHashMap<>();

    private final Map<Storage, String> weights = new IdentityHashMap<>();
    private final Map<Storage, Join> joins = new IdentityHashMap<>();
    /** Images that have been flattened, by the name of the image. */
    private final Map<String, Value> flattened = new HashMap<>();

    private final List<GraphNode> nodes = new ArrayList<>();
    private final Map<String, Initializer> initializers = new LinkedHashMap<>();
    private final Map<String, Integer> names = new HashMap<>();
    private boolean recording;

    /** @param shape as Tenon has it */
    private record Value(String name, Shape shape) {}

    /** Parts of a concatenation, in the order of their channels. */
    private record Join(List<String> parts, int channels) {}

    private GraphRecorder() {}

    /**
     * @param network makes the network when called
     * @param input [N, H, W, C]; the graph is the same for every N
     */
    static NetworkGraph record(Supplier<Module> network, Shape input) {
        GraphRecorder recorder = new GraphRecorder();
        try (var _ = Scope.open("onnx", TracedBackend.of(new ShapeBackend(), recorder::ran));
                var _ = GradMode.noGrad()) {
            Module root = network.get();
            root.eval();
            root.state().forEach((name, tensor) -> recorder.weights.put(tensor.storage(), name));
            // With a listener, layers run one by one, and what ends a branch is not left to the concatenation.
            root.listen(new Deaf());
            Tensor images = Tensor.empty(input, DType.F32);
            recorder.values.put(images.storage(), new Value(NetworkGraph.INPUT, input));
            recorder.recording = true;
            Tensor result = root.apply(images);
            recorder.recording = false;
            recorder.finish(recorder.value(result));
            return new NetworkGraph(
                    input, result.shape(), List.copyOf(recorder.nodes), List.copyOf(recorder.initializers.values()));
        }
    }

    private record Deaf() implements ApplyListener {
        @Override
        public void before(Module module, Tensor input) {}

        @Override
        public void after(Module module, Tensor input, Tensor output) {}
    }

    /** The last value becomes the graph's output. */
    private void finish(Value result) {
        for (int i = 0; i < nodes.size(); i++) {
            if (nodes.get(i).output().equals(result.name)) {
                nodes.set(i, nodes.get(i).withOutput(NetworkGraph.OUTPUT));
                return;
            }
        }
        throw new TenonException("onnx: the network must compute something: its result is its input");
    }

    // ---- kernels ----

    private record Call(KernelCall kernelCall) {
        <T> T get(String parameter, Class<T> type) {
            int i = kernelCall.kernel().parameters().indexOf(parameter);
            if (i < 0) {
                throw new IllegalStateException(
                        "kernel " + kernelCall.kernel() + " has no parameter '" + parameter + "'");
            }
            return type.cast(kernelCall.arguments()[i]);
        }

        Tensor tensor(String parameter) {
            return get(parameter, Tensor.class);
        }

        int number(String parameter) {
            return get(parameter, Integer.class);
        }
    }

    private void ran(KernelCall kernelCall) {
        if (!recording) {
            return;
        }
        Call call = new Call(kernelCall);
        switch (kernelCall.kernel().name()) {
            case "convolution.forward" -> convolution(call);
            case "dense.forward" -> dense(call);
            case "pooling.maxForward" -> maxPool(call);
            case "pooling.averageForward" -> averagePool(call);
            case "normalization.inferForward" -> norm(call);
            case "activation.forward" ->
                put(call.tensor("output"), activate(call.get("activation", Activation.class), call.tensor("input")));
            case "activation.preluForward" -> prelu(call);
            case "activation.addForward" ->
                put(
                        call.tensor("output"),
                        activate(
                                call.get("activation", Activation.class),
                                node("Add", name(call.tensor("a")), name(call.tensor("b")))));
            case "add" -> addition(call);
            case "channels.copy" -> copy(call);
            case "channels.activate" -> {
                int offset = call.number("toOffset");
                for (Tensor from : call.get("from", Tensor[].class)) {
                    int count = from.shape().dim(-1);
                    join(activate(call.get("activation", Activation.class), from), count, call.tensor("to"), offset);
                    offset += count;
                }
            }
            case "losses.softmaxForward" ->
                put(call.tensor("output"), node("Softmax", List.of(name(call.tensor("input"))), Map.of("axis", 1L)));
            default ->
                throw new TenonException(TenonException.where("onnx") + ": there is no ONNX form of the operation '"
                        + kernelCall.kernel().name() + "' yet");
        }
    }

    private void convolution(Call call) {
        ConvSpec spec = call.get("spec", ConvSpec.class);
        Shape filters = call.tensor("weight").shape();
        List<String> inputs = new ArrayList<>();
        inputs.add(name(call.tensor("input")));
        inputs.add(weight(
                call.tensor("weight"),
                Initializer.Order.CHANNELS_FIRST,
                filters.dim(0),
                filters.dim(3),
                filters.dim(1),
                filters.dim(2)));
        if (call.tensor("bias") != null) {
            inputs.add(vector(call.tensor("bias")));
        }
        Map<String, Object> attributes = new LinkedHashMap<>();
        attributes.put("kernel_shape", longs(filters.dim(1), filters.dim(2)));
        attributes.put("strides", longs(spec.strideH(), spec.strideW()));
        attributes.put("pads", pads(spec.padding()));
        attributes.put("dilations", longs(spec.dilationH(), spec.dilationW()));
        attributes.put("group", (long) spec.groups());
        String sum = node("Conv", inputs, attributes);
        put(call.tensor("output"), activate(call.get("activation", Activation.class), sum));
    }

    private void dense(Call call) {
        Shape rows = call.tensor("weight").shape();
        List<String> inputs = new ArrayList<>();
        inputs.add(name(call.tensor("input")));
        inputs.add(weight(call.tensor("weight"), Initializer.Order.SAME, rows.dim(0), rows.dim(1)));
        if (call.tensor("bias") != null) {
            inputs.add(vector(call.tensor("bias")));
        }
        String sum = node("Gemm", inputs, Map.of("transB", 1L));
        put(call.tensor("output"), activate(call.get("activation", Activation.class), sum));
    }

    private void maxPool(Call call) {
        PoolSpec spec = call.get("spec", PoolSpec.class);
        put(
                call.tensor("output"),
                node(
                        "MaxPool",
                        List.of(name(call.tensor("input"))),
                        window(
                                spec,
                                poolPadding(
                                        spec,
                                        call.tensor("input").shape(),
                                        call.tensor("output").shape()))));
    }

    private void averagePool(Call call) {
        PoolSpec spec = call.get("spec", PoolSpec.class);
        Shape input = call.tensor("input").shape();
        Shape output = call.tensor("output").shape();
        if (spec.kernelH() == input.dim(1)
                && spec.kernelW() == input.dim(2)
                && spec.padding().equals(Padding.NONE)) {
            put(call.tensor("output"), node("GlobalAveragePool", name(call.tensor("input"))));
            return;
        }
        Padding padding = poolPadding(spec, input, output);
        if (spec.countPadding() && !padding.equals(spec.padding())) {
            throw new TenonException(TenonException.where("onnx")
                    + ": there is no ONNX form of an average in ceil mode that counts padding: pool=" + spec);
        }
        Map<String, Object> attributes = window(spec, padding);
        attributes.put("count_include_pad", spec.countPadding() ? 1L : 0L);
        put(call.tensor("output"), node("AveragePool", List.of(name(call.tensor("input"))), attributes));
    }

    private static Map<String, Object> window(PoolSpec spec, Padding padding) {
        Map<String, Object> attributes = new LinkedHashMap<>();
        attributes.put("kernel_shape", longs(spec.kernelH(), spec.kernelW()));
        attributes.put("strides", longs(spec.strideH(), spec.strideW()));
        attributes.put("pads", pads(padding));
        return attributes;
    }

    /** Runtimes disagree about ceil mode; the padding at which the floor gives the same size means the same everywhere. */
    private static Padding poolPadding(PoolSpec spec, Shape input, Shape output) {
        Padding given = spec.padding();
        if (!spec.ceilMode()) {
            return given;
        }
        int bottom = (output.dim(1) - 1) * spec.strideH() + spec.kernelH() - input.dim(1) - given.top();
        int right = (output.dim(2) - 1) * spec.strideW() + spec.kernelW() - input.dim(2) - given.left();
        return new Padding(given.top(), Math.max(given.bottom(), bottom), given.left(), Math.max(given.right(), right));
    }

    private void norm(Call call) {
        BatchNormSpec spec = call.get("spec", BatchNormSpec.class);
        Tensor mean = call.tensor("runningMean");
        Tensor gamma = call.tensor("gamma");
        String frozen = weights.get(mean.storage()).replaceFirst("runningMean$", "gamma");
        String sum = node(
                "BatchNormalization",
                List.of(
                        name(call.tensor("input")),
                        gamma == null ? ones(frozen, mean.shape().dim(0)) : vector(gamma),
                        vector(call.tensor("beta")),
                        vector(mean),
                        vector(call.tensor("runningVariance"))),
                Map.of("epsilon", (float) spec.epsilon()));
        if (call.tensor("shortcut") != null) {
            sum = node("Add", sum, name(call.tensor("shortcut")));
        }
        String result = activate(spec.activation(), sum);
        int channels = mean.shape().dim(0);
        join(result, channels, call.tensor("output"), call.number("offset"));
    }

    private void prelu(Call call) {
        Tensor input = call.tensor("input");
        int channels = call.tensor("slope").shape().dim(0);
        String slope = input.shape().rank() == 4
                ? weight(call.tensor("slope"), Initializer.Order.SAME, channels, 1, 1)
                : vector(call.tensor("slope"));
        put(call.tensor("output"), node("PRelu", name(input), slope));
    }

    private void addition(Call call) {
        Tensor a = call.tensor("a");
        Tensor b = call.tensor("b");
        if (!a.shape().equals(b.shape())) {
            throw new TenonException(TenonException.where("onnx") + ": there is no ONNX form of a sum with broadcasting"
                    + " yet: a=" + a.shape() + ", b=" + b.shape());
        }
        put(call.tensor("out"), node("Add", name(a), name(b)));
    }

    private String activate(Activation activation, Tensor input) {
        return activate(activation, name(input));
    }

    private String activate(Activation activation, String input) {
        return switch (activation.kind()) {
            case NONE -> input;
            case RELU -> node("Relu", input);
            case RELU6 -> node("Clip", input, number("zero", 0), number("six", 6));
            case LEAKY_RELU -> node("LeakyRelu", List.of(input), Map.of("alpha", activation.alpha()));
            case ELU -> node("Elu", List.of(input), Map.of("alpha", activation.alpha()));
            case SIGMOID -> node("Sigmoid", input);
            case TANH -> node("Tanh", input);
        };
    }

    // ---- channels ----

    private void copy(Call call) {
        Tensor from = call.tensor("from");
        int offset = call.number("fromOffset");
        int count = call.number("count");
        String part = name(from);
        if (count != from.shape().dim(-1)) {
            part = node(
                    "Slice",
                    part,
                    integers("from" + offset, offset),
                    integers("to" + (offset + count), offset + count),
                    integers("axis1", 1));
        }
        join(part, count, call.tensor("to"), call.number("toOffset"));
    }

    /** Puts a value into a range of channels; the last range completes the concatenation. */
    private void join(String part, int count, Tensor to, int offset) {
        int channels = to.shape().dim(-1);
        if (offset == 0 && count == channels) {
            put(to, part);
            return;
        }
        Join before = joins.getOrDefault(to.storage(), new Join(List.of(), 0));
        if (before.channels != offset) {
            throw new IllegalStateException("onnx: ranges of a concatenation come in their order: expected="
                    + before.channels + ", given=" + offset);
        }
        List<String> parts =
                Stream.concat(before.parts.stream(), Stream.of(part)).toList();
        joins.put(to.storage(), new Join(parts, offset + count));
        if (offset + count == channels) {
            put(to, node("Concat", parts, Map.of("axis", 1L)));
        }
    }

    // ---- values ----

    private void put(Tensor output, String name) {
        values.put(output.storage(), new Value(name, output.shape()));
    }

    private String name(Tensor tensor) {
        return value(tensor).name;
    }

    private Value value(Tensor tensor) {
        Value value = values.get(tensor.storage());
        if (value == null) {
            throw new TenonException(TenonException.where("onnx")
                    + ": the operation uses a tensor that is neither computed from the input nor a weight: shape="
                    + tensor.shape());
        }
        if (tensor.shape().equals(value.shape)) {
            return value;
        }
        if (value.shape.rank() != 4
                || tensor.shape().rank() != 2
                || tensor.shape().dim(0) != value.shape.dim(0)) {
            throw new TenonException(
                    TenonException.where("onnx") + ": there is no ONNX form of a reshape other than the"
                            + " flattening of images: from=" + value.shape + ", to=" + tensor.shape());
        }
        return flattened.computeIfAbsent(value.name, _ -> flatten(value, tensor.shape()));
    }

    private Value flatten(Value image, Shape shape) {
        boolean onePixel = image.shape.dim(1) == 1 && image.shape.dim(2) == 1;
        // Flattened in the order row, column, channel, as the weights behind it expect.
        String rows = onePixel || image.shape.dim(3) == 1
                ? image.name
                : node("Transpose", List.of(image.name), Map.of("perm", longs(0, 2, 3, 1)));
        return new Value(node("Flatten", List.of(rows), Map.of("axis", 1L)), shape);
    }

    private String node(String type, String... inputs) {
        return node(type, List.of(inputs), Map.of());
    }

    private String node(String type, List<String> inputs, Map<String, Object> attributes) {
        String path = Context.get().path();
        String wanted = (path.isEmpty() ? "" : path + "/") + type;
        int uses = names.merge(wanted, 1, Integer::sum);
        String name = uses == 1 ? wanted : wanted + "_" + uses;
        nodes.add(new GraphNode(name, type, List.copyOf(inputs), name, attributes));
        return name;
    }

    private String vector(Tensor tensor) {
        return weight(tensor, Initializer.Order.SAME, tensor.shape().dim(0));
    }

    private String weight(Tensor tensor, Initializer.Order order, int... shape) {
        String source = weights.get(tensor.storage());
        if (source == null) {
            throw new TenonException(TenonException.where("onnx")
                    + ": the operation has a weight that is none of the network's parameters: shape=" + tensor.shape());
        }
        return constant(new Initializer(source, longs(shape), order, source, null));
    }

    private String ones(String name, int count) {
        return constant(new Initializer(name, longs(count), Initializer.Order.ONES, null, null));
    }

    private String integers(String name, long... numbers) {
        List<Long> list = LongStream.of(numbers).boxed().toList();
        return constant(new Initializer("constant/" + name, longs(numbers.length), Initializer.Order.SAME, null, list));
    }

    /** A single real number. */
    private String number(String name, long value) {
        return constant(new Initializer("constant/" + name, List.of(), Initializer.Order.SAME, null, List.of(value)));
    }

    private String constant(Initializer wanted) {
        Initializer known = initializers.putIfAbsent(wanted.name(), wanted);
        if (known != null && !known.equals(wanted)) {
            throw new TenonException(
                    TenonException.where("onnx") + ": a weight is used in two shapes: " + known + ", " + wanted);
        }
        return wanted.name();
    }

    private static List<Long> longs(int... numbers) {
        return IntStream.of(numbers).asLongStream().boxed().toList();
    }

    private static List<Long> pads(Padding padding) {
        return Collections.unmodifiableList(longs(padding.top(), padding.left(), padding.bottom(), padding.right()));
    }
}
