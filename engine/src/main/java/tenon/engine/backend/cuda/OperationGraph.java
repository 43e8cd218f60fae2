package tenon.engine.backend.cuda;

import static jcuda.jcudnn.cudnnBackendAttributeName.*;
import static jcuda.jcudnn.cudnnBackendAttributeType.*;
import static jcuda.jcudnn.cudnnBackendDescriptorType.*;

import java.util.ArrayList;
import java.util.List;
import jcuda.jcudnn.cudnnConvolutionMode;
import jcuda.jcudnn.cudnnDataType;
import jcuda.jcudnn.cudnnNanPropagation;
import jcuda.jcudnn.cudnnPointwiseMode;
import tenon.engine.DType;

/** A {@link ConvolutionProblem} as a graph of cuDNN's operations: the convolution, then the bias added and the ReLU, without memory in between. */
final class OperationGraph implements AutoCloseable {
    /** Names of the tensors in memory. */
    static final long IMAGE = 1;

    static final long FILTER = 2;
    static final long RESULT = 3;
    static final long BIAS = 4;

    private static final long PRODUCT = 5;
    private static final long SUM = 6;
    /** Of every address that is given to a plan. */
    private static final int ALIGNMENT = 16;

    private final CudnnHandle handle;
    private final List<GraphDescriptor> owned = new ArrayList<>();
    private final GraphDescriptor graph;
    private boolean supported;

    OperationGraph(CudnnHandle handle, ConvolutionProblem problem) {
        this.handle = handle;
        try {
            graph = build(problem);
        } catch (RuntimeException e) {
            close();
            throw e;
        }
    }

    /** Whether cuDNN takes such a graph at all; an engine for it is another matter. */
    boolean isSupported() {
        return supported;
    }

    GraphDescriptor descriptor() {
        return graph;
    }

    private GraphDescriptor build(ConvolutionProblem problem) {
        int operands = type(problem.dtype());
        int computed = type(problem.computed());
        int n = problem.n();
        int k = problem.k();
        Pass pass = problem.pass();
        boolean forward = pass == Pass.FORWARD;
        boolean weight = pass == Pass.BACKWARD_WEIGHT;
        GraphDescriptor image =
                tensor(IMAGE, forward || weight ? operands : computed, false, n, problem.c(), problem.h(), problem.w());
        GraphDescriptor filter = tensor(
                FILTER,
                weight ? computed : operands,
                false,
                k,
                problem.c() / problem.groups(),
                problem.r(),
                problem.s());
        GraphDescriptor result = tensor(RESULT, forward ? computed : operands, false, n, k, problem.p(), problem.q());
        GraphDescriptor convolution = create(CUDNN_BACKEND_CONVOLUTION_DESCRIPTOR)
                .enumerated(CUDNN_ATTR_CONVOLUTION_COMP_TYPE, CUDNN_TYPE_DATA_TYPE, cudnnDataType.CUDNN_DATA_FLOAT)
                .enumerated(
                        CUDNN_ATTR_CONVOLUTION_CONV_MODE,
                        CUDNN_TYPE_CONVOLUTION_MODE,
                        cudnnConvolutionMode.CUDNN_CROSS_CORRELATION)
                .int64(CUDNN_ATTR_CONVOLUTION_SPATIAL_DIMS, 2)
                .int64(CUDNN_ATTR_CONVOLUTION_DILATIONS, problem.dilationH(), problem.dilationW())
                .int64(CUDNN_ATTR_CONVOLUTION_FILTER_STRIDES, problem.strideH(), problem.strideW())
                .int64(CUDNN_ATTR_CONVOLUTION_PRE_PADDINGS, problem.top(), problem.left())
                .int64(CUDNN_ATTR_CONVOLUTION_POST_PADDINGS, problem.bottom(), problem.right())
                .ready();
        List<GraphDescriptor> operations = new ArrayList<>();
        switch (pass) {
            case FORWARD -> {
                boolean bias = problem.bias();
                boolean relu = problem.relu();
                GraphDescriptor product = bias || relu ? between(PRODUCT, problem) : result;
                operations.add(create(CUDNN_BACKEND_OPERATION_CONVOLUTION_FORWARD_DESCRIPTOR)
                        .descriptors(CUDNN_ATTR_OPERATION_CONVOLUTION_FORWARD_X, image)
                        .descriptors(CUDNN_ATTR_OPERATION_CONVOLUTION_FORWARD_W, filter)
                        .descriptors(CUDNN_ATTR_OPERATION_CONVOLUTION_FORWARD_Y, product)
                        .descriptors(CUDNN_ATTR_OPERATION_CONVOLUTION_FORWARD_CONV_DESC, convolution)
                        .float32(CUDNN_ATTR_OPERATION_CONVOLUTION_FORWARD_ALPHA, 1)
                        .float32(CUDNN_ATTR_OPERATION_CONVOLUTION_FORWARD_BETA, 0)
                        .ready());
                if (bias) {
                    GraphDescriptor sum = relu ? between(SUM, problem) : result;
                    operations.add(pointwise(cudnnPointwiseMode.CUDNN_POINTWISE_ADD, product, sum)
                            .descriptors(
                                    CUDNN_ATTR_OPERATION_POINTWISE_BDESC,
                                    tensor(BIAS, cudnnDataType.CUDNN_DATA_FLOAT, false, 1, k, 1, 1))
                            .ready());
                    product = sum;
                }
                if (relu) {
                    operations.add(pointwise(cudnnPointwiseMode.CUDNN_POINTWISE_RELU_FWD, product, result)
                            .ready());
                }
            }
            case BACKWARD_INPUT, ACCUMULATE_INPUT ->
                operations.add(create(CUDNN_BACKEND_OPERATION_CONVOLUTION_BACKWARD_DATA_DESCRIPTOR)
                        .descriptors(CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_DATA_DX, image)
                        .descriptors(CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_DATA_W, filter)
                        .descriptors(CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_DATA_DY, result)
                        .descriptors(CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_DATA_CONV_DESC, convolution)
                        .float32(CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_DATA_ALPHA, 1)
                        .float32(CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_DATA_BETA, pass == Pass.ACCUMULATE_INPUT ? 1 : 0)
                        .ready());
            case BACKWARD_WEIGHT ->
                operations.add(create(CUDNN_BACKEND_OPERATION_CONVOLUTION_BACKWARD_FILTER_DESCRIPTOR)
                        .descriptors(CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_FILTER_X, image)
                        .descriptors(CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_FILTER_DW, filter)
                        .descriptors(CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_FILTER_DY, result)
                        .descriptors(CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_FILTER_CONV_DESC, convolution)
                        .float32(CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_FILTER_ALPHA, 1)
                        .float32(CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_FILTER_BETA, 0)
                        .ready());
        }
        GraphDescriptor whole = create(CUDNN_BACKEND_OPERATIONGRAPH_DESCRIPTOR)
                .handle(CUDNN_ATTR_OPERATIONGRAPH_HANDLE, handle)
                .descriptors(CUDNN_ATTR_OPERATIONGRAPH_OPS, operations.toArray(GraphDescriptor[]::new));
        int status = whole.tryReady();
        supported = status == CudnnStatus.SUCCESS;
        if (!CudnnStatus.isUnsupported(status)) {
            CudnnStatus.check("conv2d", "cudnnBackendFinalize of an operation graph", status);
        }
        return whole;
    }

    /** An F32 tensor of the result's shape that never is in memory. */
    private GraphDescriptor between(long id, ConvolutionProblem problem) {
        return tensor(id, cudnnDataType.CUDNN_DATA_FLOAT, true, problem.n(), problem.k(), problem.p(), problem.q());
    }

    /** Dimensions are named in this order whatever the memory's order, which is NHWC. */
    private GraphDescriptor tensor(long id, int type, boolean virtual, long n, long c, long h, long w) {
        return create(CUDNN_BACKEND_TENSOR_DESCRIPTOR)
                .enumerated(CUDNN_ATTR_TENSOR_DATA_TYPE, CUDNN_TYPE_DATA_TYPE, type)
                .int64(CUDNN_ATTR_TENSOR_DIMENSIONS, n, c, h, w)
                .int64(CUDNN_ATTR_TENSOR_STRIDES, h * w * c, 1, w * c, c)
                .int64(CUDNN_ATTR_TENSOR_UNIQUE_ID, id)
                .int64(CUDNN_ATTR_TENSOR_BYTE_ALIGNMENT, ALIGNMENT)
                .bool(CUDNN_ATTR_TENSOR_IS_VIRTUAL, virtual)
                .ready();
    }

    /** An operation on elements, still to be finalized. */
    private GraphDescriptor pointwise(int mode, GraphDescriptor from, GraphDescriptor to) {
        GraphDescriptor description = create(CUDNN_BACKEND_POINTWISE_DESCRIPTOR)
                .enumerated(CUDNN_ATTR_POINTWISE_MODE, CUDNN_TYPE_POINTWISE_MODE, mode)
                .enumerated(CUDNN_ATTR_POINTWISE_MATH_PREC, CUDNN_TYPE_DATA_TYPE, cudnnDataType.CUDNN_DATA_FLOAT);
        if (mode == cudnnPointwiseMode.CUDNN_POINTWISE_RELU_FWD) {
            description.enumerated(
                    CUDNN_ATTR_POINTWISE_NAN_PROPAGATION,
                    CUDNN_TYPE_NAN_PROPOGATION,
                    cudnnNanPropagation.CUDNN_PROPAGATE_NAN);
        }
        return create(CUDNN_BACKEND_OPERATION_POINTWISE_DESCRIPTOR)
                .descriptors(CUDNN_ATTR_OPERATION_POINTWISE_PW_DESCRIPTOR, description.ready())
                .descriptors(CUDNN_ATTR_OPERATION_POINTWISE_XDESC, from)
                .descriptors(CUDNN_ATTR_OPERATION_POINTWISE_YDESC, to);
    }

    private GraphDescriptor create(int type) {
        GraphDescriptor created = new GraphDescriptor(handle, type);
        owned.add(created);
        return created;
    }

    private static int type(DType dtype) {
        return CudnnDescriptors.type(dtype);
    }

    @Override
    public void close() {
        for (GraphDescriptor descriptor : owned.reversed()) {
            descriptor.close();
        }
        owned.clear();
    }
}
