package tenon.engine.ops;

import tenon.engine.DType;
import tenon.engine.backend.Backend;
import tenon.engine.testing.CudaTesting;
import tenon.engine.testing.Tolerance;

/** The factors of F32 products are rounded to TF32's 11 significant bits. */
class CudaTf32ConvolutionTest extends ConvolutionContract {
    private static final double ROUNDING = 0x1.0p-11;

    @Override
    protected Backend open() {
        return CudaTesting.open(CudaTesting.options().withTf32(true));
    }

    /** Both factors of each product are off by half a unit in the last place at most. */
    @Override
    protected Tolerance tolerance(DType dtype, long reductionLength) {
        Tolerance exact = super.tolerance(dtype, reductionLength);
        double factors = dtype == DType.F32 ? 2 * ROUNDING * reductionLength : 0;
        return new Tolerance(exact.absolute() + factors, exact.relative() + factors);
    }
}
