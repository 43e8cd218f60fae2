package tenon.engine.backend.cpu;

import static org.bytedeco.dnnl.global.dnnl.dnnl_memory_destroy;
import static org.bytedeco.dnnl.global.dnnl.dnnl_memory_set_data_handle;
import static org.bytedeco.dnnl.global.dnnl.dnnl_primitive_destroy;
import static org.bytedeco.dnnl.global.dnnl.dnnl_primitive_execute;

import org.bytedeco.dnnl.dnnl_exec_arg_t;
import org.bytedeco.dnnl.dnnl_memory;
import org.bytedeco.dnnl.dnnl_primitive;
import org.bytedeco.javacpp.Pointer;

/**
 * A compiled primitive with its argument array. Memory objects are made once; a call sets their addresses and runs:
 * {@code e.bind(0, …).bind(1, …).run()}. Slots are numbered in the order in which the arguments were named to {@link Build#executable}.
 */
final class Executable implements AutoCloseable {
    /** A pointer whose address can be set: JavaCPP's own would be a new object per call. */
    private static final class Address extends Pointer {
        Pointer at(long value) {
            address = value;
            return this;
        }
    }

    final PrimitiveReport report;
    /** Bytes of each argument in the primitive's layout. */
    final long[] byteSizes;

    private final Dnnl dnnl;
    private final dnnl_primitive primitive;
    private final dnnl_exec_arg_t arguments;
    private final dnnl_memory[] memories;
    private final long[] addresses;
    private final int scratchpadSlot;
    private final Address address = new Address();

    /** @param memories one per argument; the scratchpad, if any, is the last */
    Executable(
            Dnnl dnnl,
            PrimitiveReport report,
            dnnl_primitive primitive,
            dnnl_exec_arg_t arguments,
            dnnl_memory[] memories,
            long[] byteSizes,
            boolean scratchpad) {
        this.dnnl = dnnl;
        this.report = report;
        this.primitive = primitive;
        this.arguments = arguments;
        this.memories = memories;
        this.byteSizes = byteSizes;
        this.addresses = new long[memories.length];
        this.scratchpadSlot = scratchpad ? memories.length - 1 : -1;
    }

    Executable bind(int slot, long newAddress) {
        if (addresses[slot] != newAddress) {
            Dnnl.check(
                    dnnl_memory_set_data_handle(memories[slot], address.at(newAddress)),
                    "dnnl_memory_set_data_handle",
                    report.op());
            addresses[slot] = newAddress;
        }
        return this;
    }

    void run() {
        dnnl.enter();
        if (scratchpadSlot >= 0) {
            bind(scratchpadSlot, dnnl.scratchpad.address(byteSizes[scratchpadSlot]));
        }
        Dnnl.check(
                dnnl_primitive_execute(primitive, dnnl.stream, memories.length, arguments),
                "dnnl_primitive_execute",
                report.op());
    }

    @Override
    public void close() {
        for (dnnl_memory memory : memories) {
            Dnnl.check(dnnl_memory_destroy(memory), "dnnl_memory_destroy", report.op());
        }
        Dnnl.check(dnnl_primitive_destroy(primitive), "dnnl_primitive_destroy", report.op());
        arguments.deallocate();
    }
}
