package tenon.engine.backend.cuda;

import static tenon.engine.backend.cuda.Vectors.out;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import tenon.engine.DType;
import tenon.engine.ShapeException;
import tenon.engine.TenonException;
import tenon.engine.Tensor;
import tenon.engine.backend.OpKind;
import tenon.engine.backend.StepState;
import tenon.engine.backend.UpdateKernels;

/**
 * Optimizer updates: one launch for all parameters, which writes the BF16 copies of weights in the same pass. What changes from step to step is read from device memory ({@link StepScalars}), so
 * that an update may be part of a recorded step.
 */
final class CudaUpdates implements UpdateKernels {
    private static final String FILE = "updates";

    private final CudaBackend backend;
    private final UpdateTable table;
    private final UpdateTable squares;
    private Kernel sgd;
    private Kernel sgdMomentum;
    private Kernel sgdNesterov;
    private Kernel adam;
    private Kernel adamDecoupled;
    private Kernel rmsprop;
    private Kernel rmspropMomentum;
    private Kernel sumOfSquares;
    private Kernel total;
    private Kernel clipFactor;

    CudaUpdates(CudaBackend backend) {
        this.backend = backend;
        table = new UpdateTable(backend, false);
        squares = new UpdateTable(backend, false);
    }

    boolean supports(OpKind op, DType dtype) {
        return dtype == DType.F32;
    }

    private Kernel kernel(Kernel known, String name) {
        return known != null ? known : backend.kernels.get(FILE, name);
    }

    /** Adds a rule's own arguments to a launch. */
    @FunctionalInterface
    private interface Arguments {
        void add(Launch launch);
    }

    /** Queues a rule over all parameters. */
    private void update(
            Kernel kernel,
            Tensor[] weight,
            Tensor[] grad,
            Tensor[] first,
            Tensor[] second,
            float[] weightDecay,
            float[] rateScale,
            Tensor clip,
            StepScalars.Writer now,
            Arguments arguments) {
        synchronized (backend.lock) {
            table.clear();
            for (int i = 0; i < weight.length; i++) {
                backend.checkF32("update", weight[i]);
                backend.checkF32("update", grad[i]);
                table.add(
                        UpdateTable.addressOf(weight, i),
                        UpdateTable.addressOf(grad, i),
                        UpdateTable.addressOf(first, i),
                        UpdateTable.addressOf(second, i),
                        backend.bf16ToWrite(weight[i]),
                        weight[i].elementCount(),
                        weightDecay[i],
                        rateScale[i]);
            }
            table.send();
            if (table.chunks() == 0) {
                return;
            }
            long values = backend.scalars.put(3 * Float.BYTES, now);
            Launch launch = backend.launch(kernel)
                    .address(table.records())
                    .address(table.chunkNumbers())
                    .address(values)
                    .address(backend.scalars.guard())
                    .address(clip == null ? 0 : clip.address());
            arguments.add(launch);
            launch.grid(table.chunks(), 1, 1, Launch.THREADS);
            for (Tensor tensor : weight) {
                backend.bf16Written(tensor);
            }
        }
    }

    private static void writeRate(StepState now, MemorySegment to, float rate) {
        to.set(ValueLayout.JAVA_FLOAT, 0, now.rateOr(rate));
    }

    @Override
    public void sgd(
            Tensor[] weight,
            Tensor[] grad,
            Tensor[] velocity,
            float rate,
            float momentum,
            boolean nesterov,
            float rescale,
            Tensor clip,
            float[] weightDecay,
            float[] rateScale) {
        StepScalars.Writer now = (state, to) -> writeRate(state, to, rate);
        if (velocity == null) {
            sgd = kernel(sgd, "sgd");
            update(sgd, weight, grad, null, null, weightDecay, rateScale, clip, now, launch -> launch.float32(rescale));
            return;
        }
        if (nesterov) {
            sgdNesterov = kernel(sgdNesterov, "sgd_nesterov");
        } else {
            sgdMomentum = kernel(sgdMomentum, "sgd_momentum");
        }
        update(
                nesterov ? sgdNesterov : sgdMomentum,
                weight,
                grad,
                velocity,
                null,
                weightDecay,
                rateScale,
                clip,
                now,
                launch -> launch.float32(momentum).float32(rescale));
    }

    @Override
    public void adam(
            Tensor[] weight,
            Tensor[] grad,
            Tensor[] firstMoment,
            Tensor[] secondMoment,
            float rate,
            float beta1,
            float beta2,
            float epsilon,
            int t,
            boolean decoupled,
            float rescale,
            Tensor clip,
            float[] weightDecay,
            float[] rateScale) {
        if (decoupled) {
            adamDecoupled = kernel(adamDecoupled, "adam_decoupled");
        } else {
            adam = kernel(adam, "adam");
        }
        update(
                decoupled ? adamDecoupled : adam,
                weight,
                grad,
                firstMoment,
                secondMoment,
                weightDecay,
                rateScale,
                clip,
                (state, to) -> {
                    writeRate(state, to, rate);
                    int steps = state.updateOr(t);
                    to.set(ValueLayout.JAVA_FLOAT, 4, (float) (1 / (1 - Math.pow(beta1, steps))));
                    to.set(ValueLayout.JAVA_FLOAT, 8, (float) (1 / (1 - Math.pow(beta2, steps))));
                },
                launch -> launch.float32(beta1).float32(beta2).float32(epsilon).float32(rescale));
    }

    @Override
    public void rmsprop(
            Tensor[] weight,
            Tensor[] grad,
            Tensor[] squareAverage,
            Tensor[] buffer,
            float rate,
            float decay,
            float epsilon,
            float momentum,
            float rescale,
            Tensor clip,
            float[] weightDecay,
            float[] rateScale) {
        StepScalars.Writer now = (state, to) -> writeRate(state, to, rate);
        if (buffer == null) {
            rmsprop = kernel(rmsprop, "rmsprop");
            update(
                    rmsprop,
                    weight,
                    grad,
                    squareAverage,
                    null,
                    weightDecay,
                    rateScale,
                    clip,
                    now,
                    launch -> launch.float32(decay).float32(epsilon).float32(rescale));
            return;
        }
        rmspropMomentum = kernel(rmspropMomentum, "rmsprop_momentum");
        update(
                rmspropMomentum,
                weight,
                grad,
                squareAverage,
                buffer,
                weightDecay,
                rateScale,
                clip,
                now,
                launch ->
                        launch.float32(decay).float32(epsilon).float32(momentum).float32(rescale));
    }

    /** Waits for the device. */
    @Override
    public double sumOfSquares(Tensor[] tensors) {
        backend.checkNotCapturing("sum_of_squares");
        synchronized (backend.lock) {
            int chunks = sendSquares("sum_of_squares", tensors);
            if (chunks == 0) {
                return 0;
            }
            if (total == null) {
                total = backend.kernels.get("reduction", "total_f64");
            }
            long sum = backend.scratch.get((1L + chunks) * Double.BYTES);
            long partial = sum + Double.BYTES;
            launchSquares(chunks, partial);
            backend.launch(total).address(partial).int64(chunks).address(sum).grid(1, 1, 1, Launch.THREADS);
            MemorySegment host = MemorySegment.ofArray(new double[1]);
            backend.hostCopies.download(sum, host);
            return host.get(ValueLayout.JAVA_DOUBLE, 0);
        }
    }

    @Override
    public void clipFactor(Tensor[] grad, double rescale, double limit, Tensor clip) {
        backend.checkF32("clip_factor", clip);
        if (clip.elementCount() != 2) {
            throw new ShapeException(
                    TenonException.where("clip_factor") + ": clip must be F32 [2]: clip=" + clip.shape());
        }
        synchronized (backend.lock) {
            int chunks = sendSquares("clip_factor", grad);
            clipFactor = kernel(clipFactor, "clip_factor");
            long partial = backend.scratch.get((long) chunks * Double.BYTES);
            launchSquares(chunks, partial);
            backend.launch(clipFactor)
                    .address(partial)
                    .int64(chunks)
                    .float64(rescale)
                    .float64(limit)
                    .address(out(clip))
                    .address(backend.capturing() ? backend.scalars.problem() : 0)
                    .grid(1, 1, 1, Launch.THREADS);
        }
    }

    /** Brings a table of the tensors into device memory; returns its chunks. */
    private int sendSquares(String op, Tensor[] tensors) {
        squares.clear();
        for (int i = 0; i < tensors.length; i++) {
            backend.checkF32(op, tensors[i]);
            squares.add(0, UpdateTable.addressOf(tensors, i), 0, 0, 0, tensors[i].elementCount(), 0, 0);
        }
        squares.send();
        return squares.chunks();
    }

    private void launchSquares(int chunks, long partial) {
        sumOfSquares = kernel(sumOfSquares, "sum_of_squares");
        backend.launch(sumOfSquares)
                .address(squares.records())
                .address(squares.chunkNumbers())
                .address(partial)
                .grid(chunks, 1, 1, Launch.THREADS);
    }
}
