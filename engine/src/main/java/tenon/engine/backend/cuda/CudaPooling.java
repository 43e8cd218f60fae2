package tenon.engine.backend.cuda;

import java.util.HashMap;
import java.util.Map;
import tenon.engine.DType;
import tenon.engine.Shape;
import tenon.engine.Tensor;
import tenon.engine.backend.OpKind;
import tenon.engine.backend.PoolingKernels;
import tenon.engine.backend.cuda.CudaOptions.LibraryChoice;
import tenon.engine.backend.cuda.CudnnPooling.Geometry;
import tenon.engine.ops.PoolSpec;

/** Pooling: by cuDNN or by own kernels, as {@link LibraryChooser} says when a geometry first comes by; ceil mode with a rest and unequal padding by own kernels. */
final class CudaPooling implements PoolingKernels {
    /** @param training whether a backward pass follows */
    private record Problem(Geometry geometry, boolean training) {}

    private final CudaBackend backend;
    private final OwnPooling own;
    private final Map<Problem, Boolean> chosen = new HashMap<>();
    private CudnnPooling cudnn;

    CudaPooling(CudaBackend backend) {
        this.backend = backend;
        own = new OwnPooling(backend);
    }

    boolean supports(OpKind op, DType dtype) {
        return dtype == DType.F32 || dtype == DType.BF16;
    }

    @Override
    public DType workspaceType() {
        return own.workspaceType();
    }

    @Override
    public Shape workspaceShape(PoolSpec spec, Shape input, Shape output) {
        return own.workspaceShape(spec, input, output);
    }

    // ---- maximum ----

    @Override
    public boolean readsOperands(PoolSpec spec, Tensor input, Tensor output) {
        backend.checkDType("max_pool2d", input, output);
        Geometry of = new Geometry(true, spec, input.shape(), output.shape(), input.dtype());
        synchronized (backend.lock) {
            return isCudnns(new Problem(of, true), new LibraryChooser.Trial() {
                @Override
                public int cudnn() {
                    int status = cudnn.forward(of, input, output);
                    if (status != CudnnStatus.SUCCESS) {
                        return status;
                    }
                    try (Tensor gradOutput = backend.like(output);
                            Tensor gradInput = backend.like(input)) {
                        return cudnn.maxBackward(of, input, output, gradOutput, gradInput);
                    }
                }

                @Override
                public void own() {
                    Shape winners = own.workspaceShape(spec, of.input(), of.output());
                    try (Tensor workspace = Tensor.empty(backend, winners, own.workspaceType());
                            Tensor gradOutput = backend.like(output);
                            Tensor gradInput = backend.like(input)) {
                        own.maxForward(spec, input, output, workspace);
                        own.maxBackward(spec, gradOutput, workspace, gradInput);
                    }
                }
            });
        }
    }

    @Override
    public void maxForward(PoolSpec spec, Tensor input, Tensor output, Tensor workspace) {
        backend.checkDType("max_pool2d", input, output);
        if (workspace == null) {
            Geometry of = new Geometry(true, spec, input.shape(), output.shape(), input.dtype());
            synchronized (backend.lock) {
                boolean trained = chosen.getOrDefault(new Problem(of, true), false);
                if (trained
                        || isCudnns(new Problem(of, false), new LibraryChooser.Trial() {
                            @Override
                            public int cudnn() {
                                return cudnn.forward(of, input, output);
                            }

                            @Override
                            public void own() {
                                own.maxForward(spec, input, output, null);
                            }
                        })) {
                    CudnnStatus.check(of.op(), "cudnnPoolingForward", cudnn.forward(of, input, output));
                    return;
                }
            }
        }
        own.maxForward(spec, input, output, workspace);
    }

    @Override
    public void maxBackward(PoolSpec spec, Tensor gradOutput, Tensor workspace, Tensor gradInput) {
        own.maxBackward(spec, gradOutput, workspace, gradInput);
    }

    @Override
    public void maxBackward(PoolSpec spec, Tensor input, Tensor output, Tensor gradOutput, Tensor gradInput) {
        backend.checkDType("max_pool2d", gradOutput, gradInput);
        Geometry of = new Geometry(true, spec, input.shape(), output.shape(), input.dtype());
        synchronized (backend.lock) {
            CudnnStatus.check(
                    of.op(), "cudnnPoolingBackward", cudnn.maxBackward(of, input, output, gradOutput, gradInput));
        }
    }

    // ---- average ----

    @Override
    public void averageForward(PoolSpec spec, Tensor input, Tensor output) {
        backend.checkDType("avg_pool2d", input, output);
        Geometry of = new Geometry(false, spec, input.shape(), output.shape(), input.dtype());
        synchronized (backend.lock) {
            if (isCudnns(new Problem(of, true), new LibraryChooser.Trial() {
                @Override
                public int cudnn() {
                    int status = cudnn.forward(of, input, output);
                    if (status != CudnnStatus.SUCCESS) {
                        return status;
                    }
                    try (Tensor gradInput = backend.like(input)) {
                        return cudnn.averageBackward(of, output, gradInput);
                    }
                }

                @Override
                public void own() {
                    try (Tensor gradInput = backend.like(input)) {
                        own.averageForward(spec, input, output);
                        own.averageBackward(spec, output, gradInput);
                    }
                }
            })) {
                CudnnStatus.check(of.op(), "cudnnPoolingForward", cudnn.forward(of, input, output));
                return;
            }
        }
        own.averageForward(spec, input, output);
    }

    @Override
    public void averageBackward(PoolSpec spec, Tensor gradOutput, Tensor gradInput) {
        backend.checkDType("avg_pool2d", gradOutput, gradInput);
        Geometry of = new Geometry(false, spec, gradInput.shape(), gradOutput.shape(), gradInput.dtype());
        synchronized (backend.lock) {
            // As the forward pass before it was.
            if (chosen.getOrDefault(new Problem(of, true), false)) {
                CudnnStatus.check(of.op(), "cudnnPoolingBackward", cudnn.averageBackward(of, gradOutput, gradInput));
                return;
            }
        }
        own.averageBackward(spec, gradOutput, gradInput);
    }

    private boolean isCudnns(Problem problem, LibraryChooser.Trial trial) {
        LibraryChoice choice = backend.options.pooling();
        if (choice == LibraryChoice.OWN) {
            return false;
        }
        Boolean known = chosen.get(problem);
        if (known == null) {
            if (cudnn == null) {
                cudnn = backend.owned(new CudnnPooling(backend));
            }
            known = problem.geometry.isCudnns()
                    && backend.chooser().prefersCudnn(problem.geometry.op(), choice, problem, trial);
            chosen.put(problem, known);
        }
        return known;
    }
}
