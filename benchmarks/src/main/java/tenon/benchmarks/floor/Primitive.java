package tenon.benchmarks.floor;

import static org.bytedeco.dnnl.global.dnnl.dnnl_memory_destroy;
import static org.bytedeco.dnnl.global.dnnl.dnnl_memory_set_data_handle;
import static org.bytedeco.dnnl.global.dnnl.dnnl_primitive_destroy;
import static org.bytedeco.dnnl.global.dnnl.dnnl_primitive_execute;

import org.bytedeco.dnnl.dnnl_exec_arg_t;
import org.bytedeco.dnnl.dnnl_memory;
import org.bytedeco.dnnl.dnnl_primitive;
import org.bytedeco.dnnl.dnnl_stream;

/**
 * A compiled primitive on fixed buffers.
 *
 * @param implementation oneDNN's name of the kernel
 * @param bytes size of all arguments but the scratchpad
 * @param scratchpad null where none is needed
 */
record Primitive(
        String implementation,
        long bytes,
        dnnl_stream stream,
        dnnl_primitive handle,
        dnnl_exec_arg_t arguments,
        dnnl_memory[] memories,
        dnnl_memory scratchpad,
        long scratchpadBytes)
        implements AutoCloseable {

    void run() {
        OneDnn.check(dnnl_primitive_execute(handle, stream, memories.length, arguments), "dnnl_primitive_execute");
    }

    /** Must come before the first run where scratchpadBytes is not 0. */
    void useScratchpad(long address) {
        if (scratchpad != null) {
            OneDnn.check(
                    dnnl_memory_set_data_handle(scratchpad, OneDnn.pointer(address)), "dnnl_memory_set_data_handle");
        }
    }

    /** Whether oneDNN has only plain loops for it. */
    boolean isReference() {
        return implementation.contains("ref");
    }

    @Override
    public void close() {
        for (dnnl_memory memory : memories) {
            OneDnn.check(dnnl_memory_destroy(memory), "dnnl_memory_destroy");
        }
        OneDnn.check(dnnl_primitive_destroy(handle), "dnnl_primitive_destroy");
        arguments.deallocate();
    }
}
