package tenon.engine.backend.cuda;

import tenon.engine.DType;

/** cuBLAS, on the compute stream. Use it under the back-end's lock. */
interface Blas extends AutoCloseable {
    /**
     * C = alpha·op(A)·op(B) + beta·C over dense row-major matrices: op(A) is [m, k], op(B) [k, n], C [m, n]. Sums are F32. With beta 0, C is not read.
     *
     * @param inputs dtype of A and B: F32 or BF16
     * @param output dtype of C: F32, or that of the inputs
     */
    void gemm(
            boolean transposeA,
            boolean transposeB,
            long m,
            long n,
            long k,
            float alpha,
            long a,
            long b,
            DType inputs,
            float beta,
            long c,
            DType output);

    /** Which library and how it is called, e.g. {@code cuBLAS 12.6 through JCublas}. */
    String description();

    @Override
    void close();
}
