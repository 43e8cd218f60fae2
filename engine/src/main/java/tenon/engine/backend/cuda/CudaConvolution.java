package tenon.engine.backend.cuda;

import java.util.HashMap;
import java.util.Map;
import tenon.engine.DType;
import tenon.engine.NotCapturableException;
import tenon.engine.Shape;
import tenon.engine.TenonException;
import tenon.engine.Tensor;
import tenon.engine.backend.ConvolutionKernels;
import tenon.engine.backend.OpKind;
import tenon.engine.ops.Activation;
import tenon.engine.ops.ConvSpec;

/**
 * Convolutions by cuDNN, with own kernels for what it lacks: unequal padding where no plan has it, activations other than ReLU, F32 gradients of weights in BF16 where no plan has those,
 * and the bias's gradient. Which plan computes what is chosen when a layer with its sizes first comes by, see {@link ConvolutionChooser}.
 */
final class CudaConvolution implements ConvolutionKernels {
    private static final String FILE = "convolution";

    private record Key(
            Pass pass,
            ConvSpec spec,
            Shape image,
            Shape filter,
            Shape result,
            DType dtype,
            boolean bias,
            Activation activation) {}

    final Variants shift;
    final Variants addShifted;
    private final CudaBackend backend;
    private final Map<Key, ConvolutionRoute> routes = new HashMap<>();
    private ConvolutionChooser chooser;
    private Kernel widen;

    CudaConvolution(CudaBackend backend) {
        this.backend = backend;
        shift = new Variants(backend, FILE, "shift");
        addShifted = new Variants(backend, FILE, "add_shifted");
    }

    boolean supports(OpKind op, DType dtype) {
        return dtype == DType.F32 || dtype == DType.BF16;
    }

    /** BF16 to F32. */
    Kernel widen() {
        if (widen == null) {
            widen = backend.kernels.get(FILE, "widen");
        }
        return widen;
    }

    @Override
    public void forward(ConvSpec spec, Tensor input, Tensor weight, Tensor bias, Activation activation, Tensor output) {
        backend.checkDTypes("conv2d", input, output, weight);
        if (output.elementCount() == 0) {
            return;
        }
        synchronized (backend.lock) {
            backend.enter();
            run(
                    new Key(
                            Pass.FORWARD,
                            spec,
                            input.shape(),
                            weight.shape(),
                            output.shape(),
                            input.dtype(),
                            bias != null,
                            activation),
                    input.address(),
                    weight(weight, input.dtype()),
                    bias == null ? 0 : bias.address(),
                    output.address());
        }
    }

    @Override
    public void backwardInput(ConvSpec spec, Tensor gradOutput, Tensor weight, Tensor gradInput) {
        inputGradient(Pass.BACKWARD_INPUT, spec, gradOutput, weight, gradInput);
    }

    @Override
    public boolean accumulateInput(ConvSpec spec, Tensor gradOutput, Tensor weight, Tensor gradInput) {
        inputGradient(Pass.ACCUMULATE_INPUT, spec, gradOutput, weight, gradInput);
        return true;
    }

    private void inputGradient(Pass pass, ConvSpec spec, Tensor gradOutput, Tensor weight, Tensor gradInput) {
        backend.checkDTypes("conv2d", gradOutput, gradInput, weight);
        if (gradInput.elementCount() == 0) {
            return;
        }
        synchronized (backend.lock) {
            backend.enter();
            run(
                    new Key(
                            pass,
                            spec,
                            gradInput.shape(),
                            weight.shape(),
                            gradOutput.shape(),
                            gradInput.dtype(),
                            false,
                            Activation.NONE),
                    gradInput.address(),
                    weight(weight, gradInput.dtype()),
                    0,
                    gradOutput.address());
        }
    }

    @Override
    public void backwardWeight(ConvSpec spec, Tensor input, Tensor gradOutput, Tensor gradWeight, Tensor gradBias) {
        backend.checkDTypes("conv2d", input, gradOutput, gradWeight);
        if (gradOutput.elementCount() == 0) {
            backend.fill(gradWeight, 0);
        } else {
            synchronized (backend.lock) {
                backend.enter();
                run(
                        new Key(
                                Pass.BACKWARD_WEIGHT,
                                spec,
                                input.shape(),
                                gradWeight.shape(),
                                gradOutput.shape(),
                                input.dtype(),
                                false,
                                Activation.NONE),
                        input.address(),
                        gradWeight.address(),
                        0,
                        gradOutput.address());
            }
        }
        if (gradBias != null) {
            backend.bias.gradient(gradOutput, gradBias);
        }
    }

    private long weight(Tensor weight, DType dtype) {
        return dtype == DType.BF16 ? backend.bf16(weight) : weight.storage().blockAddress();
    }

    private void run(Key key, long image, long filter, long bias, long result) {
        ConvolutionRoute route = routes.get(key);
        if (route == null) {
            if (backend.capturing()) {
                throw new NotCapturableException(TenonException.where("conv2d") + ": the first convolution of "
                        + key.image + " with " + key.filter
                        + " chooses an algorithm by measuring, so a step with it cannot"
                        + " be recorded (it runs without recording)");
            }
            if (chooser == null) {
                chooser = backend.owned(new ConvolutionChooser(backend));
            }
            ConvolutionProblem whole = ConvolutionProblem.of(
                    key.pass, key.spec, key.image, key.filter, key.result, key.dtype, backend.options.tf32());
            route = chooser.choose(whole, key.bias, key.activation, image, filter, bias, result);
            routes.put(key, route);
        }
        CudnnStatus.check("conv2d", "the chosen plan", route.run(image, filter, bias, result));
    }

    /** Choices that were measured, not remembered from an earlier run. */
    long measured() {
        return chooser == null ? 0 : chooser.measured();
    }
}
