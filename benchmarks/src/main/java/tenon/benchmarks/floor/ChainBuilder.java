package tenon.benchmarks.floor;

import static org.bytedeco.dnnl.global.dnnl.*;

import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.bytedeco.dnnl.dnnl_memory_desc;
import org.bytedeco.dnnl.dnnl_primitive_desc;
import tenon.benchmarks.floor.OneDnn.Argument;
import tenon.benchmarks.floor.Op.Value;
import tenon.engine.DType;
import tenon.engine.Shape;
import tenon.engine.Tensor;
import tenon.engine.ops.Activation;
import tenon.engine.ops.ConvSpec;
import tenon.engine.ops.Padding;
import tenon.engine.ops.PoolSpec;

/**
 * Translates recorded ops to oneDNN primitives. Activations and their gradients are dense NHWC; every op has an output buffer and gradient buffers of its own, and no op is
 * fused with another but batch norm with its ReLU. A convolution's weight lives in the layout that its weight gradient has; its forward and data-gradient primitives get
 * copies in theirs, made anew in every step, since every step changes the weight. In BF16, weights, gradients of weights, biases and everything of batch norm's parameters are F32.
 */
final class ChainBuilder {
    /** Shared when it is the gradient of several values: then it must not be added to in place. */
    private record Gradient(Tensor buffer, boolean shared) {}

    private final OneDnn dnnl;
    private final Buffers buffers;
    private final DType type;
    private final Map<Long, Tensor> values = new HashMap<>();
    private final Map<Long, Gradient> gradients = new HashMap<>();
    private final List<Step> steps = new ArrayList<>();
    private final Deque<Runnable> backwards = new ArrayDeque<>();
    private final List<Chain.Parameter> parameters = new ArrayList<>();
    private long input;

    private ChainBuilder(OneDnn dnnl, Buffers buffers, DType type) {
        this.dnnl = dnnl;
        this.buffers = buffers;
        this.type = type;
    }

    /**
     * @param ops in the order of the forward pass; the network's input is the first op's
     * @param type of the activations: F32 or BF16
     */
    static Chain build(OneDnn dnnl, Buffers buffers, DType type, List<Op> ops) {
        ChainBuilder builder = new ChainBuilder(dnnl, buffers, type);
        builder.begin(ops.getFirst());
        ops.forEach(builder::translate);
        builder.backwards.forEach(Runnable::run);
        dnnl.useScratchpad(buffers.bytes(dnnl.scratchpadBytes()).address());
        return new Chain(List.copyOf(builder.steps), List.copyOf(builder.parameters));
    }

    private void begin(Op first) {
        Value images = switch (first) {
            case Op.Convolution op -> op.input();
            case Op.Dense op -> op.input();
            case Op.Norm op -> op.input();
            default -> throw new IllegalStateException("floor: a network must not begin with " + first);
        };
        input = images.id();
        values.put(input, noise(images.shape(), 1));
    }

    private void translate(Op op) {
        switch (op) {
            case Op.Convolution convolution -> convolution(convolution);
            case Op.Dense dense -> dense(dense);
            case Op.Norm norm -> norm(norm);
            case Op.Activate activate -> activate(activate);
            case Op.PRelu prelu -> prelu(prelu);
            case Op.Pool pool -> pool(pool);
            case Op.Add add -> add(add);
            case Op.CopyInto copy -> copyInto(copy);
            case Op.Dropout dropout -> dropout(dropout);
            case Op.Softmax softmax -> softmax(softmax);
        }
    }

    // ---- buffers ----

    private Tensor buffer(Shape shape) {
        return buffers.bytes(shape.elementCount() * type.byteSize());
    }

    private Tensor noise(Shape shape, double standardDeviation) {
        Tensor noise = buffers.noise(shape.elementCount(), standardDeviation);
        if (type == DType.F32) {
            return noise;
        }
        Tensor narrow = buffer(shape);
        dnnl.reorder(image(DType.F32, shape), noise.address(), image(type, shape), narrow.address())
                .run();
        return narrow;
    }

    private Tensor value(Value value) {
        Tensor found = values.get(value.id());
        if (found == null) {
            throw new IllegalStateException("floor: an op reads what no recorded op wrote: shape=" + value.shape());
        }
        return found;
    }

    /** The buffer of an output; a concatenation asks once for each of its inputs. */
    private Tensor output(Value value) {
        return values.computeIfAbsent(value.id(), _ -> buffer(value.shape()));
    }

    private boolean wantsGradient(Value value) {
        return value.id() != input;
    }

    private Tensor gradient(Value value) {
        Gradient found = gradients.get(value.id());
        if (found == null) {
            throw new IllegalStateException("floor: nothing flows back into a value: shape=" + value.shape());
        }
        return found.buffer();
    }

    /** Takes a gradient of a value that other ops may have read too. */
    private void deliver(String layer, Value value, Tensor buffer, boolean shared) {
        Gradient present = gradients.get(value.id());
        if (present == null) {
            gradients.put(value.id(), new Gradient(buffer, shared));
            return;
        }
        Tensor sum = present.shared() ? buffer(value.shape()) : present.buffer();
        binaryAdd("add gradients", layer, value.shape(), present.buffer(), buffer, sum);
        gradients.put(value.id(), new Gradient(sum, false));
    }

    // ---- descriptors ----

    /** [N, H, W, C] in oneDNN's order of dimensions N, C, H, W; other ranks as N, C, rest, 1. */
    private dnnl_memory_desc image(DType dtype, Shape shape) {
        return slice(dtype, shape, shape.dim(-1));
    }

    /** {@code shape} as a range of channels of an image with {@code channels} channels. */
    private dnnl_memory_desc slice(DType dtype, Shape shape, long channels) {
        boolean square = shape.rank() == 4;
        long n = shape.dim(0);
        long w = square ? shape.dim(2) : 1;
        long h = shape.outerCount() / n / w;
        return dnnl.strided(
                dtype, new long[] {n, shape.dim(-1), h, w}, new long[] {h * w * channels, 1, w * channels, channels});
    }

    // ---- steps ----

    private void step(String family, String layer, Shape shape, Primitive primitive, long flops, long bytes) {
        steps.add(new Step(family, layer, shape.toString(), primitive, flops, bytes));
    }

    private void step(
            String family,
            String layer,
            Shape shape,
            long flops,
            dnnl_primitive_desc descriptor,
            List<Argument> arguments) {
        Primitive primitive = dnnl.primitive(descriptor, arguments);
        step(family, layer, shape, primitive, flops, primitive.bytes());
    }

    /** The weight at {@code from} in another layout, or the same memory where the layouts are equal. */
    private Tensor inLayout(String layer, Tensor from, dnnl_memory_desc fromLayout, dnnl_memory_desc toLayout) {
        if (OneDnn.equal(fromLayout, toLayout)) {
            return from;
        }
        Tensor to = buffers.bytes(OneDnn.byteSize(toLayout));
        Primitive reorder = dnnl.reorder(fromLayout, from.address(), toLayout, to.address());
        step("weight reorder", layer, from.shape(), reorder, 0, reorder.bytes());
        return to;
    }

    private Chain.Parameter parameter(Tensor value) {
        long count = value.elementCount();
        Chain.Parameter parameter = new Chain.Parameter(value, buffers.floats(count), buffers.floats(count));
        parameters.add(parameter);
        return parameter;
    }

    // ---- ops ----

    private void convolution(Op.Convolution op) {
        ConvSpec spec = op.spec();
        Padding padding = spec.padding();
        long[] strides = {spec.strideH(), spec.strideW()};
        long[] dilations = {spec.dilationH() - 1, spec.dilationW() - 1};
        long[] before = {padding.top(), padding.left()};
        long[] after = {padding.bottom(), padding.right()};
        Shape in = op.input().shape();
        Shape out = op.output().shape();
        long k = op.weight().dim(0);
        long groups = spec.groups();
        long[] dims = groups == 1
                ? new long[] {
                    k, op.weight().dim(3), op.weight().dim(1), op.weight().dim(2)
                }
                : new long[] {
                    groups,
                    k / groups,
                    op.weight().dim(3),
                    op.weight().dim(1),
                    op.weight().dim(2)
                };
        dnnl_memory_desc source = image(type, in);
        dnnl_memory_desc destination = image(type, out);
        dnnl_memory_desc anyWeight = dnnl.any(type, dims);
        dnnl_memory_desc bias = op.bias() ? dnnl.plain(DType.F32, k) : null;

        dnnl_primitive_desc forward = new dnnl_primitive_desc();
        dnnl.created(
                dnnl_convolution_forward_primitive_desc_create(
                        forward,
                        dnnl.engine,
                        dnnl_forward_training,
                        dnnl_convolution_direct,
                        source,
                        anyWeight,
                        bias,
                        destination,
                        strides,
                        dilations,
                        before,
                        after,
                        dnnl.attributes),
                "dnnl_convolution_forward_primitive_desc_create",
                forward);
        dnnl_primitive_desc weights = new dnnl_primitive_desc();
        dnnl.created(
                dnnl_convolution_backward_weights_primitive_desc_create(
                        weights,
                        dnnl.engine,
                        dnnl_convolution_direct,
                        source,
                        dnnl.any(DType.F32, dims),
                        bias,
                        destination,
                        strides,
                        dilations,
                        before,
                        after,
                        forward,
                        dnnl.attributes),
                "dnnl_convolution_backward_weights_primitive_desc_create",
                weights);

        dnnl_memory_desc masterLayout = OneDnn.layout(weights, DNNL_ARG_DIFF_WEIGHTS);
        Chain.Parameter weight = parameter(convolutionWeight(dims, masterLayout));
        Chain.Parameter biases = op.bias() ? parameter(buffers.floats(k)) : null;
        Tensor input = value(op.input());
        Tensor output = output(op.output());

        Tensor forwardWeight =
                inLayout(op.layer(), weight.value(), masterLayout, OneDnn.layout(forward, DNNL_ARG_WEIGHTS));
        List<Argument> arguments = new ArrayList<>(List.of(
                Argument.of(DNNL_ARG_SRC, input),
                Argument.of(DNNL_ARG_WEIGHTS, forwardWeight),
                Argument.of(DNNL_ARG_DST, output)));
        if (op.bias()) {
            arguments.add(Argument.of(DNNL_ARG_BIAS, biases.value()));
        }
        step("conv forward", op.layer(), larger(in, out), op.flops(), forward, arguments);

        backwards.push(() -> {
            Tensor gradOutput = gradient(op.output());
            if (wantsGradient(op.input())) {
                dnnl_primitive_desc data = new dnnl_primitive_desc();
                dnnl.created(
                        dnnl_convolution_backward_data_primitive_desc_create(
                                data,
                                dnnl.engine,
                                dnnl_convolution_direct,
                                source,
                                anyWeight,
                                destination,
                                strides,
                                dilations,
                                before,
                                after,
                                forward,
                                dnnl.attributes),
                        "dnnl_convolution_backward_data_primitive_desc_create",
                        data);
                Tensor dataWeight =
                        inLayout(op.layer(), weight.value(), masterLayout, OneDnn.layout(data, DNNL_ARG_WEIGHTS));
                Tensor gradInput = buffer(in);
                step(
                        "conv backward data",
                        op.layer(),
                        larger(in, out),
                        op.flops(),
                        data,
                        List.of(
                                Argument.of(DNNL_ARG_DIFF_DST, gradOutput),
                                Argument.of(DNNL_ARG_WEIGHTS, dataWeight),
                                Argument.of(DNNL_ARG_DIFF_SRC, gradInput)));
                deliver(op.layer(), op.input(), gradInput, false);
            }
            List<Argument> results = new ArrayList<>(List.of(
                    Argument.of(DNNL_ARG_SRC, input),
                    Argument.of(DNNL_ARG_DIFF_DST, gradOutput),
                    Argument.of(DNNL_ARG_DIFF_WEIGHTS, weight.gradient())));
            if (op.bias()) {
                results.add(Argument.of(DNNL_ARG_DIFF_BIAS, biases.gradient()));
            }
            step("conv backward weights", op.layer(), larger(in, out), op.flops(), weights, results);
        });
    }

    /** He's scale, so that numbers stay of one size through the network; padding is zero. */
    private Tensor convolutionWeight(long[] dims, dnnl_memory_desc layout) {
        long count = 1;
        for (long dim : dims) {
            count *= dim;
        }
        long fanIn = dims[dims.length - 1] * dims[dims.length - 2] * dims[dims.length - 3];
        Tensor noise = buffers.noise(count, Math.sqrt(2.0 / fanIn));
        Tensor weight = buffers.bytes(OneDnn.byteSize(layout));
        dnnl.reorder(dnnl.plain(DType.F32, dims), noise.address(), layout, weight.address())
                .run();
        noise.close();
        return weight;
    }

    private void dense(Op.Dense op) {
        Shape in = op.input().shape();
        Shape out = op.output().shape();
        long outputs = op.weight().dim(0);
        long inputs = op.weight().dim(1);
        dnnl_memory_desc source = dnnl.plain(type, in.dim(0), inputs);
        dnnl_memory_desc master = dnnl.plain(DType.F32, outputs, inputs);
        dnnl_memory_desc compute = dnnl.plain(type, outputs, inputs);
        dnnl_memory_desc bias = op.bias() ? dnnl.plain(DType.F32, outputs) : null;
        dnnl_memory_desc destination = dnnl.plain(type, in.dim(0), outputs);
        dnnl_primitive_desc forward = new dnnl_primitive_desc();
        dnnl.created(
                dnnl_inner_product_forward_primitive_desc_create(
                        forward,
                        dnnl.engine,
                        dnnl_forward_training,
                        source,
                        compute,
                        bias,
                        destination,
                        dnnl.attributes),
                "dnnl_inner_product_forward_primitive_desc_create",
                forward);
        Chain.Parameter weight = parameter(buffers.noise(outputs * inputs, Math.sqrt(2.0 / inputs)));
        Chain.Parameter biases = op.bias() ? parameter(buffers.floats(outputs)) : null;
        Tensor input = value(op.input());
        Tensor output = output(op.output());
        Tensor computeWeight = inLayout(op.layer(), weight.value(), master, compute);
        List<Argument> arguments = new ArrayList<>(List.of(
                Argument.of(DNNL_ARG_SRC, input),
                Argument.of(DNNL_ARG_WEIGHTS, computeWeight),
                Argument.of(DNNL_ARG_DST, output)));
        if (op.bias()) {
            arguments.add(Argument.of(DNNL_ARG_BIAS, biases.value()));
        }
        step("dense forward", op.layer(), op.weight(), op.flops(), forward, arguments);

        backwards.push(() -> {
            Tensor gradOutput = gradient(op.output());
            if (wantsGradient(op.input())) {
                dnnl_primitive_desc data = new dnnl_primitive_desc();
                dnnl.created(
                        dnnl_inner_product_backward_data_primitive_desc_create(
                                data, dnnl.engine, source, compute, destination, forward, dnnl.attributes),
                        "dnnl_inner_product_backward_data_primitive_desc_create",
                        data);
                Tensor gradInput = buffer(in);
                step(
                        "dense backward data",
                        op.layer(),
                        op.weight(),
                        op.flops(),
                        data,
                        List.of(
                                Argument.of(DNNL_ARG_DIFF_DST, gradOutput),
                                Argument.of(DNNL_ARG_WEIGHTS, computeWeight),
                                Argument.of(DNNL_ARG_DIFF_SRC, gradInput)));
                deliver(op.layer(), op.input(), gradInput, false);
            }
            dnnl_primitive_desc weights = new dnnl_primitive_desc();
            dnnl.created(
                    dnnl_inner_product_backward_weights_primitive_desc_create(
                            weights, dnnl.engine, source, master, bias, destination, forward, dnnl.attributes),
                    "dnnl_inner_product_backward_weights_primitive_desc_create",
                    weights);
            List<Argument> results = new ArrayList<>(List.of(
                    Argument.of(DNNL_ARG_SRC, input),
                    Argument.of(DNNL_ARG_DIFF_DST, gradOutput),
                    Argument.of(DNNL_ARG_DIFF_WEIGHTS, weight.gradient())));
            if (op.bias()) {
                results.add(Argument.of(DNNL_ARG_DIFF_BIAS, biases.gradient()));
            }
            step("dense backward weights", op.layer(), op.weight(), op.flops(), weights, results);
        });
    }

    private void norm(Op.Norm op) {
        Shape shape = op.input().shape();
        long channels = shape.dim(-1);
        dnnl_memory_desc data = image(type, shape);
        int flags = (op.gamma() ? dnnl_use_scale : 0)
                | (op.beta() ? dnnl_use_shift : 0)
                | (op.relu() ? dnnl_fuse_norm_relu : 0);
        float epsilon = (float) op.epsilon();
        dnnl_primitive_desc forward = new dnnl_primitive_desc();
        dnnl.created(
                dnnl_batch_normalization_forward_primitive_desc_create(
                        forward, dnnl.engine, dnnl_forward_training, data, data, epsilon, flags, dnnl.attributes),
                "dnnl_batch_normalization_forward_primitive_desc_create",
                forward);
        Chain.Parameter gamma = op.gamma() ? parameter(buffers.constant(channels, 1)) : null;
        Chain.Parameter beta = op.beta() ? parameter(buffers.floats(channels)) : null;
        Tensor input = value(op.input());
        List<Argument> saved = new ArrayList<>(List.of(
                Argument.of(DNNL_ARG_SRC, input),
                Argument.of(DNNL_ARG_MEAN, buffers.floats(channels)),
                Argument.of(DNNL_ARG_VARIANCE, buffers.floats(channels))));
        if (op.gamma()) {
            saved.add(Argument.of(DNNL_ARG_SCALE, gamma.value()));
        }
        if (op.relu()) {
            Tensor mask = buffers.bytes(OneDnn.byteSize(OneDnn.layout(forward, DNNL_ARG_WORKSPACE)));
            saved.add(Argument.of(DNNL_ARG_WORKSPACE, mask));
        }
        List<Argument> arguments = new ArrayList<>(saved);
        arguments.add(Argument.of(DNNL_ARG_DST, output(op.output())));
        if (op.beta()) {
            arguments.add(Argument.of(DNNL_ARG_SHIFT, beta.value()));
        }
        step("batch norm forward", op.layer(), shape, 0, forward, arguments);

        backwards.push(() -> {
            dnnl_primitive_desc backward = new dnnl_primitive_desc();
            dnnl.created(
                    dnnl_batch_normalization_backward_primitive_desc_create(
                            backward,
                            dnnl.engine,
                            op.gamma() || op.beta() ? dnnl_backward : dnnl_backward_data,
                            data,
                            data,
                            data,
                            epsilon,
                            flags,
                            forward,
                            dnnl.attributes),
                    "dnnl_batch_normalization_backward_primitive_desc_create",
                    backward);
            Tensor gradInput = buffer(shape);
            List<Argument> results = new ArrayList<>(saved);
            results.add(Argument.of(DNNL_ARG_DIFF_DST, gradient(op.output())));
            results.add(Argument.of(DNNL_ARG_DIFF_SRC, gradInput));
            if (op.gamma()) {
                results.add(Argument.of(DNNL_ARG_DIFF_SCALE, gamma.gradient()));
            }
            if (op.beta()) {
                results.add(Argument.of(DNNL_ARG_DIFF_SHIFT, beta.gradient()));
            }
            step("batch norm backward", op.layer(), shape, 0, backward, results);
            deliver(op.layer(), op.input(), gradInput, false);
        });
    }

    private void activate(Op.Activate op) {
        Activation activation = op.activation();
        int algorithm = switch (activation.kind()) {
            case RELU, LEAKY_RELU -> dnnl_eltwise_relu_use_dst_for_bwd;
            case RELU6 -> dnnl_eltwise_clip_v2_use_dst_for_bwd;
            case ELU -> dnnl_eltwise_elu_use_dst_for_bwd;
            case SIGMOID -> dnnl_eltwise_logistic_use_dst_for_bwd;
            case TANH -> dnnl_eltwise_tanh_use_dst_for_bwd;
            case NONE -> throw new IllegalStateException("floor: an activation that does nothing: " + op);
        };
        boolean clip = activation.kind() == Activation.Kind.RELU6;
        Eltwise eltwise = new Eltwise(algorithm, clip ? 0 : activation.alpha(), clip ? 6 : 0, op.input());
        Tensor output = output(op.output());
        eltwise.forward(activation.opName() + " forward", op.layer(), value(op.input()), output);
        backwards.push(() -> {
            dnnl_primitive_desc backward = new dnnl_primitive_desc();
            dnnl.created(
                    dnnl_eltwise_backward_primitive_desc_create(
                            backward,
                            dnnl.engine,
                            algorithm,
                            eltwise.data,
                            eltwise.data,
                            eltwise.data,
                            eltwise.alpha,
                            eltwise.beta,
                            eltwise.descriptor,
                            dnnl.attributes),
                    "dnnl_eltwise_backward_primitive_desc_create",
                    backward);
            Tensor gradInput = buffer(op.input().shape());
            step(
                    activation.opName() + " backward",
                    op.layer(),
                    op.input().shape(),
                    0,
                    backward,
                    List.of(
                            Argument.of(DNNL_ARG_DST, output),
                            Argument.of(DNNL_ARG_DIFF_DST, gradient(op.output())),
                            Argument.of(DNNL_ARG_DIFF_SRC, gradInput)));
            deliver(op.layer(), op.input(), gradInput, false);
        });
    }

    /** An elementwise forward primitive's descriptor over a value's shape. */
    private final class Eltwise {
        final float alpha;
        final float beta;
        final Shape shape;
        final dnnl_memory_desc data;
        final dnnl_primitive_desc descriptor = new dnnl_primitive_desc();

        Eltwise(int algorithm, float alpha, float beta, Value over) {
            this.alpha = alpha;
            this.beta = beta;
            shape = over.shape();
            data = dnnl.plain(type, shape.elementCount());
            dnnl.created(
                    dnnl_eltwise_forward_primitive_desc_create(
                            descriptor,
                            dnnl.engine,
                            dnnl_forward_training,
                            algorithm,
                            data,
                            data,
                            alpha,
                            beta,
                            dnnl.attributes),
                    "dnnl_eltwise_forward_primitive_desc_create",
                    descriptor);
        }

        void forward(String family, String layer, Tensor from, Tensor to) {
            step(
                    family,
                    layer,
                    shape,
                    0,
                    descriptor,
                    List.of(Argument.of(DNNL_ARG_SRC, from), Argument.of(DNNL_ARG_DST, to)));
        }
    }

    private void prelu(Op.PRelu op) {
        Shape shape = op.input().shape();
        long channels = shape.dim(-1);
        dnnl_memory_desc data = image(type, shape);
        dnnl_memory_desc slopes =
                dnnl.strided(DType.F32, new long[] {1, channels, 1, 1}, new long[] {channels, 1, channels, channels});
        dnnl_primitive_desc forward = new dnnl_primitive_desc();
        dnnl.created(
                dnnl_prelu_forward_primitive_desc_create(
                        forward, dnnl.engine, dnnl_forward_training, data, slopes, data, dnnl.attributes),
                "dnnl_prelu_forward_primitive_desc_create",
                forward);
        Chain.Parameter slope = parameter(buffers.constant(channels, 0.25));
        Tensor input = value(op.input());
        step(
                "prelu forward",
                op.layer(),
                shape,
                0,
                forward,
                List.of(
                        Argument.of(DNNL_ARG_SRC, input),
                        Argument.of(DNNL_ARG_WEIGHTS, slope.value()),
                        Argument.of(DNNL_ARG_DST, output(op.output()))));
        backwards.push(() -> {
            dnnl_primitive_desc backward = new dnnl_primitive_desc();
            dnnl.created(
                    dnnl_prelu_backward_primitive_desc_create(
                            backward, dnnl.engine, data, slopes, data, slopes, data, forward, dnnl.attributes),
                    "dnnl_prelu_backward_primitive_desc_create",
                    backward);
            Tensor gradInput = buffer(shape);
            step(
                    "prelu backward",
                    op.layer(),
                    shape,
                    0,
                    backward,
                    List.of(
                            Argument.of(DNNL_ARG_SRC, input),
                            Argument.of(DNNL_ARG_WEIGHTS, slope.value()),
                            Argument.of(DNNL_ARG_DIFF_DST, gradient(op.output())),
                            Argument.of(DNNL_ARG_DIFF_SRC, gradInput),
                            Argument.of(DNNL_ARG_DIFF_WEIGHTS, slope.gradient())));
            deliver(op.layer(), op.input(), gradInput, false);
        });
    }

    private void pool(Op.Pool op) {
        PoolSpec spec = op.spec();
        Padding padding = spec.padding();
        Shape in = op.input().shape();
        Shape out = op.output().shape();
        String name = op.max() ? "max pool" : "average pool";
        int algorithm = op.max()
                ? dnnl_pooling_max
                : spec.countPadding() ? dnnl_pooling_avg_include_padding : dnnl_pooling_avg_exclude_padding;
        long[] strides = {spec.strideH(), spec.strideW()};
        long[] kernel = {spec.kernelH(), spec.kernelW()};
        long[] dilation = {0, 0};
        long[] before = {padding.top(), padding.left()};
        long[] after = {
            after(in.dim(1), out.dim(1), spec.kernelH(), spec.strideH(), padding.top()),
            after(in.dim(2), out.dim(2), spec.kernelW(), spec.strideW(), padding.left())
        };
        dnnl_memory_desc source = image(type, in);
        dnnl_memory_desc destination = image(type, out);
        dnnl_primitive_desc forward = new dnnl_primitive_desc();
        dnnl.created(
                dnnl_pooling_forward_primitive_desc_create(
                        forward,
                        dnnl.engine,
                        dnnl_forward_training,
                        algorithm,
                        source,
                        destination,
                        strides,
                        kernel,
                        dilation,
                        before,
                        after,
                        dnnl.attributes),
                "dnnl_pooling_forward_primitive_desc_create",
                forward);
        List<Argument> arguments = new ArrayList<>(
                List.of(Argument.of(DNNL_ARG_SRC, value(op.input())), Argument.of(DNNL_ARG_DST, output(op.output()))));
        List<Argument> results = new ArrayList<>();
        if (op.max()) {
            Argument winners = Argument.of(
                    DNNL_ARG_WORKSPACE, buffers.bytes(OneDnn.byteSize(OneDnn.layout(forward, DNNL_ARG_WORKSPACE))));
            arguments.add(winners);
            results.add(winners);
        }
        step(name + " forward", op.layer(), in, 0, forward, arguments);
        if (!wantsGradient(op.input())) {
            return;
        }
        backwards.push(() -> {
            dnnl_primitive_desc backward = new dnnl_primitive_desc();
            dnnl.created(
                    dnnl_pooling_backward_primitive_desc_create(
                            backward,
                            dnnl.engine,
                            algorithm,
                            source,
                            destination,
                            strides,
                            kernel,
                            dilation,
                            before,
                            after,
                            forward,
                            dnnl.attributes),
                    "dnnl_pooling_backward_primitive_desc_create",
                    backward);
            Tensor gradInput = buffer(in);
            results.add(Argument.of(DNNL_ARG_DIFF_DST, gradient(op.output())));
            results.add(Argument.of(DNNL_ARG_DIFF_SRC, gradInput));
            step(name + " backward", op.layer(), in, 0, backward, results);
            deliver(op.layer(), op.input(), gradInput, false);
        });
    }

    /** Padding at the far end that gives exactly {@code out} windows, negative where the last rows are in none. */
    private static int after(int size, int out, int kernel, int stride, int before) {
        return (out - 1) * stride + kernel - size - before;
    }

    private void add(Op.Add op) {
        Shape shape = op.output().shape();
        if (!op.a().shape().equals(shape) || !op.b().shape().equals(shape)) {
            throw new IllegalStateException("floor: additions must not broadcast: layer=" + op.layer());
        }
        binaryAdd("add", op.layer(), shape, value(op.a()), value(op.b()), output(op.output()));
        backwards.push(() -> {
            // Both get the same gradient, which costs nothing.
            deliver(op.layer(), op.a(), gradient(op.output()), true);
            deliver(op.layer(), op.b(), gradient(op.output()), true);
        });
    }

    private void binaryAdd(String family, String layer, Shape shape, Tensor a, Tensor b, Tensor sum) {
        dnnl_memory_desc data = dnnl.plain(type, shape.elementCount());
        dnnl_primitive_desc descriptor = new dnnl_primitive_desc();
        dnnl.created(
                dnnl_binary_primitive_desc_create(
                        descriptor, dnnl.engine, dnnl_binary_add, data, data, data, dnnl.attributes),
                "dnnl_binary_primitive_desc_create",
                descriptor);
        step(
                family,
                layer,
                shape,
                0,
                descriptor,
                List.of(
                        Argument.of(DNNL_ARG_SRC_0, a),
                        Argument.of(DNNL_ARG_SRC_1, b),
                        Argument.of(DNNL_ARG_DST, sum)));
    }

    private void copyInto(Op.CopyInto op) {
        Shape shape = op.input().shape();
        dnnl_memory_desc whole = image(type, shape);
        dnnl_memory_desc slice = slice(type, shape, op.output().shape().dim(-1));
        long offset = (long) op.offset() * type.byteSize();
        long bytes = 2 * shape.elementCount() * type.byteSize();
        Tensor joined = output(op.output());
        Primitive copy = dnnl.reorder(whole, value(op.input()).address(), slice, joined.address() + offset);
        step("concat copy", op.layer(), shape, copy, 0, bytes);
        backwards.push(() -> {
            Tensor gradInput = buffer(shape);
            Primitive cut = dnnl.reorder(slice, gradient(op.output()).address() + offset, whole, gradInput.address());
            step("split copy", op.layer(), shape, cut, 0, bytes);
            deliver(op.layer(), op.input(), gradInput, false);
        });
    }

    /** oneDNN has none: one pass of reading and writing in each direction. */
    private void dropout(Op.Dropout op) {
        Eltwise scale = new Eltwise(dnnl_eltwise_linear, 2, 0, op.input());
        scale.forward("dropout forward", op.layer(), value(op.input()), output(op.output()));
        backwards.push(() -> {
            Tensor gradInput = buffer(op.input().shape());
            scale.forward("dropout backward", op.layer(), gradient(op.output()), gradInput);
            deliver(op.layer(), op.input(), gradInput, false);
        });
    }

    private void softmax(Op.Softmax op) {
        Shape shape = op.input().shape();
        dnnl_memory_desc data = dnnl.plain(type, shape.dim(0), shape.dim(1));
        dnnl_primitive_desc forward = new dnnl_primitive_desc();
        dnnl.created(
                dnnl_softmax_forward_primitive_desc_create(
                        forward,
                        dnnl.engine,
                        dnnl_forward_training,
                        dnnl_softmax_accurate,
                        data,
                        data,
                        1,
                        dnnl.attributes),
                "dnnl_softmax_forward_primitive_desc_create",
                forward);
        Tensor probabilities = buffer(shape);
        step(
                "softmax forward",
                op.layer(),
                shape,
                0,
                forward,
                List.of(Argument.of(DNNL_ARG_SRC, value(op.input())), Argument.of(DNNL_ARG_DST, probabilities)));
        backwards.push(() -> {
            dnnl_primitive_desc backward = new dnnl_primitive_desc();
            dnnl.created(
                    dnnl_softmax_backward_primitive_desc_create(
                            backward,
                            dnnl.engine,
                            dnnl_softmax_accurate,
                            data,
                            data,
                            data,
                            1,
                            forward,
                            dnnl.attributes),
                    "dnnl_softmax_backward_primitive_desc_create",
                    backward);
            Tensor gradInput = buffer(shape);
            step(
                    "softmax backward",
                    op.layer(),
                    shape,
                    0,
                    backward,
                    List.of(
                            Argument.of(DNNL_ARG_DST, probabilities),
                            Argument.of(DNNL_ARG_DIFF_DST, noise(shape, 1)),
                            Argument.of(DNNL_ARG_DIFF_SRC, gradInput)));
            deliver(op.layer(), op.input(), gradInput, false);
        });
    }

    private static Shape larger(Shape a, Shape b) {
        return a.elementCount() >= b.elementCount() ? a : b;
    }
}
