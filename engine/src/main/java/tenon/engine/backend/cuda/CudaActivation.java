package tenon.engine.backend.cuda;

import static tenon.engine.backend.cuda.Vectors.in;
import static tenon.engine.backend.cuda.Vectors.out;
import static tenon.engine.backend.cuda.Vectors.threads;

import tenon.engine.DType;
import tenon.engine.Tensor;
import tenon.engine.backend.ActivationKernels;
import tenon.engine.backend.OpKind;
import tenon.engine.ops.Activation;

/** Activations, by own kernels: one pass each, NaN kept. */
final class CudaActivation implements ActivationKernels {
    private static final String FILE = "activation";

    private final CudaBackend backend;
    /** By the ordinal of the kind. */
    private final KernelPair[] forward;

    private final KernelPair[] backward;
    private final KernelPair[] add;
    private final KernelPair preluForward;
    private final KernelPair preluBackward;

    CudaActivation(CudaBackend backend) {
        this.backend = backend;
        forward = perKind(backend, FILE, "_forward");
        backward = perKind(backend, FILE, "_backward");
        add = perKind(backend, FILE, "_add");
        preluForward = new KernelPair(backend, FILE, "prelu_forward");
        preluBackward = new KernelPair(backend, FILE, "prelu_backward");
    }

    /** The kernels of a file for each kind of activation; none for NONE. */
    static KernelPair[] perKind(CudaBackend backend, String file, String suffix) {
        Activation.Kind[] kinds = Activation.Kind.values();
        KernelPair[] pairs = new KernelPair[kinds.length];
        for (Activation.Kind kind : kinds) {
            if (kind != Activation.Kind.NONE) {
                pairs[kind.ordinal()] = new KernelPair(backend, file, new Activation(kind, 0).opName() + suffix);
            }
        }
        return pairs;
    }

    boolean supports(OpKind op, DType dtype) {
        return dtype == DType.F32 || dtype == DType.BF16;
    }

    @Override
    public void forward(Activation activation, Tensor input, Tensor output) {
        backend.checkDType(activation.opName(), input, output);
        if (isLinear(activation, input, output)) {
            return;
        }
        DType dtype = input.dtype();
        long count = input.elementCount();
        backend.launch(forward[activation.kind().ordinal()].of(dtype))
                .address(in(input))
                .address(out(output))
                .float32(activation.alpha())
                .int64(count)
                .elements(threads(count, dtype));
    }

    /** Without activation, copies, and there is nothing else to do. */
    private boolean isLinear(Activation activation, Tensor from, Tensor to) {
        if (activation.kind() != Activation.Kind.NONE) {
            return false;
        }
        if (!from.sharesMemoryWith(to)) {
            backend.copy(from, to);
        }
        return true;
    }

    @Override
    public void backward(Activation activation, Tensor output, Tensor gradOutput, Tensor gradInput) {
        backend.checkDType(activation.opName(), output, gradOutput, gradInput);
        if (isLinear(activation, gradOutput, gradInput)) {
            return;
        }
        DType dtype = output.dtype();
        long count = output.elementCount();
        backend.launch(backward[activation.kind().ordinal()].of(dtype))
                .address(in(output))
                .address(in(gradOutput))
                .address(out(gradInput))
                .float32(activation.alpha())
                .int64(count)
                .elements(threads(count, dtype));
    }

    @Override
    public void addForward(Activation activation, Tensor a, Tensor b, Tensor output) {
        backend.checkDType("add_activation", a, b, output);
        if (activation.kind() == Activation.Kind.NONE) {
            backend.add(a, b, output);
            return;
        }
        DType dtype = output.dtype();
        long count = output.elementCount();
        backend.launch(add[activation.kind().ordinal()].of(dtype))
                .address(in(a))
                .address(in(b))
                .address(out(output))
                .float32(activation.alpha())
                .int64(count)
                .elements(threads(count, dtype));
    }

    @Override
    public void preluForward(Tensor input, Tensor slope, Tensor output) {
        backend.checkDTypes("prelu", input, output, slope);
        DType dtype = input.dtype();
        long count = input.elementCount();
        backend.launch(preluForward.of(dtype))
                .address(in(input))
                .address(in(slope))
                .address(out(output))
                .int32(input.shape().dim(-1))
                .int64(count)
                .elements(threads(count, dtype));
    }

    @Override
    public void preluBackward(Tensor input, Tensor slope, Tensor gradOutput, Tensor gradInput, Tensor gradSlope) {
        backend.checkDTypes("prelu", input, gradOutput, slope);
        // First, for the input's gradient may overwrite the output's.
        if (gradSlope != null) {
            backend.checkF32("prelu", gradSlope);
            backend.arithmetic.reductions().preluSlopes(input, gradOutput, gradSlope);
        }
        if (gradInput != null) {
            DType dtype = input.dtype();
            long count = input.elementCount();
            backend.launch(preluBackward.of(dtype))
                    .address(in(input))
                    .address(in(gradOutput))
                    .address(in(slope))
                    .address(out(gradInput))
                    .int32(input.shape().dim(-1))
                    .int64(count)
                    .elements(threads(count, dtype));
        }
    }
}
