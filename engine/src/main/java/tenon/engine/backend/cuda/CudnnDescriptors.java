package tenon.engine.backend.cuda;

import static jcuda.jcudnn.JCudnn.cudnnCreateTensorDescriptor;
import static jcuda.jcudnn.JCudnn.cudnnDestroyTensorDescriptor;
import static jcuda.jcudnn.JCudnn.cudnnSetTensor4dDescriptor;

import java.util.ArrayList;
import java.util.List;
import jcuda.jcudnn.cudnnDataType;
import jcuda.jcudnn.cudnnTensorDescriptor;
import jcuda.jcudnn.cudnnTensorFormat;
import tenon.engine.DType;

/** Descriptors of cuDNN that are destroyed together. */
final class CudnnDescriptors implements AutoCloseable {
    /** Of a tensor descriptor. */
    static final int MOST_ELEMENTS = Integer.MAX_VALUE;

    private final CudnnHandle cudnn;
    private final String op;
    private final List<Runnable> destroyers = new ArrayList<>();

    /** @param op for messages */
    CudnnDescriptors(CudnnHandle cudnn, String op) {
        this.cudnn = cudnn;
        this.op = op;
    }

    static int type(DType dtype) {
        return dtype == DType.BF16 ? cudnnDataType.CUDNN_DATA_BFLOAT16 : cudnnDataType.CUDNN_DATA_FLOAT;
    }

    /** Creates a descriptor of a dense NHWC tensor. */
    void tensor(cudnnTensorDescriptor descriptor, int dtype, int n, int c, int h, int w) {
        tensor(descriptor);
        check(
                "cudnnSetTensor4dDescriptor",
                cudnnSetTensor4dDescriptor(descriptor, cudnnTensorFormat.CUDNN_TENSOR_NHWC, dtype, n, c, h, w));
    }

    /** Creates a descriptor that is still to be set. */
    void tensor(cudnnTensorDescriptor descriptor) {
        created(
                "cudnnCreateTensorDescriptor",
                cudnnCreateTensorDescriptor(descriptor),
                () -> cudnnDestroyTensorDescriptor(descriptor));
    }

    /** Keeps what was created just now. */
    void created(String call, int status, Runnable destroy) {
        check(call, status);
        destroyers.add(destroy);
        cudnn.countDescriptor();
    }

    void check(String call, int status) {
        CudnnStatus.check(op, call, status);
    }

    @Override
    public void close() {
        destroyers.reversed().forEach(Runnable::run);
        destroyers.clear();
    }
}
