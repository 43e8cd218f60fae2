package tenon.engine.backend.cpu;

import static org.bytedeco.dnnl.global.dnnl.*;

import org.bytedeco.dnnl.dnnl_memory_desc;
import org.bytedeco.dnnl.dnnl_post_ops;
import org.bytedeco.dnnl.dnnl_primitive_desc;
import org.bytedeco.javacpp.FloatPointer;
import org.bytedeco.javacpp.Pointer;
import tenon.engine.DType;
import tenon.engine.Tensor;

/** Matrix product: on oneDNN's sgemm, which needs no primitive, in F32; on its matmul, added up in F32, in BF16. */
final class Gemm {
    private record Key(boolean transposeA, boolean transposeB, float alpha, float beta, long m, long n, long k) {}

    /** A float pointer whose address can be set. */
    private static final class Address extends FloatPointer {
        Address() {
            super((Pointer) null);
        }

        Address at(long value) {
            address = value;
            return this;
        }
    }

    private final Dnnl dnnl;
    private final PrimitiveCache cache;
    private final PrimitiveCache.Compiler<Key> compiler = this::compile;
    private final Address a = new Address();
    private final Address b = new Address();
    private final Address c = new Address();

    Gemm(Dnnl dnnl, PrimitiveCache cache) {
        this.dnnl = dnnl;
        this.cache = cache;
    }

    void run(boolean transposeA, boolean transposeB, double alpha, Tensor left, Tensor right, double beta, Tensor out) {
        long m = out.shape().dim(0);
        long n = out.shape().dim(1);
        long k = left.shape().dim(transposeA ? 0 : 1);
        synchronized (dnnl) {
            if (out.dtype() == DType.BF16) {
                Key key = new Key(transposeA, transposeB, (float) alpha, (float) beta, m, n, k);
                cache.get(key, compiler)
                        .primitive()
                        .bind(0, left.address())
                        .bind(1, right.address())
                        .bind(2, out.address())
                        .run();
                return;
            }
            dnnl.enter();
            Dnnl.check(
                    dnnl_sgemm(
                            (byte) (transposeA ? 'T' : 'N'),
                            (byte) (transposeB ? 'T' : 'N'),
                            m,
                            n,
                            k,
                            (float) alpha,
                            a.at(left.address()),
                            transposeA ? m : k,
                            b.at(right.address()),
                            transposeB ? k : n,
                            (float) beta,
                            c.at(out.address()),
                            n),
                    "dnnl_sgemm",
                    "gemm");
        }
    }

    /** alpha is a linear post-op, beta a sum with what the destination holds. */
    private Compiled compile(Key key) {
        try (Build build = new Build(dnnl, "gemm", key)) {
            dnnl_memory_desc a = matrix(build, key.transposeA, key.m, key.k);
            dnnl_memory_desc b = matrix(build, key.transposeB, key.k, key.n);
            dnnl_memory_desc c = matrix(build, false, key.m, key.n);
            dnnl_post_ops postOps = new dnnl_post_ops();
            build.check(dnnl_post_ops_create(postOps), "dnnl_post_ops_create");
            if (key.alpha != 1) {
                build.check(
                        dnnl_post_ops_append_eltwise(postOps, dnnl_eltwise_linear, key.alpha, 0),
                        "dnnl_post_ops_append_eltwise");
            }
            if (key.beta != 0) {
                build.check(
                        dnnl_post_ops_append_sum(postOps, key.beta, 0, dnnl_data_type_undef),
                        "dnnl_post_ops_append_sum");
            }
            build.check(
                    dnnl_primitive_attr_set_post_ops(build.attributes(), postOps), "dnnl_primitive_attr_set_post_ops");
            build.check(dnnl_post_ops_destroy(postOps), "dnnl_post_ops_destroy");
            dnnl_primitive_desc descriptor = new dnnl_primitive_desc();
            build.created(
                    dnnl_matmul_primitive_desc_create(descriptor, dnnl.engine, a, b, null, c, build.attributes()),
                    "dnnl_matmul_primitive_desc_create",
                    descriptor);
            return new Compiled(build.executable(descriptor, DNNL_ARG_SRC, DNNL_ARG_WEIGHTS, DNNL_ARG_DST));
        }
    }

    /** A [rows, columns] matrix, in memory as its transpose if {@code transposed}. */
    private static dnnl_memory_desc matrix(Build build, boolean transposed, long rows, long columns) {
        long[] strides = transposed ? new long[] {1, rows} : new long[] {columns, 1};
        return build.strided(DType.BF16, new long[] {rows, columns}, strides);
    }
}
