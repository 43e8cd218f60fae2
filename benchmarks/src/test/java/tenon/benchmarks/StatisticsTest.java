package tenon.benchmarks;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import org.junit.jupiter.api.Test;
import tenon.benchmarks.Statistics.Ratio;

class StatisticsTest {
    @Test
    void medianIsTheMiddleOrTheMeanOfTheTwoThere() {
        assertThat(Statistics.median(new double[] {3, 1, 2})).isEqualTo(2);
        assertThat(Statistics.median(new double[] {4, 1, 2, 3})).isEqualTo(2.5);
    }

    /**
     * ln a = (0, 0.2), ln b = (1, 1.2): means differ by 1, each has variance 0.02 and so a squared error of 0.01; 0.02² / (2·0.01²) = 2 degrees of freedom,
     * t = 4.303, margin 4.303·√0.02 = 0.6085.
     */
    @Test
    void ratioIsWelchsIntervalOnLogarithms() {
        Ratio ratio = Statistics.ratio(new double[] {1, Math.exp(0.2)}, new double[] {Math.exp(1), Math.exp(1.2)});
        assertThat(Math.log(ratio.value())).isCloseTo(1, within(1e-12));
        assertThat(Math.log(ratio.low())).isCloseTo(1 - 0.60854, within(1e-4));
        assertThat(Math.log(ratio.high())).isCloseTo(1 + 0.60854, within(1e-4));
        assertThat(ratio.exceedsNoise()).isTrue();
    }

    @Test
    void overlapIsNoise() {
        assertThat(Statistics.ratio(new double[] {100, 104, 98}, new double[] {103, 99, 105})
                        .exceedsNoise())
                .isFalse();
        assertThat(Statistics.ratio(new double[] {100, 101, 99}, new double[] {110, 111, 109})
                        .exceedsNoise())
                .isTrue();
    }

    @Test
    void oneMeasurementHasNoBounds() {
        Ratio ratio = Statistics.ratio(new double[] {100}, new double[] {120, 121});
        assertThat(ratio.value()).isCloseTo(1.205, within(1e-3));
        assertThat(ratio.hasBounds()).isFalse();
        assertThat(ratio.exceedsNoise()).isFalse();
    }

    @Test
    void equalMeasurementsHaveAnIntervalOfNoWidth() {
        Ratio ratio = Statistics.ratio(new double[] {2, 2}, new double[] {3, 3});
        assertThat(ratio.low()).isCloseTo(1.5, within(1e-12));
        assertThat(ratio.exceedsNoise()).isTrue();
    }
}
