package tenon.engine.backend.cuda;

import static jcuda.jcudnn.JCudnn.*;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import jcuda.Pointer;
import jcuda.jcudnn.cudnnActivationDescriptor;
import jcuda.jcudnn.cudnnActivationMode;
import jcuda.jcudnn.cudnnConvolutionBwdDataAlgoPerf;
import jcuda.jcudnn.cudnnConvolutionBwdFilterAlgoPerf;
import jcuda.jcudnn.cudnnConvolutionDescriptor;
import jcuda.jcudnn.cudnnConvolutionFwdAlgo;
import jcuda.jcudnn.cudnnConvolutionFwdAlgoPerf;
import jcuda.jcudnn.cudnnConvolutionMode;
import jcuda.jcudnn.cudnnDataType;
import jcuda.jcudnn.cudnnDeterminism;
import jcuda.jcudnn.cudnnFilterDescriptor;
import jcuda.jcudnn.cudnnHandle;
import jcuda.jcudnn.cudnnMathType;
import jcuda.jcudnn.cudnnNanPropagation;
import jcuda.jcudnn.cudnnTensorDescriptor;
import jcuda.jcudnn.cudnnTensorFormat;
import tenon.engine.DType;
import tenon.engine.DeviceException;

/**
 * The calls per operation: {@code cudnnConvolutionForward}, {@code …BiasActivationForward}, {@code …BackwardData}, {@code …BackwardFilter}. They know equal padding on opposite sides only,
 * results in the operands' dtype, and a fused bias in F32.
 */
final class LegacyConvolution implements ConvolutionEngine {
    private static final String OP = "conv2d";
    private static final Pointer ONE = Pointer.to(new float[] {1});
    private static final Pointer ZERO = Pointer.to(new float[] {0});

    private final CudaBackend backend;
    private final Map<ConvolutionProblem, Descriptors> descriptors = new HashMap<>();

    LegacyConvolution(CudaBackend backend) {
        this.backend = backend;
    }

    @Override
    public String name() {
        return "legacy";
    }

    @Override
    public List<ConvolutionPlan> plans(ConvolutionProblem problem) {
        List<ConvolutionPlan> plans = new ArrayList<>();
        if (canDo(problem)) {
            Descriptors of = descriptors.computeIfAbsent(problem, Descriptors::new);
            for (int algorithm : algorithms(of)) {
                Plan plan = plan(of, algorithm);
                if (plan != null) {
                    plans.add(plan);
                }
            }
        }
        return plans;
    }

    @Override
    public ConvolutionPlan restore(ConvolutionProblem problem, String token) {
        return plans(problem).stream()
                .filter(plan -> plan.token().equals(token))
                .findFirst()
                .orElse(null);
    }

    private static boolean canDo(ConvolutionProblem problem) {
        boolean epilogue = problem.bias() || problem.relu();
        return problem.isSymmetric()
                && problem.computed() == problem.dtype()
                && (!epilogue || problem.bias() && problem.dtype() == DType.F32);
    }

    /** What the library's heuristics name, best first, as far as the settings allow it. */
    private List<Integer> algorithms(Descriptors of) {
        List<Integer> algorithms = new ArrayList<>();
        int[] count = new int[1];
        cudnnHandle handle = backend.cudnn.get();
        switch (of.problem.pass()) {
            case FORWARD -> {
                check(
                        "cudnnGetConvolutionForwardAlgorithmMaxCount",
                        cudnnGetConvolutionForwardAlgorithmMaxCount(handle, count));
                var found = new cudnnConvolutionFwdAlgoPerf[count[0]];
                for (int i = 0; i < found.length; i++) {
                    found[i] = new cudnnConvolutionFwdAlgoPerf();
                }
                checkFound(
                        "cudnnGetConvolutionForwardAlgorithm_v7",
                        cudnnGetConvolutionForwardAlgorithm_v7(
                                handle, of.image, of.filter, of.convolution, of.result, found.length, count, found),
                        count);
                for (int i = 0; i < count[0]; i++) {
                    add(algorithms, found[i].algo, found[i].status, found[i].determinism);
                }
                if (of.problem.bias() && !of.problem.relu()) {
                    // What the library asks of the identity.
                    algorithms.retainAll(
                            List.of(cudnnConvolutionFwdAlgo.CUDNN_CONVOLUTION_FWD_ALGO_IMPLICIT_PRECOMP_GEMM));
                }
            }
            case BACKWARD_INPUT, ACCUMULATE_INPUT -> {
                check(
                        "cudnnGetConvolutionBackwardDataAlgorithmMaxCount",
                        cudnnGetConvolutionBackwardDataAlgorithmMaxCount(handle, count));
                var found = new cudnnConvolutionBwdDataAlgoPerf[count[0]];
                for (int i = 0; i < found.length; i++) {
                    found[i] = new cudnnConvolutionBwdDataAlgoPerf();
                }
                checkFound(
                        "cudnnGetConvolutionBackwardDataAlgorithm_v7",
                        cudnnGetConvolutionBackwardDataAlgorithm_v7(
                                handle, of.filter, of.result, of.convolution, of.image, found.length, count, found),
                        count);
                for (int i = 0; i < count[0]; i++) {
                    add(algorithms, found[i].algo, found[i].status, found[i].determinism);
                }
            }
            case BACKWARD_WEIGHT -> {
                check(
                        "cudnnGetConvolutionBackwardFilterAlgorithmMaxCount",
                        cudnnGetConvolutionBackwardFilterAlgorithmMaxCount(handle, count));
                var found = new cudnnConvolutionBwdFilterAlgoPerf[count[0]];
                for (int i = 0; i < found.length; i++) {
                    found[i] = new cudnnConvolutionBwdFilterAlgoPerf();
                }
                checkFound(
                        "cudnnGetConvolutionBackwardFilterAlgorithm_v7",
                        cudnnGetConvolutionBackwardFilterAlgorithm_v7(
                                handle, of.image, of.result, of.convolution, of.filter, found.length, count, found),
                        count);
                for (int i = 0; i < count[0]; i++) {
                    add(algorithms, found[i].algo, found[i].status, found[i].determinism);
                }
            }
        }
        return algorithms;
    }

    private static void check(String call, int status) {
        CudnnStatus.check(OP, call, status);
    }

    /** Nothing is found where nothing is supported. */
    private static void checkFound(String call, int status, int[] count) {
        if (CudnnStatus.isUnsupported(status)) {
            count[0] = 0;
        } else {
            check(call, status);
        }
    }

    private void add(List<Integer> algorithms, int algorithm, int status, int determinism) {
        boolean allowed = !backend.options.deterministic() || determinism == cudnnDeterminism.CUDNN_DETERMINISTIC;
        if (status == CudnnStatus.SUCCESS && allowed && !algorithms.contains(algorithm)) {
            algorithms.add(algorithm);
        }
    }

    /** Null where the algorithm does not do this, or wants more workspace than there may be. */
    private Plan plan(Descriptors of, int algorithm) {
        long[] bytes = new long[1];
        cudnnHandle handle = backend.cudnn.get();
        int status = switch (of.problem.pass()) {
            case FORWARD ->
                cudnnGetConvolutionForwardWorkspaceSize(
                        handle, of.image, of.filter, of.convolution, of.result, algorithm, bytes);
            case BACKWARD_INPUT, ACCUMULATE_INPUT ->
                cudnnGetConvolutionBackwardDataWorkspaceSize(
                        handle, of.filter, of.result, of.convolution, of.image, algorithm, bytes);
            case BACKWARD_WEIGHT ->
                cudnnGetConvolutionBackwardFilterWorkspaceSize(
                        handle, of.image, of.result, of.convolution, of.filter, algorithm, bytes);
        };
        if (CudnnStatus.isUnsupported(status)
                || status == CudnnStatus.SUCCESS && bytes[0] > backend.options.workspaceLimit()) {
            return null;
        }
        check("cudnnGetConvolution…WorkspaceSize", status);
        return new Plan(of, algorithm, bytes[0]);
    }

    @Override
    public void close() {
        descriptors.values().forEach(Descriptors::close);
        descriptors.clear();
    }

    /** What all plans for a problem share. */
    private final class Descriptors implements AutoCloseable {
        final ConvolutionProblem problem;
        final cudnnTensorDescriptor image = new cudnnTensorDescriptor();
        final cudnnFilterDescriptor filter = new cudnnFilterDescriptor();
        final cudnnTensorDescriptor result = new cudnnTensorDescriptor();
        final cudnnConvolutionDescriptor convolution = new cudnnConvolutionDescriptor();
        /** Of use where the problem has a bias, as the activation is. */
        final cudnnTensorDescriptor bias = new cudnnTensorDescriptor();

        final cudnnActivationDescriptor activation = new cudnnActivationDescriptor();
        private final CudnnDescriptors all = new CudnnDescriptors(backend.cudnn, OP);

        Descriptors(ConvolutionProblem problem) {
            this.problem = problem;
            try {
                create();
            } catch (DeviceException e) {
                close();
                throw e;
            }
        }

        private void create() {
            int dtype = CudnnDescriptors.type(problem.dtype());
            all.tensor(image, dtype, problem.n(), problem.c(), problem.h(), problem.w());
            all.tensor(result, dtype, problem.n(), problem.k(), problem.p(), problem.q());
            created(
                    "cudnnCreateFilterDescriptor",
                    cudnnCreateFilterDescriptor(filter),
                    () -> cudnnDestroyFilterDescriptor(filter));
            check(
                    "cudnnSetFilter4dDescriptor",
                    cudnnSetFilter4dDescriptor(
                            filter,
                            dtype,
                            cudnnTensorFormat.CUDNN_TENSOR_NHWC,
                            problem.k(),
                            problem.c() / problem.groups(),
                            problem.r(),
                            problem.s()));
            created(
                    "cudnnCreateConvolutionDescriptor",
                    cudnnCreateConvolutionDescriptor(convolution),
                    () -> cudnnDestroyConvolutionDescriptor(convolution));
            check(
                    "cudnnSetConvolution2dDescriptor",
                    cudnnSetConvolution2dDescriptor(
                            convolution,
                            problem.top(),
                            problem.left(),
                            problem.strideH(),
                            problem.strideW(),
                            problem.dilationH(),
                            problem.dilationW(),
                            cudnnConvolutionMode.CUDNN_CROSS_CORRELATION,
                            cudnnDataType.CUDNN_DATA_FLOAT));
            check("cudnnSetConvolutionGroupCount", cudnnSetConvolutionGroupCount(convolution, problem.groups()));
            check("cudnnSetConvolutionMathType", cudnnSetConvolutionMathType(convolution, math(problem)));
            if (problem.bias()) {
                all.tensor(bias, cudnnDataType.CUDNN_DATA_FLOAT, 1, problem.k(), 1, 1);
                created(
                        "cudnnCreateActivationDescriptor",
                        cudnnCreateActivationDescriptor(activation),
                        () -> cudnnDestroyActivationDescriptor(activation));
                check(
                        "cudnnSetActivationDescriptor",
                        cudnnSetActivationDescriptor(
                                activation,
                                problem.relu()
                                        ? cudnnActivationMode.CUDNN_ACTIVATION_RELU
                                        : cudnnActivationMode.CUDNN_ACTIVATION_IDENTITY,
                                cudnnNanPropagation.CUDNN_PROPAGATE_NAN,
                                0));
            }
        }

        private void created(String call, int status, Runnable destroy) {
            all.created(call, status, destroy);
        }

        @Override
        public void close() {
            all.close();
        }
    }

    /** In F32 the default lets tensor cores round to TF32. */
    private static int math(ConvolutionProblem problem) {
        if (problem.dtype() == DType.BF16) {
            return cudnnMathType.CUDNN_TENSOR_OP_MATH;
        }
        return problem.tf32() ? cudnnMathType.CUDNN_DEFAULT_MATH : cudnnMathType.CUDNN_FMA_MATH;
    }

    private final class Plan implements ConvolutionPlan {
        private final Descriptors of;
        private final int algorithm;
        private final long workspaceBytes;

        Plan(Descriptors of, int algorithm, long workspaceBytes) {
            this.of = of;
            this.algorithm = algorithm;
            this.workspaceBytes = workspaceBytes;
        }

        @Override
        public String token() {
            return Integer.toString(algorithm);
        }

        @Override
        public long workspaceBytes() {
            return workspaceBytes;
        }

        @Override
        public int run(long image, long filter, long bias, long result, long workspace) {
            Pointer x = Pointers.at(image);
            Pointer w = Pointers.at(filter);
            Pointer y = Pointers.at(result);
            Pointer scratch = Pointers.at(workspace);
            cudnnHandle handle = backend.cudnn.get();
            return switch (of.problem.pass()) {
                case FORWARD ->
                    !of.problem.bias()
                            ? cudnnConvolutionForward(
                                    handle,
                                    ONE,
                                    of.image,
                                    x,
                                    of.filter,
                                    w,
                                    of.convolution,
                                    algorithm,
                                    scratch,
                                    workspaceBytes,
                                    ZERO,
                                    of.result,
                                    y)
                            : cudnnConvolutionBiasActivationForward(
                                    handle,
                                    ONE,
                                    of.image,
                                    x,
                                    of.filter,
                                    w,
                                    of.convolution,
                                    algorithm,
                                    scratch,
                                    workspaceBytes,
                                    ZERO,
                                    of.result,
                                    y,
                                    of.bias,
                                    Pointers.at(bias),
                                    of.activation,
                                    of.result,
                                    y);
                case BACKWARD_INPUT, ACCUMULATE_INPUT ->
                    cudnnConvolutionBackwardData(
                            handle,
                            ONE,
                            of.filter,
                            w,
                            of.result,
                            y,
                            of.convolution,
                            algorithm,
                            scratch,
                            workspaceBytes,
                            of.problem.pass() == Pass.ACCUMULATE_INPUT ? ONE : ZERO,
                            of.image,
                            x);
                case BACKWARD_WEIGHT ->
                    cudnnConvolutionBackwardFilter(
                            handle,
                            ONE,
                            of.image,
                            x,
                            of.result,
                            y,
                            of.convolution,
                            algorithm,
                            scratch,
                            workspaceBytes,
                            ZERO,
                            of.filter,
                            w);
            };
        }

        /** The descriptors stay for other plans. */
        @Override
        public void close() {}
    }
}
