package tenon.engine.backend.cuda;

import java.util.Locale;
import tenon.engine.DType;

/** How cuBLAS may round the factors of products. */
enum BlasMath {
    /** F32 as F32; BF16 on the tensor cores with sums in F32. */
    DEFAULT,
    /** F32 factors rounded to TF32, on the tensor cores. */
    TF32,
    /** As {@link #DEFAULT}, and no algorithm that reorders the arithmetic of a product: to look for the cause of a difference. */
    PEDANTIC;

    private static final int COMPUTE_32F = 68;
    private static final int COMPUTE_32F_PEDANTIC = 69;
    private static final int COMPUTE_32F_FAST_TF32 = 77;

    private static final int DEFAULT_MATH = 0;
    private static final int PEDANTIC_MATH = 2;
    private static final int TF32_MATH = 3;
    private static final int DISALLOW_REDUCED_PRECISION_REDUCTION = 16;

    /** {@code -Dtenon.cuda.blas.math}, or what the options say. */
    static BlasMath of(CudaOptions options) {
        String named = System.getProperty("tenon.cuda.blas.math");
        if (named != null) {
            return valueOf(named.toUpperCase(Locale.ROOT));
        }
        return options.tf32() ? TF32 : DEFAULT;
    }

    /** cublasComputeType_t. */
    int computeType(DType inputs) {
        return switch (this) {
            case DEFAULT -> COMPUTE_32F;
            case TF32 -> inputs == DType.F32 ? COMPUTE_32F_FAST_TF32 : COMPUTE_32F;
            case PEDANTIC -> COMPUTE_32F_PEDANTIC;
        };
    }

    /** cublasMath_t. Sums of BF16 products that are split stay in F32. */
    int mode() {
        return switch (this) {
            case DEFAULT -> DEFAULT_MATH | DISALLOW_REDUCED_PRECISION_REDUCTION;
            case TF32 -> TF32_MATH | DISALLOW_REDUCED_PRECISION_REDUCTION;
            case PEDANTIC -> PEDANTIC_MATH;
        };
    }
}
