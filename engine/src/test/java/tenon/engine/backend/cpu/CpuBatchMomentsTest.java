package tenon.engine.backend.cpu;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import tenon.engine.DType;
import tenon.engine.Rng;
import tenon.engine.Scope;
import tenon.engine.Shape;
import tenon.engine.Tensor;
import tenon.engine.ops.BatchNormSpec;

/** Batch statistics keep the precision of F32 over many values, where a running F32 sum is off by 1e-4. */
class CpuBatchMomentsTest {
    @ParameterizedTest
    @ValueSource(ints = {1, 17, 32})
    void meanAndVarianceAreExactOverManyValues(int channels) {
        int rows = 16 * 64 * 64;
        try (CpuBackend cpu = CpuBackend.open(2);
                var _ = Scope.open("test", cpu)) {
            Tensor input = Tensor.empty(Shape.of(16, 64, 64, channels), DType.F32);
            cpu.random().normal(input, 3, 0.5, new Rng(1, 2, 3));
            Tensor mean = Tensor.empty(Shape.of(channels), DType.F32);
            Tensor variance = Tensor.empty(Shape.of(channels), DType.F32);
            Tensor output = Tensor.empty(input.shape(), DType.F32);
            Tensor running = Tensor.zeros(mean.shape(), DType.F32);
            cpu.normalization()
                    .trainForward(
                            BatchNormSpec.defaults(),
                            input,
                            null,
                            null,
                            running,
                            running,
                            null,
                            output,
                            0,
                            mean,
                            variance);

            float[] values = input.toFloatArray();
            for (int c = 0; c < channels; c++) {
                double sum = 0;
                for (int r = 0; r < rows; r++) {
                    sum += values[r * channels + c];
                }
                double expectedMean = sum / rows;
                double squares = 0;
                for (int r = 0; r < rows; r++) {
                    double difference = values[r * channels + c] - expectedMean;
                    squares += difference * difference;
                }
                assertThat((double) mean.toFloatArray()[c]).isCloseTo(expectedMean, within(1e-6 * expectedMean));
                double expectedVariance = squares / rows;
                assertThat((double) variance.toFloatArray()[c])
                        .isCloseTo(expectedVariance, within(1e-6 * expectedVariance));
            }
        }
    }
}
