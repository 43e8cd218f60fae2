package tenon.engine.backend;

/**
 * What changes between two runs of a recorded step besides the contents of its tensors.
 *
 * @param rate learning rate
 * @param step number of the step, from which random draws follow
 * @param replays how often the recording ran before, from 0
 */
public record StepState(double rate, int step, long replays) {
    /** Outside of recordings: every operation keeps the values that it was called with. */
    public static final StepState EAGER = new StepState(Double.NaN, 0, 0);

    /** The rate, or {@code given} outside of recordings. */
    public float rateOr(float given) {
        return Double.isNaN(rate) ? given : (float) rate;
    }

    /** The step, or {@code given} outside of recordings. */
    public int stepOr(int given) {
        return Double.isNaN(rate) ? given : step;
    }
}
