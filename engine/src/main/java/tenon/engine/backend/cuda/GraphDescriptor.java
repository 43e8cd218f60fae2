package tenon.engine.backend.cuda;

import static jcuda.jcudnn.JCudnn.*;
import static jcuda.jcudnn.cudnnBackendAttributeType.*;

import java.util.Arrays;
import jcuda.Pointer;
import jcuda.jcudnn.cudnnBackendDescriptor;
import jcuda.jcudnn.cudnnHandle;

/** A descriptor of cuDNN's graph interface: attributes are set, then it is finalized and stays as it is. */
final class GraphDescriptor implements AutoCloseable {
    private static final String OP = "conv2d";

    private final cudnnBackendDescriptor descriptor = new cudnnBackendDescriptor();
    private boolean closed;

    /**
     * @param handle counts it
     * @param type of {@code cudnnBackendDescriptorType}
     */
    GraphDescriptor(CudnnHandle handle, int type) {
        CudnnStatus.check(OP, "cudnnBackendCreateDescriptor", cudnnBackendCreateDescriptor(type, descriptor));
        handle.countDescriptor();
    }

    private GraphDescriptor set(int attribute, int type, long count, Pointer values) {
        int status = cudnnBackendSetAttribute(descriptor, attribute, type, count, values);
        if (status != CudnnStatus.SUCCESS) {
            close();
        }
        CudnnStatus.check(OP, "cudnnBackendSetAttribute of attribute " + attribute, status);
        return this;
    }

    GraphDescriptor int64(int attribute, long... values) {
        return set(attribute, CUDNN_TYPE_INT64, values.length, Pointer.to(values));
    }

    GraphDescriptor float32(int attribute, float value) {
        return set(attribute, CUDNN_TYPE_FLOAT, 1, Pointer.to(new float[] {value}));
    }

    GraphDescriptor bool(int attribute, boolean value) {
        return set(attribute, CUDNN_TYPE_BOOLEAN, 1, Pointer.to(new byte[] {(byte) (value ? 1 : 0)}));
    }

    /** @param type which enumeration, of {@code cudnnBackendAttributeType} */
    GraphDescriptor enumerated(int attribute, int type, int value) {
        return set(attribute, type, 1, Pointer.to(new int[] {value}));
    }

    GraphDescriptor handle(int attribute, cudnnHandle handle) {
        return set(attribute, CUDNN_TYPE_HANDLE, 1, Pointer.to(handle));
    }

    GraphDescriptor descriptors(int attribute, GraphDescriptor... values) {
        return set(attribute, CUDNN_TYPE_BACKEND_DESCRIPTOR, values.length, pointers(values));
    }

    /** @param addresses device memory */
    GraphDescriptor addresses(int attribute, long... addresses) {
        Pointer[] values = new Pointer[addresses.length];
        for (int i = 0; i < values.length; i++) {
            values[i] = Pointers.at(addresses[i]);
        }
        return set(attribute, CUDNN_TYPE_VOID_PTR, values.length, Pointer.to(values));
    }

    private static Pointer pointers(GraphDescriptor[] values) {
        return Pointer.to(Arrays.stream(values).map(value -> value.descriptor).toArray(cudnnBackendDescriptor[]::new));
    }

    /** Finalizes it. */
    GraphDescriptor ready() {
        int status = tryReady();
        if (status != CudnnStatus.SUCCESS) {
            close();
        }
        CudnnStatus.check(OP, "cudnnBackendFinalize", status);
        return this;
    }

    /** Finalizes it, where that may be unsupported. */
    int tryReady() {
        return cudnnBackendFinalize(descriptor);
    }

    // ---- what it says ----

    long int64(int attribute) {
        long[] value = new long[1];
        get(attribute, CUDNN_TYPE_INT64, 1, Pointer.to(value));
        return value[0];
    }

    int enumerated(int attribute, int type) {
        int[] value = new int[1];
        get(attribute, type, 1, Pointer.to(value));
        return value[0];
    }

    /** The values of an enumeration that apply, at most {@code most}. */
    int[] enumeratedSet(int attribute, int type, int most) {
        int[] values = new int[most];
        return Arrays.copyOf(values, (int) Math.min(most, get(attribute, type, most, Pointer.to(values))));
    }

    /** How many descriptors an attribute has. */
    int count(int attribute) {
        return (int) get(attribute, CUDNN_TYPE_BACKEND_DESCRIPTOR, 0, null);
    }

    /** Fills descriptors, of the right type and not finalized, with what the attribute has. */
    void read(int attribute, GraphDescriptor... values) {
        if (values.length == 0) {
            return;
        }
        get(attribute, CUDNN_TYPE_BACKEND_DESCRIPTOR, values.length, pointers(values));
    }

    private long get(int attribute, int type, long most, Pointer values) {
        long[] count = new long[1];
        CudnnStatus.check(
                OP,
                "cudnnBackendGetAttribute of attribute " + attribute,
                cudnnBackendGetAttribute(descriptor, attribute, type, most, count, values));
        return count[0];
    }

    /** Queues a plan with the arguments of a variant pack; a status of cuDNN. */
    int execute(cudnnHandle handle, GraphDescriptor variantPack) {
        return cudnnBackendExecute(handle, descriptor, variantPack.descriptor);
    }

    @Override
    public void close() {
        if (!closed) {
            closed = true;
            cudnnBackendDestroyDescriptor(descriptor);
        }
    }
}
