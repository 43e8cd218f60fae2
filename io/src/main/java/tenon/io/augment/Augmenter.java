package tenon.io.augment;

import tenon.engine.Rng;
import tenon.engine.Shape;

/**
 * A random change of a training image. It holds no state: all randomness comes from the sequence it is given, which depends on (seed, epoch,
 * sample) only, so threads and resumed runs see the same images. Values are 0…255; normalization follows.
 */
public interface Augmenter {
    /**
     * Writes a changed copy.
     *
     * @param in not changed
     * @param out another object, resized by this method
     * @param rng positioned for this sample; drawn from in a fixed order
     */
    void apply(FloatImage in, FloatImage out, Rng rng);

    /** Shape [H, W, C] of the result for inputs of one shape; throws if such inputs do not fit. */
    default Shape outputShape(Shape input) {
        return input;
    }
}
