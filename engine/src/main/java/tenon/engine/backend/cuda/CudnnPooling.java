package tenon.engine.backend.cuda;

import static jcuda.jcudnn.JCudnn.cudnnCreatePoolingDescriptor;
import static jcuda.jcudnn.JCudnn.cudnnDestroyPoolingDescriptor;
import static jcuda.jcudnn.JCudnn.cudnnPoolingBackward;
import static jcuda.jcudnn.JCudnn.cudnnPoolingForward;
import static jcuda.jcudnn.JCudnn.cudnnSetPooling2dDescriptor;

import java.util.HashMap;
import java.util.Map;
import jcuda.Pointer;
import jcuda.jcudnn.cudnnNanPropagation;
import jcuda.jcudnn.cudnnPoolingDescriptor;
import jcuda.jcudnn.cudnnPoolingMode;
import jcuda.jcudnn.cudnnTensorDescriptor;
import tenon.engine.DType;
import tenon.engine.Shape;
import tenon.engine.Tensor;
import tenon.engine.ops.PoolSpec;

/** Pooling by cuDNN, which pads opposite sides equally and drops a rest. Its backward call finds the winners again, in input and output. Call it under the back-end's lock. */
final class CudnnPooling implements AutoCloseable {
    private static final Pointer ONE = Pointer.to(new float[] {1});
    private static final Pointer ZERO = Pointer.to(new float[] {0});

    private final CudaBackend backend;
    private final Map<Geometry, Plan> plans = new HashMap<>();

    /** @param max maximum, or average */
    record Geometry(boolean max, PoolSpec spec, Shape input, Shape output, DType dtype) {
        boolean isCudnns() {
            return input.elementCount() > 0
                    && input.elementCount() <= CudnnDescriptors.MOST_ELEMENTS
                    && output.elementCount() > 0
                    && output.elementCount() <= CudnnDescriptors.MOST_ELEMENTS
                    && spec.padding().top() == spec.padding().bottom()
                    && spec.padding().left() == spec.padding().right()
                    && output.equals(spec.withCeilMode(false).outputShape(op(), input));
        }

        String op() {
            return max ? "max_pool2d" : "avg_pool2d";
        }
    }

    CudnnPooling(CudaBackend backend) {
        this.backend = backend;
    }

    /** @return a status of cuDNN */
    int forward(Geometry of, Tensor input, Tensor output) {
        Plan plan = plan(of);
        return cudnnPoolingForward(
                backend.cudnn.get(),
                plan.pooling,
                ONE,
                plan.input,
                Pointers.at(input.address()),
                ZERO,
                plan.output,
                Pointers.at(output.address()));
    }

    /**
     * Overwrites gradInput.
     *
     * @return a status of cuDNN
     */
    int maxBackward(Geometry of, Tensor input, Tensor output, Tensor gradOutput, Tensor gradInput) {
        return backward(of, input.address(), output.address(), gradOutput, gradInput);
    }

    /** The same for averages, which are no function of the operands: the call gets memory of their sizes that it does not read. */
    int averageBackward(Geometry of, Tensor gradOutput, Tensor gradInput) {
        try (Tensor input = Tensor.empty(backend, of.input, of.dtype)) {
            return backward(of, input.address(), gradOutput.address(), gradOutput, gradInput);
        }
    }

    private int backward(Geometry of, long input, long output, Tensor gradOutput, Tensor gradInput) {
        Plan plan = plan(of);
        return cudnnPoolingBackward(
                backend.cudnn.get(),
                plan.pooling,
                ONE,
                plan.output,
                Pointers.at(output),
                plan.output,
                Pointers.at(gradOutput.address()),
                plan.input,
                Pointers.at(input),
                ZERO,
                plan.input,
                Pointers.at(gradInput.address()));
    }

    private Plan plan(Geometry of) {
        backend.enter();
        return plans.computeIfAbsent(of, Plan::new);
    }

    /** Descriptors for one geometry. */
    private final class Plan implements AutoCloseable {
        final CudnnDescriptors descriptors;
        final cudnnTensorDescriptor input = new cudnnTensorDescriptor();
        final cudnnTensorDescriptor output = new cudnnTensorDescriptor();
        final cudnnPoolingDescriptor pooling = new cudnnPoolingDescriptor();

        Plan(Geometry of) {
            descriptors = new CudnnDescriptors(backend.cudnn, of.op());
            try {
                images(input, of.input, of.dtype);
                images(output, of.output, of.dtype);
                descriptors.created(
                        "cudnnCreatePoolingDescriptor",
                        cudnnCreatePoolingDescriptor(pooling),
                        () -> cudnnDestroyPoolingDescriptor(pooling));
                descriptors.check(
                        "cudnnSetPooling2dDescriptor",
                        cudnnSetPooling2dDescriptor(
                                pooling,
                                mode(of),
                                cudnnNanPropagation.CUDNN_PROPAGATE_NAN,
                                of.spec.kernelH(),
                                of.spec.kernelW(),
                                of.spec.padding().top(),
                                of.spec.padding().left(),
                                of.spec.strideH(),
                                of.spec.strideW()));
            } catch (RuntimeException e) {
                close();
                throw e;
            }
        }

        private void images(cudnnTensorDescriptor descriptor, Shape shape, DType dtype) {
            descriptors.tensor(
                    descriptor, CudnnDescriptors.type(dtype), shape.dim(0), shape.dim(3), shape.dim(1), shape.dim(2));
        }

        private int mode(Geometry of) {
            if (of.max) {
                return backend.options.deterministic()
                        ? cudnnPoolingMode.CUDNN_POOLING_MAX_DETERMINISTIC
                        : cudnnPoolingMode.CUDNN_POOLING_MAX;
            }
            return of.spec.countPadding()
                    ? cudnnPoolingMode.CUDNN_POOLING_AVERAGE_COUNT_INCLUDE_PADDING
                    : cudnnPoolingMode.CUDNN_POOLING_AVERAGE_COUNT_EXCLUDE_PADDING;
        }

        @Override
        public void close() {
            descriptors.close();
        }
    }

    @Override
    public void close() {
        plans.values().forEach(Plan::close);
        plans.clear();
    }
}
