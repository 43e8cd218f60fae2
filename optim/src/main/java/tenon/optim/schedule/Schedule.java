package tenon.optim.schedule;

import java.util.Arrays;
import java.util.List;

/**
 * The learning rate as a pure function of the step: a resumed run asks for the same steps and gets the same rates. A step is one update of the
 * weights; step 0 is the first. The schedules made here describe themselves in {@code toString}, which checkpoints record.
 *
 * <pre>{@code
 * Schedule rate = Schedule.cosine(0.1, 0, 90 * stepsPerEpoch).warmUp(5 * stepsPerEpoch, 0.01);
 * }</pre>
 */
@FunctionalInterface
public interface Schedule {
    /** The rate of update {@code step}, counted from 0. */
    double rate(long step);

    /** The same rate for every step. */
    static Schedule constant(double rate) {
        return new Constant(rate);
    }

    /** rate·factor^⌊step / every⌋. */
    static Schedule step(double rate, double factor, long every) {
        return new StepDecay(rate, factor, every);
    }

    /** rate·factor^(number of milestones ≤ step); milestones rise strictly. */
    static Schedule multiStep(double rate, double factor, long... milestones) {
        return new MultiStep(rate, factor, boxed(milestones));
    }

    /**
     * The rates of runs that are stopped and started again with another rate: {@code rates[0]} before {@code boundaries[0]}, {@code rates[i]} from
     * {@code boundaries[i − 1]} on. There is one rate more than boundaries, and these rise strictly.
     */
    static Schedule piecewise(long[] boundaries, double[] rates) {
        return new Piecewise(boxed(boundaries), Arrays.stream(rates).boxed().toList());
    }

    /** end + (rate − end)·(1 − min(step, steps) / steps)^power. Power 1 is linear decay. */
    static Schedule polynomial(double rate, double end, double power, long steps) {
        return new Polynomial(rate, end, power, steps);
    }

    /** end + (rate − end)·(1 + cos(π·min(step, steps) / steps)) / 2 (Loshchilov and Hutter 2017, SGDR, equation 5, one period). */
    static Schedule cosine(double rate, double end, long steps) {
        return new Cosine(rate, end, steps);
    }

    /** rate / (1 + decay·step): the {@code decay} argument of Keras 2 optimizers. */
    static Schedule timeDecay(double rate, double decay) {
        return new TimeDecay(rate, decay);
    }

    /**
     * One cycle (Smith and Topin 2018, "Super-Convergence"): from peak / startDivisor up to peak over the first {@code upFraction} of the steps, then
     * down to peak / startDivisor / endDivisor, both along half a cosine as in PyTorch's {@code OneCycleLR}, whose defaults are 0.3, 25 and 1e4.
     */
    static Schedule oneCycle(double peak, long steps, double upFraction, double startDivisor, double endDivisor) {
        return new OneCycle(peak, steps, upFraction, startDivisor, endDivisor);
    }

    /** Steps 0 … steps − 1 rise linearly from {@code start} towards this schedule's rate at step 0; from then on this schedule runs from its 0. */
    default Schedule warmUp(long steps, double start) {
        return new WarmUp(this, steps, start);
    }

    /** This schedule, begun at step {@code steps} of a run that goes on from there; earlier steps have its first rate. */
    default Schedule delayed(long steps) {
        return new Delayed(this, steps);
    }

    /** This schedule counted in epochs: the rate changes only every {@code stepsPerEpoch} steps, to {@code rate(epoch)}. */
    default Schedule perEpoch(long stepsPerEpoch) {
        return new PerEpoch(this, stepsPerEpoch);
    }

    private static List<Long> boxed(long[] values) {
        return Arrays.stream(values).boxed().toList();
    }
}
