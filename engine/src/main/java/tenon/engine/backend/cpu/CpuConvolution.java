package tenon.engine.backend.cpu;

import static org.bytedeco.dnnl.global.dnnl.*;

import java.lang.foreign.MemorySegment;
import java.util.function.Supplier;
import org.bytedeco.dnnl.dnnl_memory_desc;
import org.bytedeco.dnnl.dnnl_primitive_attr;
import org.bytedeco.dnnl.dnnl_primitive_desc;
import tenon.engine.DType;
import tenon.engine.Shape;
import tenon.engine.Tensor;
import tenon.engine.backend.ConvolutionKernels;
import tenon.engine.ops.Activation;
import tenon.engine.ops.ConvSpec;
import tenon.engine.ops.Padding;

/**
 * Convolution on oneDNN: NHWC activations, weights and their gradients in the layouts that the primitives want. Where it is faster, by {@link
 * CpuWinograd}, which keeps weights and gradients as [K, R, S, C].
 */
final class CpuConvolution implements ConvolutionKernels {
    private record Key(
            Pass pass,
            ConvSpec spec,
            Shape input,
            Shape weight,
            Shape output,
            boolean bias,
            Activation activation,
            DType dtype) {}

    /** Part of the names of oneDNN's brgemm convolutions, which {@link #failsInBrgemm} keeps away from what they get wrong. */
    private static final String BRGEMM = "brg";

    /** Part of the names of its kernels for depthwise convolutions. */
    private static final String DEPTHWISE = "dw";

    private final CpuBackend backend;
    private final PrimitiveCache.Compiler<Key> compiler = this::compile;
    private final DepthwiseLoops depthwise = DepthwiseLoops.best();
    private final KernelChoice choice = new KernelChoice();

    CpuConvolution(CpuBackend backend) {
        this.backend = backend;
    }

    @Override
    public void forward(ConvSpec spec, Tensor input, Tensor weight, Tensor bias, Activation activation, Tensor output) {
        backend.checkDTypes("conv2d", input, output, weight);
        if (output.elementCount() == 0) {
            return;
        }
        synchronized (backend.dnnl) {
            WinogradTile tile = winograd(spec, input, weight.shape(), output);
            if (tile != null) {
                backend.winograd.forward(tile, input, weight, bias, activation, output);
                return;
            }
            Compiled compiled = get(Pass.FORWARD, spec, input, weight.shape(), output, bias != null, activation);
            Executable primitive = compiled.primitive();
            primitive
                    .bind(0, input.address())
                    .bind(1, backend.weightAddress(weight, compiled.weights()))
                    .bind(2, output.address());
            if (bias != null) {
                primitive.bind(3, bias.address());
            }
            primitive.run();
        }
    }

    @Override
    public void backwardInput(ConvSpec spec, Tensor gradOutput, Tensor weight, Tensor gradInput) {
        backend.checkDTypes("conv2d", gradOutput, gradInput, weight);
        if (gradInput.elementCount() == 0) {
            return;
        }
        synchronized (backend.dnnl) {
            WinogradTile tile = winograd(spec, gradInput, weight.shape(), gradOutput);
            if (tile != null) {
                backend.winograd.backwardInput(tile, gradOutput, weight, gradInput, false);
                return;
            }
            Compiled compiled =
                    get(Pass.BACKWARD_INPUT, spec, gradInput, weight.shape(), gradOutput, false, Activation.NONE);
            compiled.primitive()
                    .bind(0, gradOutput.address())
                    .bind(1, backend.weightAddress(weight, compiled.weights()))
                    .bind(2, gradInput.address())
                    .run();
        }
    }

    @Override
    public boolean accumulateInput(ConvSpec spec, Tensor gradOutput, Tensor weight, Tensor gradInput) {
        backend.checkDTypes("conv2d", gradOutput, gradInput, weight);
        if (gradInput.elementCount() == 0) {
            return false;
        }
        synchronized (backend.dnnl) {
            WinogradTile tile = winograd(spec, gradInput, weight.shape(), gradOutput);
            if (tile != null) {
                backend.winograd.backwardInput(tile, gradOutput, weight, gradInput, true);
                return true;
            }
            Compiled compiled =
                    get(Pass.ACCUMULATE_INPUT, spec, gradInput, weight.shape(), gradOutput, false, Activation.NONE);
            if (compiled.primitive() == null) {
                return false;
            }
            compiled.primitive()
                    .bind(0, gradOutput.address())
                    .bind(1, backend.weightAddress(weight, compiled.weights()))
                    .bind(2, gradInput.address())
                    .run();
            return true;
        }
    }

    @Override
    public void backwardWeight(ConvSpec spec, Tensor input, Tensor gradOutput, Tensor gradWeight, Tensor gradBias) {
        backend.checkDTypes("conv2d", input, gradOutput, gradWeight);
        if (gradOutput.elementCount() == 0) {
            backend.fill(gradWeight, 0);
            if (gradBias != null) {
                backend.fill(gradBias, 0);
            }
            return;
        }
        synchronized (backend.dnnl) {
            WinogradTile tile = winograd(spec, input, gradWeight.shape(), gradOutput);
            if (tile != null) {
                backend.winograd.backwardWeight(tile, input, gradOutput, gradWeight);
                if (gradBias != null) {
                    sumBias(gradOutput, gradBias);
                }
                return;
            }
            boolean bias = gradBias != null && !choice.sumsBiasApart();
            Compiled compiled =
                    get(Pass.BACKWARD_WEIGHT, spec, input, gradWeight.shape(), gradOutput, bias, Activation.NONE);
            Executable primitive = compiled.primitive();
            if (primitive == null) {
                depthwiseWeight(spec, input, gradOutput, gradWeight);
            } else {
                primitive
                        .bind(0, input.address())
                        .bind(1, gradOutput.address())
                        .bind(2, backend.newWeightAddress(gradWeight, compiled.weights()));
                if (bias) {
                    primitive.bind(3, gradBias.address());
                }
                primitive.run();
            }
            if (gradBias != null && (primitive == null || !bias)) {
                sumBias(gradOutput, gradBias);
            }
        }
    }

    private void sumBias(Tensor gradOutput, Tensor gradBias) {
        backend.reductions.columnSums(
                gradOutput.dtype() == DType.BF16,
                gradOutput.segment(),
                gradOutput.shape().dim(3),
                gradOutput.shape().outerCount(),
                false,
                gradBias.segment());
    }

    private void depthwiseWeight(ConvSpec spec, Tensor input, Tensor gradOutput, Tensor gradWeight) {
        boolean bf16 = input.dtype() == DType.BF16;
        MemorySegment in = input.segment();
        MemorySegment gradOut = gradOutput.segment();
        MemorySegment to = gradWeight.segment();
        long channels = input.shape().dim(3);
        long grain = Math.max(1, CpuBackend.GRAIN * channels / gradOutput.elementCount());
        backend.parallel.range(
                channels,
                grain,
                (first, end) -> depthwise.backwardWeight(
                        bf16,
                        spec,
                        input.shape(),
                        gradWeight.shape(),
                        gradOutput.shape(),
                        in,
                        gradOut,
                        to,
                        (int) first,
                        (int) end));
    }

    private WinogradTile winograd(ConvSpec spec, Tensor input, Shape weight, Tensor output) {
        return backend.winograd == null ? null : backend.winograd.tile(spec, input, weight, output);
    }

    private Compiled get(
            Pass pass, ConvSpec spec, Tensor input, Shape weight, Tensor output, boolean bias, Activation activation) {
        return backend.cache.get(
                new Key(pass, spec, input.shape(), weight, output.shape(), bias, activation, input.dtype()), compiler);
    }

    private Compiled compile(Key key) {
        try (Build build = new Build(backend.dnnl, "conv2d " + key.pass, key)) {
            if (key.pass == Pass.ACCUMULATE_INPUT) {
                return compileAccumulation(build, key);
            }
            if (key.pass == Pass.BACKWARD_WEIGHT && choice.multipliesWeight(key.spec, key.weight)) {
                return compileWeightProduct(build, key);
            }
            ConvSpec spec = key.spec;
            WeightGeometry geometry = new WeightGeometry(key.weight, spec.groups());
            Padding padding = spec.padding();
            long[] strides = {spec.strideH(), spec.strideW()};
            long[] dilations = {spec.dilationH() - 1, spec.dilationW() - 1};
            long[] before = {padding.top(), padding.left()};
            long[] after = {padding.bottom(), padding.right()};
            dnnl_memory_desc source = image(build, key.input, key.dtype);
            dnnl_memory_desc destination = image(build, key.output, key.dtype);
            dnnl_memory_desc weight = build.any(key.dtype, geometry.dims());
            // Bias and its gradient are F32 whatever the activations are.
            dnnl_memory_desc bias = key.bias ? build.plain(DType.F32, key.weight.dim(0)) : null;

            String preferred = choice.of(key.pass, spec, key.input, key.weight);
            boolean avoidBrgemm = failsInBrgemm(key);
            dnnl_primitive_attr attributes = build.attributes(key.activation);
            dnnl_primitive_desc forward =
                    chosen(build, key.pass == Pass.FORWARD ? preferred : null, avoidBrgemm, () -> {
                        dnnl_primitive_desc created = new dnnl_primitive_desc();
                        return build.created(
                                dnnl_convolution_forward_primitive_desc_create(
                                        created,
                                        backend.dnnl.engine,
                                        dnnl_forward_training,
                                        dnnl_convolution_direct,
                                        source,
                                        weight,
                                        bias,
                                        destination,
                                        strides,
                                        dilations,
                                        before,
                                        after,
                                        attributes),
                                "dnnl_convolution_forward_primitive_desc_create",
                                created);
                    });
            return switch (key.pass) {
                case BACKWARD_INPUT -> {
                    dnnl_primitive_desc data = chosen(build, preferred, avoidBrgemm, () -> {
                        dnnl_primitive_desc created = new dnnl_primitive_desc();
                        return build.created(
                                dnnl_convolution_backward_data_primitive_desc_create(
                                        created,
                                        backend.dnnl.engine,
                                        dnnl_convolution_direct,
                                        source,
                                        weight,
                                        destination,
                                        strides,
                                        dilations,
                                        before,
                                        after,
                                        forward,
                                        build.attributes()),
                                "dnnl_convolution_backward_data_primitive_desc_create",
                                created);
                    });
                    yield new Compiled(
                            build.executable(data, DNNL_ARG_DIFF_DST, DNNL_ARG_WEIGHTS, DNNL_ARG_DIFF_SRC),
                            layout(build, geometry, key.dtype, data, DNNL_ARG_WEIGHTS));
                }
                case BACKWARD_WEIGHT -> {
                    // In F32 whatever the activations are, as the master weights are.
                    dnnl_memory_desc gradWeight = build.any(DType.F32, geometry.dims());
                    dnnl_primitive_desc descriptor = chosen(build, preferred, avoidBrgemm, () -> {
                        dnnl_primitive_desc created = new dnnl_primitive_desc();
                        return build.created(
                                dnnl_convolution_backward_weights_primitive_desc_create(
                                        created,
                                        backend.dnnl.engine,
                                        dnnl_convolution_direct,
                                        source,
                                        gradWeight,
                                        bias,
                                        destination,
                                        strides,
                                        dilations,
                                        before,
                                        after,
                                        forward,
                                        build.attributes()),
                                "dnnl_convolution_backward_weights_primitive_desc_create",
                                created);
                    });
                    if (isDepthwise(key) && !build.implementation(descriptor).contains(DEPTHWISE)) {
                        yield new Compiled(null);
                    }
                    Executable primitive = key.bias
                            ? build.executable(
                                    descriptor,
                                    DNNL_ARG_SRC,
                                    DNNL_ARG_DIFF_DST,
                                    DNNL_ARG_DIFF_WEIGHTS,
                                    DNNL_ARG_DIFF_BIAS)
                            : build.executable(descriptor, DNNL_ARG_SRC, DNNL_ARG_DIFF_DST, DNNL_ARG_DIFF_WEIGHTS);
                    yield new Compiled(
                            primitive, layout(build, geometry, DType.F32, descriptor, DNNL_ARG_DIFF_WEIGHTS));
                }
                default ->
                    new Compiled(
                            key.bias
                                    ? build.executable(
                                            forward, DNNL_ARG_SRC, DNNL_ARG_WEIGHTS, DNNL_ARG_DST, DNNL_ARG_BIAS)
                                    : build.executable(forward, DNNL_ARG_SRC, DNNL_ARG_WEIGHTS, DNNL_ARG_DST),
                            layout(build, geometry, key.dtype, forward, DNNL_ARG_WEIGHTS));
            };
        }
    }

    /** @param preferred part of a kernel's name, or null */
    private static dnnl_primitive_desc chosen(
            Build build, String preferred, boolean avoidBrgemm, Supplier<dnnl_primitive_desc> create) {
        dnnl_primitive_desc descriptor = preferred == null ? create.get() : build.prefer(preferred, create);
        if (avoidBrgemm) {
            build.avoid(BRGEMM, descriptor);
        }
        return descriptor;
    }

    private static boolean isDepthwise(Key key) {
        int groups = key.spec.groups();
        return groups > 1 && groups == key.input.dim(3) && groups == key.output.dim(3);
    }

    /** A 1×1 convolution's weight gradient as a matrix product: [pixels, K]ᵀ · [pixels, C]. */
    private Compiled compileWeightProduct(Build build, Key key) {
        long pixels = key.output.outerCount();
        long k = key.weight.dim(0);
        long c = key.weight.dim(3);
        WeightGeometry geometry = new WeightGeometry(key.weight, 1);
        dnnl_primitive_desc descriptor = new dnnl_primitive_desc();
        build.created(
                dnnl_matmul_primitive_desc_create(
                        descriptor,
                        backend.dnnl.engine,
                        build.strided(key.dtype, new long[] {k, pixels}, new long[] {1, k}),
                        build.plain(key.dtype, pixels, c),
                        null,
                        build.plain(DType.F32, k, c),
                        build.attributes()),
                "dnnl_matmul_primitive_desc_create",
                descriptor);
        return new Compiled(
                build.executable(descriptor, DNNL_ARG_WEIGHTS, DNNL_ARG_SRC, DNNL_ARG_DST),
                backend.layouts.of(
                        geometry, DType.F32, build.strided(DType.F32, geometry.dims(), geometry.plainStrides())));
    }

    /**
     * The data gradient is the forward pass of a transposed convolution with the same weights, which unlike oneDNN's own data gradient can add to its
     * result. Its weights are [C, K, R, S] to oneDNN.
     */
    private Compiled compileAccumulation(Build build, Key key) {
        Compiled none = new Compiled(null);
        ConvSpec spec = key.spec;
        Padding padding = spec.padding();
        // Rows that no window reaches would be a negative padding.
        long bottom = surplus(key, 1, spec.strideH(), spec.dilationH()) - padding.top();
        long right = surplus(key, 2, spec.strideW(), spec.dilationW()) - padding.left();
        if (bottom < 0 || right < 0 || failsInBrgemm(key)) {
            return none;
        }
        WeightGeometry geometry = new WeightGeometry(key.weight, spec.groups());
        int first = spec.groups() == 1 ? 0 : 1;
        long[] dims = geometry.dims();
        long k = dims[first];
        dims[first] = dims[first + 1];
        dims[first + 1] = k;
        dnnl_primitive_desc descriptor = new dnnl_primitive_desc();
        int status = dnnl_deconvolution_forward_primitive_desc_create(
                descriptor,
                backend.dnnl.engine,
                dnnl_forward_training,
                dnnl_deconvolution_direct,
                image(build, key.output, key.dtype),
                build.any(key.dtype, dims),
                null,
                image(build, key.input, key.dtype),
                new long[] {spec.strideH(), spec.strideW()},
                new long[] {spec.dilationH() - 1, spec.dilationW() - 1},
                new long[] {padding.top(), padding.left()},
                new long[] {bottom, right},
                build.accumulating());
        if (status == dnnl_unimplemented) {
            return none;
        }
        build.created(status, "dnnl_deconvolution_forward_primitive_desc_create", descriptor);
        if (build.implementation(descriptor).contains("ref")) {
            return none;
        }
        dnnl_memory_desc swapped = build.swapAxes(build.layout(descriptor, DNNL_ARG_WEIGHTS), dims.length, first);
        return new Compiled(
                build.executable(descriptor, DNNL_ARG_SRC, DNNL_ARG_WEIGHTS, DNNL_ARG_DST),
                backend.layouts.of(geometry, key.dtype, swapped));
    }

    /** Padding on both sides of a dimension that the windows really use. */
    private static long surplus(Key key, int dimension, int stride, int dilation) {
        int kernel = (key.weight.dim(dimension) - 1) * dilation + 1;
        return (key.output.dim(dimension) - 1L) * stride + kernel - key.input.dim(dimension);
    }

    /**
     * Two errors of oneDNN 3.11's brgemm convolutions, found by drawing sizes at random. It reads outside its memory when every window of an output
     * row lies in the padding (1 column, kernel width 1, stride 3, padding 2 left and 3 right), and computes wrong results for one channel, one
     * output column and a stride above 1 (3 columns, kernel width 3, stride 2).
     */
    private static boolean failsInBrgemm(Key key) {
        Padding padding = key.spec.padding();
        int height = (key.weight.dim(1) - 1) * key.spec.dilationH() + 1;
        int width = (key.weight.dim(2) - 1) * key.spec.dilationW() + 1;
        boolean onlyPadding = Math.max(padding.top(), padding.bottom()) >= height
                || Math.max(padding.left(), padding.right()) >= width;
        boolean oneColumn = key.input.dim(3) == 1 && key.output.dim(2) == 1 && key.spec.strideW() > 1;
        return onlyPadding || oneColumn;
    }

    private WeightLayout layout(
            Build build, WeightGeometry geometry, DType dtype, dnnl_primitive_desc descriptor, int argument) {
        return backend.layouts.of(geometry, dtype, build.layout(descriptor, argument));
    }

    static dnnl_memory_desc image(Build build, Shape shape, DType dtype) {
        return build.nhwc(dtype, shape.dim(0), shape.dim(1), shape.dim(2), shape.dim(3));
    }
}
