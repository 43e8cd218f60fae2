package tenon.engine.backend.cpu;

import static org.bytedeco.dnnl.global.dnnl.dnnl_cpu;
import static org.bytedeco.dnnl.global.dnnl.dnnl_engine_create;
import static org.bytedeco.dnnl.global.dnnl.dnnl_engine_destroy;
import static org.bytedeco.dnnl.global.dnnl.dnnl_stream_create;
import static org.bytedeco.dnnl.global.dnnl.dnnl_stream_default_flags;
import static org.bytedeco.dnnl.global.dnnl.dnnl_stream_destroy;
import static org.bytedeco.dnnl.global.dnnl.dnnl_success;

import org.bytedeco.dnnl.dnnl_engine;
import org.bytedeco.dnnl.dnnl_stream;
import org.bytedeco.dnnl.global.dnnl;
import tenon.engine.TenonException;
import tenon.engine.nativelib.DnnlLibrary;

/**
 * oneDNN's engine and stream with what all primitives share: scratch memory, counters, the thread count. Its monitor guards the shared memory
 * objects, so an op binds and executes under it.
 */
final class Dnnl implements AutoCloseable {
    final dnnl_engine engine = new dnnl_engine();
    final dnnl_stream stream = new dnnl_stream();
    final OpenMp openMp;
    final int threads;
    /** Scratch memory of the primitive that runs; the largest that any asked for. */
    final Scratch scratchpad;
    /** Results that the caller does not want but the primitive writes. */
    final Scratch unwanted;

    long primitives;
    long descriptors;

    Dnnl(int threads, Scratch scratchpad, Scratch unwanted) {
        openMp = OpenMp.find(DnnlLibrary.load());
        this.threads = threads;
        this.scratchpad = scratchpad;
        this.unwanted = unwanted;
        check(dnnl_engine_create(engine, dnnl_cpu, 0), "dnnl_engine_create", "oneDNN");
        check(dnnl_stream_create(stream, engine, dnnl_stream_default_flags), "dnnl_stream_create", "oneDNN");
    }

    /** Throws unless {@code status} is success. */
    static void check(int status, String call, Object op) {
        if (status != dnnl_success) {
            throw new TenonException(TenonException.where(String.valueOf(op)) + ": oneDNN refused " + call + ": status="
                    + status(status));
        }
    }

    private static String status(int status) {
        return switch (status) {
            case dnnl.dnnl_out_of_memory -> "out_of_memory";
            case dnnl.dnnl_invalid_arguments -> "invalid_arguments";
            case dnnl.dnnl_unimplemented -> "unimplemented (no kernel for this operation, dtype and instruction set)";
            case dnnl.dnnl_runtime_error -> "runtime_error";
            case dnnl.dnnl_not_required -> "not_required";
            default -> String.valueOf(status);
        };
    }

    /** Makes the calling thread's OpenMP regions use this back-end's thread count: primitives must run with the count they were made for. */
    void enter() {
        openMp.setThreads(threads);
    }

    @Override
    public void close() {
        scratchpad.close();
        unwanted.close();
        check(dnnl_stream_destroy(stream), "dnnl_stream_destroy", "oneDNN");
        check(dnnl_engine_destroy(engine), "dnnl_engine_destroy", "oneDNN");
    }
}
