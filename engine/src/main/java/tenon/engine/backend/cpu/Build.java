package tenon.engine.backend.cpu;

import static org.bytedeco.dnnl.global.dnnl.*;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.function.Supplier;
import org.bytedeco.dnnl.dnnl_exec_arg_t;
import org.bytedeco.dnnl.dnnl_memory;
import org.bytedeco.dnnl.dnnl_memory_desc;
import org.bytedeco.dnnl.dnnl_post_ops;
import org.bytedeco.dnnl.dnnl_primitive;
import org.bytedeco.dnnl.dnnl_primitive_attr;
import org.bytedeco.dnnl.dnnl_primitive_desc;
import org.bytedeco.javacpp.BytePointer;
import org.bytedeco.javacpp.PointerPointer;
import tenon.engine.DType;
import tenon.engine.DTypeException;
import tenon.engine.TenonException;
import tenon.engine.ops.Activation;

/** Compiles the primitives of one op; closing it destroys the descriptors that were only needed for that. */
final class Build implements AutoCloseable {
    final Dnnl dnnl;
    private final String op;
    private final Record key;
    private final List<dnnl_memory_desc> memoryDescriptors = new ArrayList<>();
    private final List<dnnl_primitive_desc> primitiveDescriptors = new ArrayList<>();
    private dnnl_primitive_attr attributes;
    private dnnl_primitive_attr withPostOps;

    Build(Dnnl dnnl, String op, Record key) {
        this.dnnl = dnnl;
        this.op = op;
        this.key = key;
        dnnl.enter();
    }

    void check(int status, String call) {
        if (status != dnnl_success) {
            Dnnl.check(status, call, op + " " + key);
        }
    }

    static int dataType(DType dtype) {
        return switch (dtype) {
            case F32 -> dnnl_f32;
            case BF16 -> dnnl_bf16;
            case U8 -> dnnl_u8;
            case I32 -> dnnl_s32;
            case F64 -> throw new DTypeException("cpu: oneDNN has no F64 (use the reference back-end)");
        };
    }

    /** Descriptor with explicit strides, both in oneDNN's logical order. */
    dnnl_memory_desc strided(DType dtype, long[] dims, long[] strides) {
        dnnl_memory_desc md = new dnnl_memory_desc();
        check(
                dnnl_memory_desc_create_with_strides(md, dims.length, dims, dataType(dtype), strides),
                "dnnl_memory_desc_create_with_strides");
        return own(md);
    }

    /** Dense row-major descriptor. */
    dnnl_memory_desc plain(DType dtype, long... dims) {
        long[] strides = new long[dims.length];
        long stride = 1;
        for (int i = dims.length - 1; i >= 0; i--) {
            strides[i] = stride;
            stride *= Math.max(1, dims[i]);
        }
        return strided(dtype, dims, strides);
    }

    /** [N, H, W, C] memory; oneDNN's logical order is N, C, H, W. */
    dnnl_memory_desc nhwc(DType dtype, long n, long h, long w, long c) {
        return strided(dtype, new long[] {n, c, h, w}, new long[] {h * w * c, 1, w * c, c});
    }

    /** A descriptor whose layout the primitive chooses. */
    dnnl_memory_desc any(DType dtype, long... dims) {
        dnnl_memory_desc md = new dnnl_memory_desc();
        check(
                dnnl_memory_desc_create_with_tag(md, dims.length, dims, dataType(dtype), dnnl_format_tag_any),
                "dnnl_memory_desc_create_with_tag");
        return own(md);
    }

    /** The same memory with logical dimensions {@code first} and {@code first + 1} exchanged. */
    dnnl_memory_desc swapAxes(dnnl_memory_desc md, int rank, int first) {
        int[] permutation = new int[rank];
        Arrays.setAll(permutation, i -> i == first ? first + 1 : i == first + 1 ? first : i);
        dnnl_memory_desc swapped = new dnnl_memory_desc();
        check(dnnl_memory_desc_permute_axes(swapped, md, permutation), "dnnl_memory_desc_permute_axes");
        return own(swapped);
    }

    private dnnl_memory_desc own(dnnl_memory_desc md) {
        memoryDescriptors.add(md);
        dnnl.descriptors++;
        return md;
    }

    /** Attributes of every primitive here: scratch memory comes from us. */
    dnnl_primitive_attr attributes() {
        if (attributes == null) {
            attributes = newAttributes();
        }
        return attributes;
    }

    /** Attributes with an activation of the result; to be asked for once per build. */
    dnnl_primitive_attr attributes(Activation activation) {
        if (activation.kind() == Activation.Kind.NONE) {
            return attributes();
        }
        withPostOps = newAttributes();
        dnnl_post_ops chain = new dnnl_post_ops();
        check(dnnl_post_ops_create(chain), "dnnl_post_ops_create");
        try {
            float alpha = activation.alpha();
            int status = switch (activation.kind()) {
                case RELU -> dnnl_post_ops_append_eltwise(chain, dnnl_eltwise_relu, 0, 0);
                case RELU6 -> dnnl_post_ops_append_eltwise(chain, dnnl_eltwise_clip, 0, 6);
                case LEAKY_RELU -> dnnl_post_ops_append_eltwise(chain, dnnl_eltwise_relu, alpha, 0);
                case ELU -> dnnl_post_ops_append_eltwise(chain, dnnl_eltwise_elu, alpha, 0);
                case SIGMOID -> dnnl_post_ops_append_eltwise(chain, dnnl_eltwise_logistic, 0, 0);
                case TANH -> dnnl_post_ops_append_eltwise(chain, dnnl_eltwise_tanh, 0, 0);
                case NONE -> dnnl_success;
            };
            check(status, "dnnl_post_ops_append_eltwise");
            check(dnnl_primitive_attr_set_post_ops(withPostOps, chain), "dnnl_primitive_attr_set_post_ops");
        } finally {
            check(dnnl_post_ops_destroy(chain), "dnnl_post_ops_destroy");
        }
        return withPostOps;
    }

    private dnnl_primitive_attr newAttributes() {
        dnnl_primitive_attr created = new dnnl_primitive_attr();
        check(dnnl_primitive_attr_create(created), "dnnl_primitive_attr_create");
        check(
                dnnl_primitive_attr_set_scratchpad_mode(created, dnnl_scratchpad_mode_user),
                "dnnl_primitive_attr_set_scratchpad_mode");
        return created;
    }

    /** Attributes of a primitive that adds its result to what the destination holds. */
    dnnl_primitive_attr accumulating() {
        dnnl_post_ops chain = new dnnl_post_ops();
        check(dnnl_post_ops_create(chain), "dnnl_post_ops_create");
        withPostOps = newAttributes();
        try {
            check(dnnl_post_ops_append_sum(chain, 1, 0, dnnl_data_type_undef), "dnnl_post_ops_append_sum");
            check(dnnl_primitive_attr_set_post_ops(withPostOps, chain), "dnnl_primitive_attr_set_post_ops");
        } finally {
            check(dnnl_post_ops_destroy(chain), "dnnl_post_ops_destroy");
        }
        return withPostOps;
    }

    /** An empty primitive descriptor for a {@code dnnl_…_primitive_desc_create} call; {@link #created} must follow. */
    dnnl_primitive_desc created(int status, String call, dnnl_primitive_desc descriptor) {
        check(status, call);
        primitiveDescriptors.add(descriptor);
        dnnl.descriptors++;
        return descriptor;
    }

    /** Moves the descriptor on to oneDNN's next kernel while its name contains {@code part}. */
    void avoid(String part, dnnl_primitive_desc descriptor) {
        while (implementation(descriptor).contains(part)) {
            check(dnnl_primitive_desc_next_impl(descriptor), "dnnl_primitive_desc_next_impl");
        }
    }

    /**
     * A descriptor of oneDNN's first kernel whose name contains {@code part}, or of its first kernel where there is none.
     *
     * @param create makes a new descriptor; a copy of one could not move on to the next kernel
     */
    dnnl_primitive_desc prefer(String part, Supplier<dnnl_primitive_desc> create) {
        dnnl_primitive_desc descriptor = create.get();
        while (!implementation(descriptor).contains(part)) {
            int status = dnnl_primitive_desc_next_impl(descriptor);
            if (status == dnnl_last_impl_reached) {
                return create.get();
            }
            check(status, "dnnl_primitive_desc_next_impl");
        }
        return descriptor;
    }

    /** Layout that the primitive wants for an argument, valid while this build is open. */
    dnnl_memory_desc layout(dnnl_primitive_desc descriptor, int argument) {
        dnnl_memory_desc md = dnnl_primitive_desc_query_md(descriptor, dnnl_query_exec_arg_md, argument);
        if (md == null || md.isNull()) {
            throw new TenonException(op + ": oneDNN names no memory for argument " + argument + ": " + key);
        }
        return md;
    }

    /** Compiles the primitive. The arguments' order numbers the slots. */
    Executable executable(dnnl_primitive_desc descriptor, int... arguments) {
        dnnl_memory_desc scratchpad = dnnl_primitive_desc_query_md(descriptor, dnnl_query_scratchpad_md, 0);
        boolean needsScratchpad =
                scratchpad != null && !scratchpad.isNull() && dnnl_memory_desc_get_size(scratchpad) > 0;
        int count = arguments.length + (needsScratchpad ? 1 : 0);
        dnnl_primitive primitive = new dnnl_primitive();
        check(dnnl_primitive_create(primitive, descriptor), "dnnl_primitive_create");
        dnnl.primitives++;
        dnnl_exec_arg_t array = new dnnl_exec_arg_t(count);
        // It outlives a PointerScope of the program that calls, which would free it.
        array.retainReference();
        dnnl_memory[] memories = new dnnl_memory[count];
        long[] byteSizes = new long[count];
        for (int i = 0; i < count; i++) {
            boolean last = i == arguments.length;
            dnnl_memory_desc md = last ? scratchpad : layout(descriptor, arguments[i]);
            dnnl_memory memory = new dnnl_memory();
            check(dnnl_memory_create(memory, md, dnnl.engine, null), "dnnl_memory_create");
            dnnl.descriptors++;
            memories[i] = memory;
            byteSizes[i] = dnnl_memory_desc_get_size(md);
            array.getPointer(i).arg(last ? DNNL_ARG_SCRATCHPAD : arguments[i]).memory(memory);
        }
        return new Executable(
                dnnl,
                new PrimitiveReport(op, key.toString(), implementation(descriptor)),
                primitive,
                array,
                memories,
                byteSizes,
                needsScratchpad);
    }

    String implementation(dnnl_primitive_desc descriptor) {
        try (PointerPointer<BytePointer> name = new PointerPointer<>(1)) {
            check(
                    dnnl_primitive_desc_query(descriptor, dnnl_query_impl_info_str, 0, name),
                    "dnnl_primitive_desc_query");
            return name.get(BytePointer.class, 0).getString();
        }
    }

    @Override
    public void close() {
        for (dnnl_primitive_desc descriptor : primitiveDescriptors) {
            check(dnnl_primitive_desc_destroy(descriptor), "dnnl_primitive_desc_destroy");
        }
        for (dnnl_memory_desc md : memoryDescriptors) {
            check(dnnl_memory_desc_destroy(md), "dnnl_memory_desc_destroy");
        }
        for (dnnl_primitive_attr attr : new dnnl_primitive_attr[] {attributes, withPostOps}) {
            if (attr != null) {
                check(dnnl_primitive_attr_destroy(attr), "dnnl_primitive_attr_destroy");
            }
        }
    }
}
