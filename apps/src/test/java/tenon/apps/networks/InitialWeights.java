package tenon.apps.networks;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import java.util.Arrays;
import tenon.engine.Tensor;
import tenon.layers.Module;
import tenon.layers.Parameter;

/** Statistics of a new network's weights; tolerances are five standard errors of 10,000 samples or more. */
final class InitialWeights {
    private InitialWeights() {}

    /** Uniform in ±bound, to the digits of the bound. */
    static void assertUniform(Module network, String weight, double bound) {
        double[] values = values(network, weight);
        double largest = Arrays.stream(values).map(Math::abs).max().orElseThrow();
        assertThat(largest).as(weight).isBetween(0.995 * bound, 1.0005 * bound);
        assertThat(variance(values)).as(weight).isCloseTo(bound * bound / 3, within(0.05 * bound * bound / 3));
    }

    /** Normal: of all values, 68.3 % lie within one standard deviation, 95.4 % within two and some beyond three. */
    static void assertNormal(Module network, String weight, double deviation) {
        double[] values = values(network, weight);
        assertThat(variance(values)).as(weight).isCloseTo(deviation * deviation, within(0.08 * deviation * deviation));
        assertThat(share(values, deviation)).as(weight).isCloseTo(0.683, within(0.025));
        assertThat(share(values, 2 * deviation)).as(weight).isCloseTo(0.954, within(0.012));
        assertThat(share(values, 3 * deviation)).as(weight).isLessThan(1);
    }

    /** Biases and beta 0, gamma 1. */
    static void assertConstants(Module network) {
        for (Parameter parameter : network.parameters()) {
            String name = parameter.name();
            if (name.endsWith(".bias") || name.endsWith(".beta")) {
                assertThat(parameter.value().toFloatArray()).as(name).containsOnly(0);
            } else if (name.endsWith(".gamma")) {
                assertThat(parameter.value().toFloatArray()).as(name).containsOnly(1);
            }
        }
    }

    private static double[] values(Module network, String weight) {
        Tensor tensor = network.namedParameters().get(weight).value();
        assertThat(tensor.elementCount()).as("samples of " + weight).isGreaterThanOrEqualTo(1_000);
        return tensor.toDoubleArray();
    }

    /** About 0. */
    private static double variance(double[] values) {
        return Arrays.stream(values).map(v -> v * v).average().orElseThrow();
    }

    private static double share(double[] values, double limit) {
        return (double) Arrays.stream(values).filter(v -> Math.abs(v) < limit).count() / values.length;
    }
}
