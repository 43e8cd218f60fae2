package tenon.engine.backend.cpu;

import static org.bytedeco.dnnl.global.dnnl.*;

import org.bytedeco.dnnl.dnnl_memory_desc;
import org.bytedeco.dnnl.dnnl_primitive_desc;
import tenon.engine.DType;
import tenon.engine.Shape;
import tenon.engine.Tensor;
import tenon.engine.backend.ActivationKernels;
import tenon.engine.ops.Activation;

/** Activations: ReLU, ReLU6 and the sums on own kernels, which keep NaN where oneDNN's clipping gives 0; the others on oneDNN. */
final class CpuActivation implements ActivationKernels {
    private record Key(Pass pass, Activation activation, long count, DType dtype) {}

    private record PreluKey(Pass pass, Shape shape, DType dtype) {}

    private final CpuBackend backend;
    private final PrimitiveCache.Compiler<Key> compiler = this::compile;
    private final PrimitiveCache.Compiler<PreluKey> preluCompiler = this::compilePrelu;

    CpuActivation(CpuBackend backend) {
        this.backend = backend;
    }

    @Override
    public void forward(Activation activation, Tensor input, Tensor output) {
        backend.checkDType(activation.opName(), input, output);
        if (input.elementCount() == 0) {
            return;
        }
        switch (activation.kind()) {
            case NONE -> backend.copy(input, output);
            case RELU -> {
                var in = input.segment();
                var out = output.segment();
                backend.elementwise(input.elementCount(), (from, to) -> backend.kernels.relu(in, out, from, to));
            }
            case RELU6 -> {
                var in = input.segment();
                var out = output.segment();
                backend.elementwise(input.elementCount(), (from, to) -> backend.kernels.relu6(in, out, from, to));
            }
            default -> {
                synchronized (backend.dnnl) {
                    backend.cache
                            .get(new Key(Pass.FORWARD, activation, input.elementCount(), input.dtype()), compiler)
                            .primitive()
                            .bind(0, input.address())
                            .bind(1, output.address())
                            .run();
                }
            }
        }
    }

    @Override
    public void backward(Activation activation, Tensor output, Tensor gradOutput, Tensor gradInput) {
        backend.checkDType(activation.opName(), output, gradOutput);
        if (output.elementCount() == 0) {
            return;
        }
        switch (activation.kind()) {
            case NONE -> backend.copy(gradOutput, gradInput);
            case RELU -> {
                var out = output.segment();
                var grad = gradOutput.segment();
                var in = gradInput.segment();
                backend.elementwise(
                        output.elementCount(), (from, to) -> backend.kernels.reluBackward(out, grad, in, from, to));
            }
            case RELU6 -> {
                var out = output.segment();
                var grad = gradOutput.segment();
                var in = gradInput.segment();
                backend.elementwise(
                        output.elementCount(), (from, to) -> backend.kernels.relu6Backward(out, grad, in, from, to));
            }
            default -> {
                synchronized (backend.dnnl) {
                    backend.cache
                            .get(new Key(Pass.BACKWARD, activation, output.elementCount(), output.dtype()), compiler)
                            .primitive()
                            .bind(0, output.address())
                            .bind(1, gradOutput.address())
                            .bind(2, gradInput.address())
                            .run();
                }
            }
        }
    }

    @Override
    public void addForward(Activation activation, Tensor a, Tensor b, Tensor output) {
        backend.checkDType("add", a, b, output);
        var left = a.segment();
        var right = b.segment();
        var out = output.segment();
        if (activation.kind() == Activation.Kind.RELU) {
            backend.elementwise(
                    output.elementCount(), (from, to) -> backend.kernels.addRelu(left, right, out, from, to));
            return;
        }
        backend.elementwise(output.elementCount(), (from, to) -> backend.kernels.add(left, right, out, from, to));
        if (activation.kind() != Activation.Kind.NONE) {
            forward(activation, output, output);
        }
    }

    @Override
    public void preluForward(Tensor input, Tensor slope, Tensor output) {
        backend.checkDType("prelu", input, slope, output);
        if (input.elementCount() == 0) {
            return;
        }
        synchronized (backend.dnnl) {
            backend.cache
                    .get(new PreluKey(Pass.FORWARD, input.shape(), input.dtype()), preluCompiler)
                    .primitive()
                    .bind(0, input.address())
                    .bind(1, slope.address())
                    .bind(2, output.address())
                    .run();
        }
    }

    @Override
    public void preluBackward(Tensor input, Tensor slope, Tensor gradOutput, Tensor gradInput, Tensor gradSlope) {
        backend.checkDType("prelu", input, slope, gradOutput);
        if (input.elementCount() == 0) {
            if (gradSlope != null) {
                backend.fill(gradSlope, 0);
            }
            return;
        }
        synchronized (backend.dnnl) {
            long inputBytes = gradInput == null ? input.byteSize() : 0;
            long slopeBytes = gradSlope == null ? slope.byteSize() : 0;
            long unwanted = backend.dnnl.unwanted.address(inputBytes + slopeBytes);
            backend.cache
                    .get(new PreluKey(Pass.BACKWARD, input.shape(), input.dtype()), preluCompiler)
                    .primitive()
                    .bind(0, input.address())
                    .bind(1, slope.address())
                    .bind(2, gradOutput.address())
                    .bind(3, gradInput == null ? unwanted : gradInput.address())
                    .bind(4, gradSlope == null ? unwanted + inputBytes : gradSlope.address())
                    .run();
        }
    }

    private static int algorithm(Activation activation) {
        return switch (activation.kind()) {
            case LEAKY_RELU -> dnnl_eltwise_relu_use_dst_for_bwd;
            case ELU -> dnnl_eltwise_elu_use_dst_for_bwd;
            case SIGMOID -> dnnl_eltwise_logistic_use_dst_for_bwd;
            case TANH -> dnnl_eltwise_tanh_use_dst_for_bwd;
            case NONE, RELU, RELU6 -> throw new IllegalArgumentException(activation.opName() + " is no primitive");
        };
    }

    private Compiled compile(Key key) {
        Activation activation = key.activation;
        try (Build build = new Build(backend.dnnl, activation.opName() + " " + key.pass, key)) {
            float alpha = activation.alpha();
            int algorithm = algorithm(activation);
            dnnl_memory_desc data = build.plain(key.dtype, key.count);
            dnnl_primitive_desc forward = new dnnl_primitive_desc();
            build.created(
                    dnnl_eltwise_forward_primitive_desc_create(
                            forward,
                            backend.dnnl.engine,
                            dnnl_forward_training,
                            algorithm,
                            data,
                            data,
                            alpha,
                            0,
                            build.attributes()),
                    "dnnl_eltwise_forward_primitive_desc_create",
                    forward);
            if (key.pass == Pass.FORWARD) {
                return new Compiled(build.executable(forward, DNNL_ARG_SRC, DNNL_ARG_DST));
            }
            dnnl_primitive_desc backward = new dnnl_primitive_desc();
            build.created(
                    dnnl_eltwise_backward_primitive_desc_create(
                            backward,
                            backend.dnnl.engine,
                            algorithm,
                            data,
                            data,
                            data,
                            alpha,
                            0,
                            forward,
                            build.attributes()),
                    "dnnl_eltwise_backward_primitive_desc_create",
                    backward);
            return new Compiled(build.executable(backward, DNNL_ARG_DST, DNNL_ARG_DIFF_DST, DNNL_ARG_DIFF_SRC));
        }
    }

    /** [N, H, W, C] as it is; any other rank as N, rest, 1, C. */
    private static dnnl_memory_desc image(Build build, Shape shape, DType dtype) {
        long n = shape.rank() == 1 ? 1 : shape.dim(0);
        boolean image = shape.rank() == 4;
        long h = image ? shape.dim(1) : shape.outerCount() / n;
        return build.nhwc(dtype, n, h, image ? shape.dim(2) : 1, shape.dim(-1));
    }

    private Compiled compilePrelu(PreluKey key) {
        try (Build build = new Build(backend.dnnl, "prelu " + key.pass, key)) {
            dnnl_memory_desc data = image(build, key.shape, key.dtype);
            dnnl_memory_desc slope = build.nhwc(key.dtype, 1, 1, 1, key.shape.dim(-1));
            dnnl_primitive_desc forward = new dnnl_primitive_desc();
            build.created(
                    dnnl_prelu_forward_primitive_desc_create(
                            forward, backend.dnnl.engine, dnnl_forward_training, data, slope, data, build.attributes()),
                    "dnnl_prelu_forward_primitive_desc_create",
                    forward);
            if (key.pass == Pass.FORWARD) {
                return new Compiled(build.executable(forward, DNNL_ARG_SRC, DNNL_ARG_WEIGHTS, DNNL_ARG_DST));
            }
            dnnl_primitive_desc backward = new dnnl_primitive_desc();
            build.created(
                    dnnl_prelu_backward_primitive_desc_create(
                            backward, backend.dnnl.engine, data, slope, data, slope, data, forward, build.attributes()),
                    "dnnl_prelu_backward_primitive_desc_create",
                    backward);
            return new Compiled(build.executable(
                    backward,
                    DNNL_ARG_SRC,
                    DNNL_ARG_WEIGHTS,
                    DNNL_ARG_DIFF_DST,
                    DNNL_ARG_DIFF_SRC,
                    DNNL_ARG_DIFF_WEIGHTS));
        }
    }
}
