package tenon.engine.backend;

/**
 * What changes between two runs of a recorded step besides the contents of its tensors.
 *
 * @param rate learning rate given to the updates
 * @param step of the generator, from which random draws follow
 * @param update number of the optimizer's update, from 1 (t of Adam)
 */
public record StepState(double rate, int step, int update) {
    /** Outside of recordings: every operation keeps the values that it was called with. */
    public static final StepState EAGER = new StepState(Double.NaN, 0, 0);

    /** The rate, or {@code given} outside of recordings. */
    public float rateOr(float given) {
        return this == EAGER ? given : (float) rate;
    }

    /** The step, or {@code given} outside of recordings. */
    public int stepOr(int given) {
        return this == EAGER ? given : step;
    }

    /** The number of the update, or {@code given} outside of recordings. */
    public int updateOr(int given) {
        return this == EAGER ? given : update;
    }
}
