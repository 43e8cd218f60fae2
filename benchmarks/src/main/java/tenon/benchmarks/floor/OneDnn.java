package tenon.benchmarks.floor;

import static org.bytedeco.dnnl.global.dnnl.*;

import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.SymbolLookup;
import java.lang.foreign.ValueLayout;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.bytedeco.dnnl.dnnl_engine;
import org.bytedeco.dnnl.dnnl_exec_arg_t;
import org.bytedeco.dnnl.dnnl_memory;
import org.bytedeco.dnnl.dnnl_memory_desc;
import org.bytedeco.dnnl.dnnl_primitive;
import org.bytedeco.dnnl.dnnl_primitive_attr;
import org.bytedeco.dnnl.dnnl_primitive_desc;
import org.bytedeco.dnnl.dnnl_stream;
import org.bytedeco.javacpp.BytePointer;
import org.bytedeco.javacpp.Pointer;
import org.bytedeco.javacpp.PointerPointer;
import tenon.engine.DType;
import tenon.engine.TenonException;
import tenon.engine.Tensor;
import tenon.engine.nativelib.DnnlLibrary;

/** oneDNN's engine and stream, and what is built from them; all of it is destroyed on close. For the thread that made it. */
final class OneDnn implements AutoCloseable {
    /** An argument of a primitive: which one, and where it lies. */
    record Argument(int kind, long address) {
        static Argument of(int kind, Tensor tensor) {
            return new Argument(kind, tensor.address());
        }
    }

    final dnnl_engine engine = new dnnl_engine();
    final dnnl_primitive_attr attributes = new dnnl_primitive_attr();
    private final dnnl_stream stream = new dnnl_stream();
    private final List<dnnl_memory_desc> memoryDescriptors = new ArrayList<>();
    private final List<dnnl_primitive_desc> primitiveDescriptors = new ArrayList<>();
    private final List<Primitive> primitives = new ArrayList<>();

    OneDnn(int threads) {
        setThreads(DnnlLibrary.load(), threads);
        check(dnnl_engine_create(engine, dnnl_cpu, 0), "dnnl_engine_create");
        check(dnnl_stream_create(stream, engine, dnnl_stream_default_flags), "dnnl_stream_create");
        check(dnnl_primitive_attr_create(attributes), "dnnl_primitive_attr_create");
        check(
                dnnl_primitive_attr_set_scratchpad_mode(attributes, dnnl_scratchpad_mode_user),
                "dnnl_primitive_attr_set_scratchpad_mode");
    }

    /** Sets the size of the teams that this thread starts in oneDNN's OpenMP library. */
    @SuppressWarnings("restricted")
    private static void setThreads(String library, int threads) {
        MemorySegment function = SymbolLookup.libraryLookup(Path.of(library), Arena.global())
                .find("omp_set_num_threads")
                .orElseThrow(() -> new TenonException("floor: oneDNN must come with OpenMP: library=" + library));
        try {
            Linker.nativeLinker()
                    .downcallHandle(function, FunctionDescriptor.ofVoid(ValueLayout.JAVA_INT))
                    .invokeExact(threads);
        } catch (Throwable e) {
            throw new IllegalStateException("omp_set_num_threads failed", e);
        }
    }

    static void check(int status, String call) {
        if (status != dnnl_success) {
            throw new TenonException("floor: oneDNN refused " + call + ": status=" + status
                    + (status == dnnl_unimplemented ? " (unimplemented on this processor)" : ""));
        }
    }

    static Pointer pointer(long at) {
        return new Pointer() {
            {
                address = at;
            }
        };
    }

    static int dataType(DType type) {
        return switch (type) {
            case F32 -> dnnl_f32;
            case BF16 -> dnnl_bf16;
            case U8 -> dnnl_u8;
            case I32, F64 -> throw new IllegalArgumentException("floor: no training in " + type);
        };
    }

    // ---- descriptors ----

    dnnl_memory_desc strided(DType type, long[] dims, long[] strides) {
        dnnl_memory_desc md = new dnnl_memory_desc();
        check(
                dnnl_memory_desc_create_with_strides(md, dims.length, dims, dataType(type), strides),
                "dnnl_memory_desc_create_with_strides");
        memoryDescriptors.add(md);
        return md;
    }

    /** Dense and row-major. */
    dnnl_memory_desc plain(DType type, long... dims) {
        long[] strides = new long[dims.length];
        long stride = 1;
        for (int i = dims.length - 1; i >= 0; i--) {
            strides[i] = stride;
            stride *= dims[i];
        }
        return strided(type, dims, strides);
    }

    /** The layout is the primitive's choice. */
    dnnl_memory_desc any(DType type, long... dims) {
        dnnl_memory_desc md = new dnnl_memory_desc();
        check(
                dnnl_memory_desc_create_with_tag(md, dims.length, dims, dataType(type), dnnl_format_tag_any),
                "dnnl_memory_desc_create_with_tag");
        memoryDescriptors.add(md);
        return md;
    }

    /** Keeps a primitive descriptor that {@code call} has filled. */
    dnnl_primitive_desc created(int status, String call, dnnl_primitive_desc descriptor) {
        check(status, call);
        primitiveDescriptors.add(descriptor);
        return descriptor;
    }

    /** What the primitive wants for an argument; the descriptor's own. */
    static dnnl_memory_desc layout(dnnl_primitive_desc descriptor, int argument) {
        dnnl_memory_desc md = dnnl_primitive_desc_query_md(descriptor, dnnl_query_exec_arg_md, argument);
        if (md == null || md.isNull()) {
            throw new TenonException("floor: oneDNN names no memory for argument " + argument);
        }
        return md;
    }

    static long byteSize(dnnl_memory_desc md) {
        return dnnl_memory_desc_get_size(md);
    }

    static boolean equal(dnnl_memory_desc a, dnnl_memory_desc b) {
        return dnnl_memory_desc_equal(a, b) != 0;
    }

    // ---- primitives ----

    Primitive primitive(dnnl_primitive_desc descriptor, List<Argument> arguments) {
        dnnl_memory_desc scratchpadLayout = dnnl_primitive_desc_query_md(descriptor, dnnl_query_scratchpad_md, 0);
        long scratchpadBytes = scratchpadLayout == null || scratchpadLayout.isNull() ? 0 : byteSize(scratchpadLayout);
        int count = arguments.size() + (scratchpadBytes > 0 ? 1 : 0);
        dnnl_primitive handle = new dnnl_primitive();
        check(dnnl_primitive_create(handle, descriptor), "dnnl_primitive_create");
        dnnl_exec_arg_t array = new dnnl_exec_arg_t(count);
        dnnl_memory[] memories = new dnnl_memory[count];
        long bytes = 0;
        for (int i = 0; i < arguments.size(); i++) {
            Argument argument = arguments.get(i);
            dnnl_memory_desc md = layout(descriptor, argument.kind());
            bytes += byteSize(md);
            memories[i] = memory(array, i, argument.kind(), md, argument.address());
        }
        dnnl_memory scratchpad = null;
        if (scratchpadBytes > 0) {
            scratchpad = memory(array, count - 1, DNNL_ARG_SCRATCHPAD, scratchpadLayout, 0);
            memories[count - 1] = scratchpad;
        }
        Primitive primitive = new Primitive(
                implementation(descriptor), bytes, stream, handle, array, memories, scratchpad, scratchpadBytes);
        primitives.add(primitive);
        return primitive;
    }

    private dnnl_memory memory(dnnl_exec_arg_t array, int index, int kind, dnnl_memory_desc md, long address) {
        dnnl_memory memory = new dnnl_memory();
        check(dnnl_memory_create(memory, md, engine, pointer(address)), "dnnl_memory_create");
        array.getPointer(index).arg(kind).memory(memory);
        return memory;
    }

    private static String implementation(dnnl_primitive_desc descriptor) {
        try (PointerPointer<BytePointer> name = new PointerPointer<>(1)) {
            check(
                    dnnl_primitive_desc_query(descriptor, dnnl_query_impl_info_str, 0, name),
                    "dnnl_primitive_desc_query");
            return name.get(BytePointer.class, 0).getString();
        }
    }

    /** Copies memory from one layout to another. */
    Primitive reorder(dnnl_memory_desc fromLayout, long from, dnnl_memory_desc toLayout, long to) {
        dnnl_primitive_desc descriptor = new dnnl_primitive_desc();
        created(
                dnnl_reorder_primitive_desc_create(descriptor, fromLayout, engine, toLayout, engine, attributes),
                "dnnl_reorder_primitive_desc_create",
                descriptor);
        return primitive(descriptor, List.of(new Argument(DNNL_ARG_FROM, from), new Argument(DNNL_ARG_TO, to)));
    }

    /** The most that any primitive asks for. */
    long scratchpadBytes() {
        return primitives.stream().mapToLong(Primitive::scratchpadBytes).max().orElse(0);
    }

    void useScratchpad(long address) {
        primitives.forEach(primitive -> primitive.useScratchpad(address));
    }

    @Override
    public void close() {
        primitives.forEach(Primitive::close);
        for (dnnl_primitive_desc descriptor : primitiveDescriptors) {
            check(dnnl_primitive_desc_destroy(descriptor), "dnnl_primitive_desc_destroy");
        }
        for (dnnl_memory_desc md : memoryDescriptors) {
            check(dnnl_memory_desc_destroy(md), "dnnl_memory_desc_destroy");
        }
        check(dnnl_primitive_attr_destroy(attributes), "dnnl_primitive_attr_destroy");
        check(dnnl_stream_destroy(stream), "dnnl_stream_destroy");
        check(dnnl_engine_destroy(engine), "dnnl_engine_destroy");
    }
}
