package tenon.engine.ops;

import java.util.stream.Stream;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import tenon.engine.backend.Backend;
import tenon.engine.backend.cuda.CudaOptions.LibraryChoice;
import tenon.engine.testing.CudaTesting;

class CudnnNormalizationTest extends NormalizationContract {
    private static final int SMALL = 3000;

    @Override
    protected Backend open() {
        return CudaTesting.open(CudaTesting.options().withBatchNorm(LibraryChoice.CUDNN));
    }

    /** The large sizes are about own kernels' blocks, and inference is theirs anyway. */
    static Stream<Variant> smallTraining() {
        return ugly().filter(variant -> variant.training() && variant.input().elementCount() < SMALL);
    }

    @Override
    @ParameterizedTest
    @MethodSource("smallTraining")
    void uglySizesAreRight(Variant variant) {
        super.uglySizesAreRight(variant);
    }
}
