package tenon.engine.ops;

import java.util.stream.Stream;
import org.junit.jupiter.api.Nested;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import tenon.engine.backend.Backend;
import tenon.engine.testing.CudaTesting;

/**
 * The op contracts on the build of own kernels with approximate arithmetic. Of what NVIDIA documents for it (CUDA programming guide, "Mathematical Functions") the
 * tolerances of the strict build have room for, in units in the last place: 2 for a quotient, 3 for a root, 2 + ⌊1.173·|x|⌋ for e^x. What is said here is more.
 * Ugly sizes that are about cuDNN and about blocks of threads are left to the strict build's tests.
 */
class CudaFastMathTest {
    private static Backend fast() {
        return CudaTesting.open(CudaTesting.options().withFastMath(true));
    }

    @Nested
    class Activating extends ActivationContract {
        @Override
        protected Backend open() {
            return fast();
        }
    }

    @Nested
    class Arithmetics extends ArithmeticContract {
        @Override
        protected Backend open() {
            return fast();
        }
    }

    @Nested
    class Casting extends CastContract {
        @Override
        protected Backend open() {
            return fast();
        }
    }

    @Nested
    class Channels extends ChannelContract {
        @Override
        protected Backend open() {
            return fast();
        }
    }

    @Nested
    class Convolving extends ConvolutionContract {
        @Override
        protected Backend open() {
            return fast();
        }

        @Override
        void uglySizesAreRight(Geometry geometry) {} // cuDNN's

        @Override
        void gradientsOfASharedInputAddUpAtUglySizes(Geometry geometry) {} // cuDNN's

        @Override
        @ParameterizedTest
        @MethodSource("small")
        void reluIsFusedAtUglySizes(Geometry geometry) {
            super.reluIsFusedAtUglySizes(geometry);
        }
    }

    @Nested
    class DenseLayers extends DenseContract {
        @Override
        protected Backend open() {
            return fast();
        }
    }

    @Nested
    class DroppingOut extends DropoutContract {
        @Override
        protected Backend open() {
            return fast();
        }
    }

    @Nested
    class Loss extends LossContract {
        @Override
        protected Backend open() {
            return fast();
        }
    }

    @Nested
    class Metric extends MetricContract {
        @Override
        protected Backend open() {
            return fast();
        }
    }

    @Nested
    class Normalizing extends NormalizationContract {
        @Override
        protected Backend open() {
            return fast();
        }

        static Stream<Variant> fewerSizes() {
            return ugly().filter(variant -> variant.input().elementCount() < 3000);
        }

        @Override
        @ParameterizedTest
        @MethodSource("fewerSizes")
        void uglySizesAreRight(Variant variant) {
            super.uglySizesAreRight(variant);
        }
    }

    @Nested
    class PoolingWindows extends PoolingContract {
        @Override
        protected Backend open() {
            return fast();
        }
    }

    @Nested
    class Reshaping extends ReshapeContract {
        @Override
        protected Backend open() {
            return fast();
        }
    }

    @Nested
    class Updating extends UpdateContract {
        @Override
        protected Backend open() {
            return fast();
        }
    }
}
