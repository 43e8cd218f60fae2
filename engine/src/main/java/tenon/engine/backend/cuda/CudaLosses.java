package tenon.engine.backend.cuda;

import static tenon.engine.backend.cuda.Vectors.in;
import static tenon.engine.backend.cuda.Vectors.out;
import static tenon.engine.backend.cuda.Vectors.outOrNull;
import static tenon.engine.backend.cuda.Vectors.threads;

import tenon.engine.Context;
import tenon.engine.DType;
import tenon.engine.Tensor;
import tenon.engine.backend.LossKernels;
import tenon.engine.backend.OpKind;

/** Softmax and the losses, by own kernels. */
final class CudaLosses implements LossKernels {
    private static final String FILE = "losses";
    /** From this row length on, a block computes a row instead of a warp. */
    private static final int LONG_ROW = 2048;

    /** A kernel with a warp to each row, and one with a block. */
    private record RowKernel(KernelPair perWarp, KernelPair perBlock) {
        static RowKernel of(CudaBackend backend, String name) {
            return new RowKernel(new KernelPair(backend, FILE, name), new KernelPair(backend, FILE, "long_" + name));
        }

        Kernel of(DType dtype, int columns) {
            return (columns < LONG_ROW ? perWarp : perBlock).of(dtype);
        }
    }

    private final CudaBackend backend;
    private final RowKernel softmaxForward;
    private final RowKernel softmaxBackward;
    private final RowKernel labelsForward;
    private final RowKernel labelsBackward;
    private final RowKernel probabilitiesForward;
    private final RowKernel probabilitiesBackward;
    private final KernelPair sigmoidParts;
    private final KernelPair sigmoidBackward;
    private final KernelPair squaredParts;
    private final KernelPair squaredBackward;
    private Kernel mean;
    private Kernel findBadLabel;
    private Kernel flagBadLabel;

    CudaLosses(CudaBackend backend) {
        this.backend = backend;
        softmaxForward = RowKernel.of(backend, "softmax_forward");
        softmaxBackward = RowKernel.of(backend, "softmax_backward");
        labelsForward = RowKernel.of(backend, "cross_entropy_labels_forward");
        labelsBackward = RowKernel.of(backend, "cross_entropy_labels_backward");
        probabilitiesForward = RowKernel.of(backend, "cross_entropy_probabilities_forward");
        probabilitiesBackward = RowKernel.of(backend, "cross_entropy_probabilities_backward");
        sigmoidParts = new KernelPair(backend, FILE, "sigmoid_cross_entropy_parts");
        sigmoidBackward = new KernelPair(backend, FILE, "sigmoid_cross_entropy_backward");
        squaredParts = new KernelPair(backend, FILE, "squared_error_parts");
        squaredBackward = new KernelPair(backend, FILE, "squared_error_backward");
    }

    boolean supports(OpKind op, DType dtype) {
        return dtype == DType.F32 || dtype == DType.BF16;
    }

    private static void start(Launch launch, long rows, int columns) {
        CudaReductions.perRow(launch.int64(rows).int32(columns), columns >= LONG_ROW, rows);
    }

    @Override
    public void softmaxForward(Tensor input, Tensor output) {
        backend.checkDType("softmax", input, output);
        int classes = input.shape().dim(-1);
        Launch launch = backend.launch(softmaxForward.of(input.dtype(), classes))
                .address(in(input))
                .address(out(output));
        start(launch, input.shape().outerCount(), classes);
    }

    @Override
    public void softmaxBackward(Tensor output, Tensor gradOutput, Tensor gradInput) {
        backend.checkDType("softmax", output, gradOutput, gradInput);
        int classes = output.shape().dim(-1);
        Launch launch = backend.launch(softmaxBackward.of(output.dtype(), classes))
                .address(in(output))
                .address(in(gradOutput))
                .address(out(gradInput));
        start(launch, output.shape().outerCount(), classes);
    }

    @Override
    public void softmaxCrossEntropyForward(
            Tensor logits, Tensor target, double smoothing, Tensor loss, Tensor probabilities) {
        backend.checkDType("softmax_cross_entropy", logits);
        backend.checkF32("softmax_cross_entropy", loss);
        checkTarget(target);
        long rows = logits.shape().dim(0);
        int classes = logits.shape().dim(1);
        RowKernel kernel = target.dtype() == DType.I32 ? labelsForward : probabilitiesForward;
        synchronized (backend.lock) {
            long losses = backend.scratch.get(rows * Float.BYTES);
            Launch launch = backend.launch(kernel.of(logits.dtype(), classes))
                    .address(in(logits))
                    .address(in(target))
                    .float32((float) (1 - smoothing))
                    .float32((float) (smoothing / classes))
                    .address(losses)
                    .address(outOrNull(probabilities));
            start(launch, rows, classes);
            if (mean == null) {
                mean = backend.kernels.get("reduction", "mean_f32");
            }
            backend.launch(mean).address(losses).int64(rows).address(out(loss)).grid(1, 1, 1, Launch.THREADS);
        }
    }

    private void checkTarget(Tensor target) {
        if (target.dtype() != DType.I32) {
            backend.checkF32("softmax_cross_entropy", target);
        }
    }

    @Override
    public void softmaxCrossEntropyBackward(
            Tensor probabilities, Tensor target, double smoothing, Tensor gradLoss, Tensor gradLogits) {
        backend.checkF32("softmax_cross_entropy", probabilities);
        backend.checkF32("softmax_cross_entropy", gradLoss);
        backend.checkDType("softmax_cross_entropy", gradLogits);
        checkTarget(target);
        int classes = probabilities.shape().dim(1);
        RowKernel kernel = target.dtype() == DType.I32 ? labelsBackward : probabilitiesBackward;
        Launch launch = backend.launch(kernel.of(gradLogits.dtype(), classes))
                .address(in(probabilities))
                .address(in(target))
                .float32((float) (1 - smoothing))
                .float32((float) (smoothing / classes))
                .address(in(gradLoss))
                .address(out(gradLogits));
        start(launch, probabilities.shape().dim(0), classes);
    }

    @Override
    public void sigmoidCrossEntropyForward(Tensor logits, Tensor target, Tensor loss) {
        mean("sigmoid_cross_entropy", sigmoidParts, logits, target, loss);
    }

    @Override
    public void sigmoidCrossEntropyBackward(Tensor logits, Tensor target, Tensor gradLoss, Tensor gradLogits) {
        gradient("sigmoid_cross_entropy", sigmoidBackward, logits, target, gradLoss, gradLogits);
    }

    @Override
    public void meanSquaredErrorForward(Tensor input, Tensor target, Tensor loss) {
        mean("mse", squaredParts, input, target, loss);
    }

    @Override
    public void meanSquaredErrorBackward(Tensor input, Tensor target, Tensor gradLoss, Tensor gradInput) {
        gradient("mse", squaredBackward, input, target, gradLoss, gradInput);
    }

    /** loss = mean of a kernel's terms. */
    private void mean(String op, KernelPair kernel, Tensor input, Tensor target, Tensor loss) {
        backend.checkDType(op, input);
        backend.checkF32(op, target);
        backend.checkF32(op, loss);
        long count = input.elementCount();
        int parts = CudaReductions.parts(count, DType.F32);
        synchronized (backend.lock) {
            long partial = backend.scratch.get((long) parts * Double.BYTES);
            backend.launch(kernel.of(input.dtype()))
                    .address(in(input))
                    .address(in(target))
                    .address(partial)
                    .int64(count)
                    .grid(parts, 1, 1, Launch.THREADS);
            backend.arithmetic.reductions().total(partial, parts, count, loss);
        }
    }

    private void gradient(
            String op, KernelPair kernel, Tensor input, Tensor target, Tensor gradLoss, Tensor gradInput) {
        backend.checkDType(op, input, gradInput);
        backend.checkF32(op, target);
        backend.checkF32(op, gradLoss);
        long count = input.elementCount();
        backend.launch(kernel.of(input.dtype()))
                .address(in(input))
                .address(in(target))
                .address(in(gradLoss))
                .address(out(gradInput))
                .int64(count)
                .elements(threads(count, DType.F32));
    }

    /** Waits for the device, unless checks are late. While a step is recorded it returns −1, and the recorded step itself finds out: {@link StepScalars#guard}. */
    @Override
    public long findBadIndex(Tensor indices, int classes) {
        long count = indices.elementCount();
        if (count == 0) {
            return -1;
        }
        if (backend.capturing()) {
            if (flagBadLabel == null) {
                flagBadLabel = backend.kernels.get(FILE, "flag_bad_label");
            }
            backend.launch(flagBadLabel)
                    .address(in(indices))
                    .int32(classes)
                    .address(backend.scalars.guard())
                    .int32(StepScalars.BAD_INDEX)
                    .int64(count)
                    .elements(count);
            return -1;
        }
        if (Context.get().lateChecks()) {
            return -1;
        }
        if (findBadLabel == null) {
            findBadLabel = backend.kernels.get(FILE, "find_bad_label");
        }
        synchronized (backend.lock) {
            long found = backend.scratch.get(Long.BYTES);
            backend.arithmetic.fill(found, 0, Long.BYTES);
            backend.launch(findBadLabel)
                    .address(in(indices))
                    .int32(classes)
                    .address(found)
                    .int64(count)
                    .elements(count);
            long fromEnd = backend.arithmetic.readLong(found);
            return fromEnd == 0 ? -1 : count - fromEnd;
        }
    }
}
