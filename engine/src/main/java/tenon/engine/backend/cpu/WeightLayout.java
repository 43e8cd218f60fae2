package tenon.engine.backend.cpu;

import static org.bytedeco.dnnl.global.dnnl.DNNL_ARG_FROM;
import static org.bytedeco.dnnl.global.dnnl.DNNL_ARG_TO;
import static org.bytedeco.dnnl.global.dnnl.dnnl_memory_desc_equal;
import static org.bytedeco.dnnl.global.dnnl.dnnl_reorder_primitive_desc_create;

import org.bytedeco.dnnl.dnnl_memory_desc;
import org.bytedeco.dnnl.dnnl_primitive_desc;
import tenon.engine.DType;
import tenon.engine.Shape;

/**
 * Converts F32 weights between their plain layout ([K, R, S, C / groups], or [O, I] of dense layers) and the layout and dtype that a primitive
 * wants. The only class that knows both: plain weights would send oneDNN's convolutions to its reference loops.
 */
final class WeightLayout implements AutoCloseable {
    private final Dnnl dnnl;
    /** Null when the primitive takes the plain layout. */
    private final Executable reorder;

    private final boolean toPrimitive;

    private WeightLayout(Dnnl dnnl, Executable reorder, boolean toPrimitive) {
        this.dnnl = dnnl;
        this.reorder = reorder;
        this.toPrimitive = toPrimitive;
    }

    /** oneDNN's logical dimensions: K, C, R, S, or G, K / G, C / G, R, S. */
    static long[] dims(Shape weight, int groups) {
        long k = weight.dim(0);
        long r = weight.dim(1);
        long s = weight.dim(2);
        long c = weight.dim(3);
        return groups == 1 ? new long[] {k, c, r, s} : new long[] {groups, k / groups, c, r, s};
    }

    private static long[] plainStrides(Shape weight, int groups) {
        long s = weight.dim(2);
        long c = weight.dim(3);
        long filter = weight.dim(1) * s * c;
        return groups == 1
                ? new long[] {filter, 1, s * c, c}
                : new long[] {weight.dim(0) / groups * filter, filter, 1, s * c, c};
    }

    /** Conversion of the plain weight into the layout {@code wanted}, before the primitive runs. */
    static WeightLayout toPrimitive(Build build, Shape weight, int groups, dnnl_memory_desc wanted) {
        return create(build, weight, groups, wanted, true);
    }

    /** Conversion of the primitive's result {@code given} into the plain layout. */
    static WeightLayout fromPrimitive(Build build, Shape weight, int groups, dnnl_memory_desc given) {
        return create(build, weight, groups, given, false);
    }

    private static WeightLayout create(
            Build build, Shape weight, int groups, dnnl_memory_desc blocked, boolean toPrimitive) {
        dnnl_memory_desc plain = weight.rank() == 2
                ? build.plain(DType.F32, weight.dim(0), weight.dim(1))
                : build.strided(DType.F32, dims(weight, groups), plainStrides(weight, groups));
        if (dnnl_memory_desc_equal(plain, blocked) != 0) {
            return new WeightLayout(build.dnnl, null, toPrimitive);
        }
        dnnl_memory_desc from = toPrimitive ? plain : blocked;
        dnnl_memory_desc to = toPrimitive ? blocked : plain;
        dnnl_primitive_desc descriptor = new dnnl_primitive_desc();
        build.created(
                dnnl_reorder_primitive_desc_create(
                        descriptor, from, build.dnnl.engine, to, build.dnnl.engine, build.attributes()),
                "dnnl_reorder_primitive_desc_create",
                descriptor);
        return new WeightLayout(build.dnnl, build.executable(descriptor, DNNL_ARG_FROM, DNNL_ARG_TO), toPrimitive);
    }

    /** Address of the weight at {@code plain} in the primitive's layout. */
    long pack(long plain) {
        if (reorder == null) {
            return plain;
        }
        long packed = dnnl.weights.address(reorder.byteSizes[1]);
        reorder.bind(0, plain).bind(1, packed).run();
        return packed;
    }

    /** Where the primitive must write a result that {@link #unpack} then brings to {@code plain}. */
    long target(long plain) {
        return reorder == null ? plain : dnnl.weights.address(reorder.byteSizes[0]);
    }

    void unpack(long packed, long plain) {
        if (reorder != null) {
            reorder.bind(0, packed).bind(1, plain).run();
        }
    }

    PrimitiveReport report() {
        return reorder == null ? null : reorder.report;
    }

    @Override
    public void close() {
        if (reorder != null) {
            reorder.close();
        }
    }

    @Override
    public String toString() {
        return reorder == null ? "plain" : toPrimitive ? "plain to blocked" : "blocked to plain";
    }
}
