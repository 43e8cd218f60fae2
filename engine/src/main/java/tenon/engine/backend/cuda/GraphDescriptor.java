package tenon.engine.backend.cuda;

import static jcuda.jcudnn.JCudnn.*;
import static jcuda.jcudnn.cudnnBackendAttributeType.*;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.function.Function;
import jcuda.jcudnn.cudnnBackendDescriptor;
import jcuda.jcudnn.cudnnHandle;

/**
 * A descriptor of cuDNN's graph interface: attributes are set, then it is finalized and stays as it is. JCudnn hands on the address of values, and takes no Java arrays here, so they are
 * put into native memory.
 */
final class GraphDescriptor implements AutoCloseable {
    private static final String OP = "conv2d";

    private static final class Handle extends cudnnBackendDescriptor {
        long address() {
            return getNativePointer();
        }
    }

    private final Handle descriptor = new Handle();
    private boolean closed;

    /**
     * @param handle counts it
     * @param type of {@code cudnnBackendDescriptorType}
     */
    GraphDescriptor(CudnnHandle handle, int type) {
        CudnnStatus.check(OP, "cudnnBackendCreateDescriptor", cudnnBackendCreateDescriptor(type, descriptor));
        handle.countDescriptor();
    }

    private GraphDescriptor set(int attribute, int type, long count, Function<Arena, MemorySegment> values) {
        try (Arena arena = Arena.ofConfined()) {
            int status = cudnnBackendSetAttribute(
                    descriptor,
                    attribute,
                    type,
                    count,
                    Pointers.at(values.apply(arena).address()));
            if (status != CudnnStatus.SUCCESS) {
                close();
            }
            CudnnStatus.check(OP, "cudnnBackendSetAttribute of attribute " + attribute, status);
            return this;
        }
    }

    GraphDescriptor int64(int attribute, long... values) {
        return set(
                attribute, CUDNN_TYPE_INT64, values.length, arena -> arena.allocateFrom(ValueLayout.JAVA_LONG, values));
    }

    GraphDescriptor float32(int attribute, float value) {
        return set(attribute, CUDNN_TYPE_FLOAT, 1, arena -> arena.allocateFrom(ValueLayout.JAVA_FLOAT, value));
    }

    GraphDescriptor bool(int attribute, boolean value) {
        byte number = (byte) (value ? 1 : 0);
        return set(attribute, CUDNN_TYPE_BOOLEAN, 1, arena -> arena.allocateFrom(ValueLayout.JAVA_BYTE, number));
    }

    /** @param type which enumeration, of {@code cudnnBackendAttributeType} */
    GraphDescriptor enumerated(int attribute, int type, int value) {
        return set(attribute, type, 1, arena -> arena.allocateFrom(ValueLayout.JAVA_INT, value));
    }

    GraphDescriptor handle(int attribute, CudnnHandle handle) {
        long address = handle.address();
        return set(attribute, CUDNN_TYPE_HANDLE, 1, arena -> arena.allocateFrom(ValueLayout.JAVA_LONG, address));
    }

    GraphDescriptor descriptors(int attribute, GraphDescriptor... values) {
        return set(attribute, CUDNN_TYPE_BACKEND_DESCRIPTOR, values.length, arena -> pointers(arena, values));
    }

    /** @param addresses device memory */
    GraphDescriptor addresses(int attribute, long... addresses) {
        return set(
                attribute,
                CUDNN_TYPE_VOID_PTR,
                addresses.length,
                arena -> arena.allocateFrom(ValueLayout.JAVA_LONG, addresses));
    }

    private static MemorySegment pointers(Arena arena, GraphDescriptor[] values) {
        MemorySegment pointers = arena.allocate(ValueLayout.JAVA_LONG, values.length);
        for (int i = 0; i < values.length; i++) {
            pointers.setAtIndex(ValueLayout.JAVA_LONG, i, values[i].descriptor.address());
        }
        return pointers;
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
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment value = arena.allocate(ValueLayout.JAVA_LONG);
            get(attribute, CUDNN_TYPE_INT64, 1, value);
            return value.get(ValueLayout.JAVA_LONG, 0);
        }
    }

    int enumerated(int attribute, int type) {
        return enumeratedSet(attribute, type, 1)[0];
    }

    /** The values of an enumeration that apply, at most {@code most}. */
    int[] enumeratedSet(int attribute, int type, int most) {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment values = arena.allocate(ValueLayout.JAVA_INT, most);
            long count = Math.min(most, get(attribute, type, most, values));
            return values.asSlice(0, count * Integer.BYTES).toArray(ValueLayout.JAVA_INT);
        }
    }

    /** How many descriptors an attribute has. */
    int count(int attribute) {
        return (int) get(attribute, CUDNN_TYPE_BACKEND_DESCRIPTOR, 0, MemorySegment.NULL);
    }

    /** Fills descriptors, of the right type and not finalized, with what the attribute has. */
    void read(int attribute, GraphDescriptor... values) {
        if (values.length > 0) {
            try (Arena arena = Arena.ofConfined()) {
                get(attribute, CUDNN_TYPE_BACKEND_DESCRIPTOR, values.length, pointers(arena, values));
            }
        }
    }

    private long get(int attribute, int type, long most, MemorySegment values) {
        long[] count = new long[1];
        CudnnStatus.check(
                OP,
                "cudnnBackendGetAttribute of attribute " + attribute,
                cudnnBackendGetAttribute(descriptor, attribute, type, most, count, Pointers.at(values.address())));
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
