package tenon.optim.schedule;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import org.junit.jupiter.api.Test;

class ScheduleTest {
    private static void expect(Schedule schedule, long step, double rate) {
        assertThat(schedule.rate(step)).as("%s at step %d", schedule, step).isCloseTo(rate, within(1e-12));
    }

    @Test
    void constantStaysPut() {
        expect(Schedule.constant(0.01), 0, 0.01);
        expect(Schedule.constant(0.01), 1_000_000_000_000L, 0.01);
    }

    @Test
    void stepMultipliesEveryFewSteps() {
        Schedule schedule = Schedule.step(0.1, 0.5, 10);
        expect(schedule, 9, 0.1);
        expect(schedule, 10, 0.05);
        expect(schedule, 35, 0.0125);
    }

    @Test
    void multiStepMultipliesAtMilestones() {
        Schedule schedule = Schedule.multiStep(1e-2, 0.1, 50, 65);
        expect(schedule, 49, 1e-2);
        expect(schedule, 50, 1e-3);
        expect(schedule, 64, 1e-3);
        expect(schedule, 65, 1e-4);
    }

    @Test
    void piecewiseTakesTheGivenRatesInEpochs() {
        Schedule schedule =
                Schedule.piecewise(new long[] {50}, new double[] {5e-4, 5e-5}).perEpoch(100);
        expect(schedule, 4999, 5e-4);
        expect(schedule, 5000, 5e-5);
    }

    @Test
    void polynomialEndsAtTheEndRate() {
        Schedule linear = Schedule.polynomial(0.01, 0, 1, 10);
        expect(linear, 0, 0.01);
        expect(linear, 3, 0.007);
        expect(linear, 10, 0);
        expect(linear, 11, 0);
        expect(Schedule.polynomial(1, 0.2, 2, 4), 2, 0.2 + 0.8 * 0.25);
    }

    @Test
    void cosineFallsAlongHalfACosine() {
        Schedule schedule = Schedule.cosine(1, 0.2, 4);
        expect(schedule, 0, 1);
        expect(schedule, 1, 0.2 + 0.4 * (1 + Math.sqrt(0.5)));
        expect(schedule, 2, 0.6);
        expect(schedule, 4, 0.2);
        expect(schedule, 5, 0.2);
    }

    @Test
    void timeDecayCountsUpdates() {
        Schedule schedule = Schedule.timeDecay(0.01, 0.01 / 75);
        assertThat(schedule.rate(0)).isEqualTo(0.01);
        assertThat(schedule.rate(70)).isCloseTo(0.0099075, within(5e-8));
        assertThat(schedule.rate(1750)).isCloseTo(0.0081081, within(5e-8));
        assertThat(schedule.rate(5250)).isCloseTo(0.0058824, within(5e-8));
    }

    @Test
    void warmUpRisesLinearlyThenHandsOver() {
        Schedule schedule = Schedule.step(0.1, 0.5, 3).warmUp(4, 0.02);
        expect(schedule, 0, 0.02);
        expect(schedule, 2, 0.06);
        expect(schedule, 4, 0.1);
        expect(schedule, 6, 0.1);
        expect(schedule, 7, 0.05);
    }

    /** Numbers of torch.optim.lr_scheduler.OneCycleLR(max_lr=1, total_steps=11, pct_start=0.3): peak at step 0.3·11 − 1 = 2.3. */
    @Test
    void oneCycleRisesAndFalls() {
        Schedule schedule = Schedule.oneCycle(1, 11, 0.3, 25, 1e4);
        expect(schedule, 0, 0.04);
        expect(schedule, 1, 1 + (0.04 - 1) * (1 + Math.cos(Math.PI / 2.3)) / 2);
        expect(schedule, 3, 4e-6 + (1 - 4e-6) * (1 + Math.cos(Math.PI * 0.7 / 7.7)) / 2);
        expect(schedule, 10, 4e-6);
        expect(schedule, 50, 4e-6);
    }

    @Test
    void describesItself() {
        assertThat(Schedule.multiStep(0.1, 0.5, 3, 5).perEpoch(7))
                .hasToString("PerEpoch[schedule=MultiStep[rate=0.1, factor=0.5, milestones=[3, 5]], stepsPerEpoch=7]");
    }

    @Test
    void refusesSenselessArguments() {
        assertThatThrownBy(() -> Schedule.constant(Double.NaN)).hasMessageContaining("rate=NaN");
        assertThatThrownBy(() -> Schedule.multiStep(0.1, 0.1, 5, 5)).hasMessageContaining("milestones=[5, 5]");
        assertThatThrownBy(() -> Schedule.piecewise(new long[] {5}, new double[] {1}))
                .hasMessageContaining("rates=[1.0]");
        assertThatThrownBy(() -> Schedule.cosine(0.1, 0, 0)).hasMessageContaining("steps=0");
    }
}
