package tenon.engine.ops;

import static tenon.engine.autograd.Autograd.save;
import static tenon.engine.autograd.Autograd.saveNothing;

import tenon.engine.Shape;
import tenon.engine.Tensor;
import tenon.engine.autograd.Autograd;
import tenon.engine.backend.Backend;
import tenon.engine.backend.OpKind;
import tenon.engine.backend.PoolingKernels;

/** 2-D pooling over [N, H, W, C]; see {@link PoolSpec} for sizes and {@link PoolingKernels} for ties. */
public final class Pooling {
    private Pooling() {}

    /** Largest element of each window. Saves a workspace of which element won, not the input; a back-end may have it the other way round. */
    public static Tensor maxPool2d(Tensor input, PoolSpec spec) {
        Backend backend = Checks.backend("max_pool2d", OpKind.MAX_POOL, input);
        Shape shape = spec.outputShape("max_pool2d", input.shape());
        Tensor output = Tensor.empty(backend, shape, input.dtype());
        PoolingKernels kernels = backend.pooling();
        boolean recording = Autograd.isRecording(input);
        if (recording && kernels.readsOperands(spec, input, output)) {
            kernels.maxForward(spec, input, output, null);
            return Autograd.record(
                    "max_pool2d",
                    save(input),
                    output,
                    save(input, output),
                    (saved, grads) -> kernels.maxBackward(spec, saved[0], saved[1], grads.output(), grads.target(0)));
        }
        Tensor workspace = recording
                ? Tensor.empty(backend, kernels.workspaceShape(spec, input.shape(), shape), kernels.workspaceType())
                : null;
        kernels.maxForward(spec, input, output, workspace);
        Autograd.record(
                "max_pool2d",
                save(input),
                output,
                save(workspace),
                (saved, grads) -> kernels.maxBackward(spec, grads.output(), saved[0], grads.target(0)));
        if (workspace != null) {
            workspace.close();
        }
        return output;
    }

    public static Tensor avgPool2d(Tensor input, PoolSpec spec) {
        return average("avg_pool2d", input, spec);
    }

    /** Mean over height and width: [N, H, W, C] to [N, 1, 1, C]. */
    public static Tensor globalAvgPool2d(Tensor input) {
        Checks.rank("global_avg_pool2d", "input", input, 4, "[N, H, W, C]");
        int h = input.shape().dim(1);
        int w = input.shape().dim(2);
        return average("global_avg_pool2d", input, new PoolSpec(h, w, 1, 1, Padding.NONE, false, false));
    }

    private static Tensor average(String op, Tensor input, PoolSpec spec) {
        Backend backend = Checks.backend(op, OpKind.AVG_POOL, input);
        Tensor output = Tensor.empty(backend, spec.outputShape(op, input.shape()), input.dtype());
        backend.pooling().averageForward(spec, input, output);
        return Autograd.record(
                op,
                save(input),
                output,
                saveNothing(),
                (_, grads) -> backend.pooling().averageBackward(spec, grads.output(), grads.target(0)));
    }
}
