package tenon.engine.backend.cpu;

import static org.bytedeco.dnnl.global.dnnl.*;

import org.bytedeco.dnnl.dnnl_memory_desc;
import org.bytedeco.dnnl.dnnl_primitive_desc;
import tenon.engine.DType;
import tenon.engine.Shape;
import tenon.engine.Tensor;
import tenon.engine.backend.DenseKernels;
import tenon.engine.ops.Activation;

/** Fully connected layers on oneDNN's inner product; plain [O, I] weights are fast in all three passes. */
final class CpuDense implements DenseKernels {
    private record Key(Pass pass, int n, int inputs, int outputs, boolean bias, Activation activation, DType dtype) {}

    private final CpuBackend backend;
    private final PrimitiveCache.Compiler<Key> compiler = this::compile;

    CpuDense(CpuBackend backend) {
        this.backend = backend;
    }

    @Override
    public void forward(Tensor input, Tensor weight, Tensor bias, Activation activation, Tensor output) {
        backend.checkDTypes("dense", input, output, weight);
        if (output.elementCount() == 0) {
            return;
        }
        synchronized (backend.dnnl) {
            Compiled compiled = get(Pass.FORWARD, input, output, bias != null, activation);
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
    public void backwardInput(Tensor gradOutput, Tensor weight, Tensor gradInput) {
        backend.checkDTypes("dense", gradOutput, gradInput, weight);
        if (gradInput.elementCount() == 0) {
            return;
        }
        synchronized (backend.dnnl) {
            Compiled compiled = get(Pass.BACKWARD_INPUT, gradInput, gradOutput, false, Activation.NONE);
            compiled.primitive()
                    .bind(0, gradOutput.address())
                    .bind(1, backend.weightAddress(weight, compiled.weights()))
                    .bind(2, gradInput.address())
                    .run();
        }
    }

    @Override
    public void backwardWeight(Tensor input, Tensor gradOutput, Tensor gradWeight, Tensor gradBias) {
        backend.checkDTypes("dense", input, gradOutput, gradWeight);
        if (gradOutput.elementCount() == 0) {
            backend.fill(gradWeight, 0);
            if (gradBias != null) {
                backend.fill(gradBias, 0);
            }
            return;
        }
        synchronized (backend.dnnl) {
            Executable primitive = get(Pass.BACKWARD_WEIGHT, input, gradOutput, gradBias != null, Activation.NONE)
                    .primitive();
            primitive.bind(0, input.address()).bind(1, gradOutput.address()).bind(2, gradWeight.address());
            if (gradBias != null) {
                primitive.bind(3, gradBias.address());
            }
            primitive.run();
        }
    }

    private Compiled get(Pass pass, Tensor input, Tensor output, boolean bias, Activation activation) {
        Key key = new Key(
                pass,
                input.shape().dim(0),
                input.shape().dim(1),
                output.shape().dim(1),
                bias,
                activation,
                input.dtype());
        return backend.cache.get(key, compiler);
    }

    private Compiled compile(Key key) {
        try (Build build = new Build(backend.dnnl, "dense " + key.pass, key)) {
            dnnl_memory_desc source = build.plain(key.dtype, key.n, key.inputs);
            dnnl_memory_desc weight = build.plain(key.dtype, key.outputs, key.inputs);
            dnnl_memory_desc bias = key.bias ? build.plain(DType.F32, key.outputs) : null;
            dnnl_memory_desc destination = build.plain(key.dtype, key.n, key.outputs);
            dnnl_primitive_desc forward = new dnnl_primitive_desc();
            build.created(
                    dnnl_inner_product_forward_primitive_desc_create(
                            forward,
                            backend.dnnl.engine,
                            dnnl_forward_training,
                            source,
                            weight,
                            bias,
                            destination,
                            build.attributes(key.activation)),
                    "dnnl_inner_product_forward_primitive_desc_create",
                    forward);
            dnnl_primitive_desc descriptor = new dnnl_primitive_desc();
            return switch (key.pass) {
                case BACKWARD_INPUT -> {
                    build.created(
                            dnnl_inner_product_backward_data_primitive_desc_create(
                                    descriptor,
                                    backend.dnnl.engine,
                                    source,
                                    weight,
                                    destination,
                                    forward,
                                    build.attributes()),
                            "dnnl_inner_product_backward_data_primitive_desc_create",
                            descriptor);
                    yield new Compiled(
                            build.executable(descriptor, DNNL_ARG_DIFF_DST, DNNL_ARG_WEIGHTS, DNNL_ARG_DIFF_SRC),
                            layout(key, key.dtype, weight));
                }
                case BACKWARD_WEIGHT -> {
                    // In F32 whatever the activations are, as the master weights are.
                    dnnl_memory_desc gradWeight = build.plain(DType.F32, key.outputs, key.inputs);
                    build.created(
                            dnnl_inner_product_backward_weights_primitive_desc_create(
                                    descriptor,
                                    backend.dnnl.engine,
                                    source,
                                    gradWeight,
                                    bias,
                                    destination,
                                    forward,
                                    build.attributes()),
                            "dnnl_inner_product_backward_weights_primitive_desc_create",
                            descriptor);
                    yield new Compiled(
                            key.bias
                                    ? build.executable(
                                            descriptor,
                                            DNNL_ARG_SRC,
                                            DNNL_ARG_DIFF_DST,
                                            DNNL_ARG_DIFF_WEIGHTS,
                                            DNNL_ARG_DIFF_BIAS)
                                    : build.executable(
                                            descriptor, DNNL_ARG_SRC, DNNL_ARG_DIFF_DST, DNNL_ARG_DIFF_WEIGHTS),
                            layout(key, DType.F32, gradWeight));
                }
                default ->
                    new Compiled(
                            key.bias
                                    ? build.executable(
                                            forward, DNNL_ARG_SRC, DNNL_ARG_WEIGHTS, DNNL_ARG_DST, DNNL_ARG_BIAS)
                                    : build.executable(forward, DNNL_ARG_SRC, DNNL_ARG_WEIGHTS, DNNL_ARG_DST),
                            layout(key, key.dtype, weight));
            };
        }
    }

    private WeightLayout layout(Key key, DType dtype, dnnl_memory_desc descriptor) {
        return backend.layouts.of(new WeightGeometry(Shape.of(key.outputs, key.inputs), 1), dtype, descriptor);
    }
}
