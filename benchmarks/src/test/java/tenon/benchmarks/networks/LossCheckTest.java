package tenon.benchmarks.networks;

import static org.assertj.core.api.Assertions.assertThatCode;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.List;
import org.junit.jupiter.api.Test;
import tenon.engine.Precision;
import tenon.engine.TenonException;

class LossCheckTest {
    private static Outcome outcome(long parameters, Double... losses) {
        return new Outcome("fp32", parameters, List.of(losses), 0, 0, 0, 0, 0, 0, 0, List.of());
    }

    private static void check(Precision precision, Outcome ours, Outcome peer) {
        LossCheck.require(BenchmarkNetwork.MINIVGG, precision, ours, peer);
    }

    @Test
    void takesLossesWithinTheTolerance() {
        Outcome peer = outcome(10, 2.0, 1.0);
        assertThatCode(() -> check(Precision.FP32, outcome(10, 2.001, 0.9995), peer))
                .doesNotThrowAnyException();
        assertThatCode(() -> check(Precision.BF16, outcome(10, 2.05, 0.98), peer))
                .doesNotThrowAnyException();
    }

    @Test
    void refusesOtherLossesNanAndOtherParameters() {
        Outcome peer = outcome(10, 2.0, 1.0);
        assertThatThrownBy(() -> check(Precision.FP32, outcome(10, 2.0, 1.002), peer))
                .isInstanceOf(TenonException.class)
                .hasMessageContaining("same losses to 1e-03")
                .hasMessageContaining("tenon=2.000000 1.002000, libtorch=2.000000 1.000000");
        assertThatThrownBy(() -> check(Precision.BF16, outcome(10, 2.0, Double.NaN), peer))
                .isInstanceOf(TenonException.class);
        assertThatThrownBy(() -> check(Precision.FP32, outcome(11, 2.0, 1.0), peer))
                .hasMessageContaining("tenon=11, libtorch=10");
    }
}
