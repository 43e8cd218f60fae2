package tenon.apps.networks;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import java.util.Random;
import tenon.engine.DType;
import tenon.engine.GradMode;
import tenon.engine.Scope;
import tenon.engine.Shape;
import tenon.engine.Tensor;
import tenon.engine.ops.Losses;
import tenon.layers.Module;
import tenon.layers.Parameter;

/** What a new network of a thousand classes says. */
final class Outputs {
    private static final int CLASSES = 1000;

    private Outputs() {}

    /** Noise whose deviation is about that of pictures without their mean; [count, side, side, 3]. */
    static Tensor pictures(int count, int side, long seed) {
        Random random = new Random(seed);
        Tensor pictures = Tensor.empty(Shape.of(count, side, side, 3), DType.F32);
        float[] pixels = new float[(int) pictures.elementCount()];
        for (int i = 0; i < pixels.length; i++) {
            pixels[i] = (float) (60 * random.nextGaussian());
        }
        pictures.upload(pixels);
        return pictures;
    }

    /** Of two pictures: a thousand probabilities each, which make 1 and are not the other picture's. */
    static void assertProbabilities(Module network, int side) {
        try (var _ = Scope.open("probabilities");
                var _ = GradMode.noGrad()) {
            Tensor probabilities = Losses.softmax(network.apply(pictures(2, side, 5)));
            assertThat(probabilities.shape()).isEqualTo(Shape.of(2, CLASSES));
            double[] values = probabilities.toDoubleArray();
            double difference = 0;
            for (int row = 0; row < 2; row++) {
                double sum = 0;
                for (int c = 0; c < CLASSES; c++) {
                    double p = values[row * CLASSES + c];
                    assertThat(p).isBetween(0.0, 1.0);
                    difference += Math.abs(p - values[c]);
                    sum += p;
                }
                assertThat(sum).as("row " + row).isCloseTo(1, within(1e-5));
            }
            assertThat(difference).isGreaterThan(1e-3);
        }
    }

    /** Values in all biases. */
    static long biases(Module network) {
        return network.parameters().stream()
                .filter(parameter -> parameter.name().endsWith(".bias"))
                .map(Parameter::value)
                .mapToLong(Tensor::elementCount)
                .sum();
    }
}
