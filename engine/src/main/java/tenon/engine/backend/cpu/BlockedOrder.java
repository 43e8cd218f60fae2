package tenon.engine.backend.cpu;

import static org.bytedeco.dnnl.global.dnnl.dnnl_memory_desc_query;
import static org.bytedeco.dnnl.global.dnnl.dnnl_query_dims;
import static org.bytedeco.dnnl.global.dnnl.dnnl_query_inner_blks;
import static org.bytedeco.dnnl.global.dnnl.dnnl_query_inner_idxs;
import static org.bytedeco.dnnl.global.dnnl.dnnl_query_inner_nblks_s32;
import static org.bytedeco.dnnl.global.dnnl.dnnl_query_ndims_s32;
import static org.bytedeco.dnnl.global.dnnl.dnnl_query_strides;

import org.bytedeco.dnnl.dnnl_memory_desc;
import org.bytedeco.javacpp.IntPointer;
import org.bytedeco.javacpp.LongPointer;
import org.bytedeco.javacpp.PointerPointer;

/**
 * Where oneDNN's blocked layouts put an element: each inner block takes the lowest digits of its dimension's index, the last block varying fastest,
 * and what is left of the indices counts in strides.
 *
 * @param dims logical sizes
 * @param strides of what the inner blocks leave of each index
 * @param inner sizes of the inner blocks
 * @param innerDims the dimension of each
 */
record BlockedOrder(long[] dims, long[] strides, long[] inner, long[] innerDims) {
    static BlockedOrder of(dnnl_memory_desc descriptor) {
        int rank = count(descriptor, dnnl_query_ndims_s32);
        int blocks = count(descriptor, dnnl_query_inner_nblks_s32);
        return new BlockedOrder(
                array(descriptor, dnnl_query_dims, rank),
                array(descriptor, dnnl_query_strides, rank),
                array(descriptor, dnnl_query_inner_blks, blocks),
                array(descriptor, dnnl_query_inner_idxs, blocks));
    }

    private static int count(dnnl_memory_desc descriptor, int query) {
        try (IntPointer value = new IntPointer(1)) {
            Dnnl.check(dnnl_memory_desc_query(descriptor, query, value), "dnnl_memory_desc_query", "weight");
            return value.get();
        }
    }

    private static long[] array(dnnl_memory_desc descriptor, int query, int length) {
        try (PointerPointer<LongPointer> value = new PointerPointer<>(1)) {
            Dnnl.check(dnnl_memory_desc_query(descriptor, query, value), "dnnl_memory_desc_query", "weight");
            long[] array = new long[length];
            if (length > 0) {
                value.get(LongPointer.class, 0).get(array);
            }
            return array;
        }
    }

    /** Elements before the one at {@code index} of dimension {@code dim} and at 0 of the others; offsets of the dimensions add up. */
    long offset(int dim, long index) {
        long offset = 0;
        long rest = index;
        long unit = 1;
        for (int i = inner.length - 1; i >= 0; i--) {
            if (innerDims[i] == dim) {
                offset += rest % inner[i] * unit;
                rest /= inner[i];
            }
            unit *= inner[i];
        }
        return offset + rest * strides[dim];
    }

    /** Whether the offsets of every {@code side} indices from a multiple of it on differ as those of the first do, without a remainder. */
    boolean repeats(int dim, int side) {
        for (long index = 0; index < dims[dim]; index++) {
            long within = index % side;
            if (offset(dim, index) != offset(dim, index - within) + offset(dim, within)) {
                return false;
            }
        }
        return dims[dim] % side == 0;
    }

    /** Whether the first {@code count} indices lie in groups of neighbours, {@code stride} apart. */
    boolean isStrided(int dim, int count, int group, long stride) {
        for (int index = 0; index < count; index++) {
            if (offset(dim, index) != index / group * stride + index % group) {
                return false;
            }
        }
        return true;
    }
}
