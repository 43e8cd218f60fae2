package tenon.engine.backend;

import java.lang.foreign.MemorySegment;
import java.util.List;
import tenon.engine.DType;
import tenon.engine.Device;
import tenon.engine.DeviceException;
import tenon.engine.TenonException;
import tenon.engine.Tensor;
import tenon.engine.memory.Allocator;

/**
 * A set of kernels over one kind of memory. The ops of {@code tenon.engine.ops} check shapes, allocate results and record gradients; a back-end only
 * computes. It may rely on: shapes fit as each method says, dtypes are supported, all tensors are its own and open, outputs do not overlap inputs
 * unless a method allows it.
 *
 * <p>This interface is the required core; families of ops are interfaces of their own. {@link #supports} is asked first, and a back-end never falls
 * back to another one.
 */
public interface Backend extends AutoCloseable {
    /** Short name: {@code reference}, {@code cpu}, {@code cuda:0}. */
    String name();

    /** What computes, for people: {@code cpu (2 threads)}, {@code cuda:0 (NVIDIA H100 80GB HBM3)}. */
    default String description() {
        return name();
    }

    Device device();

    Allocator allocator();

    boolean supports(OpKind op, DType dtype);

    /**
     * Why nothing can be computed in {@code dtype} here, as a sentence without a full stop, or null where it can: what a run says before it goes on
     * in F32. A single op may still lack the dtype, see {@link #supports}.
     */
    default String whyNo(DType dtype) {
        return null;
    }

    /** Throws with op, dtype and back-end in the message unless supported. */
    default void require(String op, OpKind kind, DType dtype) {
        if (!supports(kind, dtype)) {
            throw new DeviceException(TenonException.where(op) + ": back-end " + name() + " has no " + kind + " for "
                    + dtype + " (see ./tenon doctor for the support matrix)");
        }
    }

    /** Waits until all work is done. */
    void synchronize();

    // ---- memory ----

    /** Copies host memory into the tensor; byte sizes are equal, contents are raw elements. */
    void upload(MemorySegment from, Tensor to);

    void download(Tensor from, MemorySegment to);

    /** Same shape and dtype. */
    void copy(Tensor from, Tensor to);

    /** Same shape, any pair of floating dtypes; U8 and I32 to floating. */
    void cast(Tensor from, Tensor to);

    void fill(Tensor tensor, double value);

    /** False if any element is NaN or infinite. */
    boolean isFinite(Tensor tensor);

    // ---- arithmetic ----

    /**
     * C = alpha·op(A)·op(B) + beta·C over row-major matrices, op being the transpose where asked. With beta 0, C is not read.
     *
     * @param a [M, K], or [K, M] if transposed
     * @param b [K, N], or [N, K] if transposed
     * @param c [M, N]
     */
    void gemm(boolean transposeA, boolean transposeB, double alpha, Tensor a, Tensor b, double beta, Tensor c);

    /** out = a + b with broadcasting; out has the broadcast shape and may be a or b if the shapes are equal. */
    void add(Tensor a, Tensor b, Tensor out);

    /** accumulator += x, equal shapes. */
    default void addInPlace(Tensor accumulator, Tensor x) {
        add(accumulator, x, accumulator);
    }

    /** out = a·b with broadcasting; out has the broadcast shape. */
    void multiply(Tensor a, Tensor b, Tensor out);

    /** out = factor·in; out may be in. */
    void scale(Tensor in, double factor, Tensor out);

    /**
     * Sums {@code in} over the dimensions in which {@code out} is 1 or missing (shapes aligned at the last dimension), overwriting {@code out}.
     * A scalar or [1] out is the total sum. F32 sums accumulate in a fixed order, pairwise or in F64.
     */
    void sumTo(Tensor in, Tensor out);

    // ---- families ----

    DenseKernels dense();

    ConvolutionKernels convolution();

    PoolingKernels pooling();

    NormalizationKernels normalization();

    ActivationKernels activation();

    ChannelKernels channels();

    LossKernels losses();

    RandomKernels random();

    MetricKernels metrics();

    UpdateKernels updates();

    // ---- capabilities that a back-end may have ----

    /** Records steps and runs them again with one call; null where the back-end cannot. */
    default StepCapture capture() {
        return null;
    }

    /** Copies that run beside the computation; null where memory is the host's anyway. */
    default Staging staging() {
        return null;
    }

    /** Turns raw images into network inputs on the device; null where the host does it as well. */
    default BatchAugmentation augmentation() {
        return null;
    }

    /** How the back-ends of {@code group}, all of this kind and this one among them, compute together: one end for each, in their order. */
    default List<Communicator> communicators(List<Backend> group) {
        return HostCommunicator.group(group);
    }

    /** Counters that must stand still once a training step is warm. */
    BackendStatistics statistics();

    @Override
    void close();
}
