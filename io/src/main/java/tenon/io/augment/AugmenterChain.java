package tenon.io.augment;

import java.util.List;
import tenon.engine.Rng;

/** Augmenters one after the other, with the memory that it takes. Confined to a thread. */
public final class AugmenterChain {
    private final List<Augmenter> augmenters;
    private FloatImage next = new FloatImage();
    private FloatImage after = new FloatImage();

    public AugmenterChain(List<Augmenter> augmenters) {
        this.augmenters = List.copyOf(augmenters);
    }

    /**
     * Applies all of them.
     *
     * @param image not changed
     * @return the result, which the next call overwrites; {@code image} itself if there is nothing to apply
     */
    public FloatImage apply(FloatImage image, Rng rng) {
        FloatImage result = image;
        for (int i = 0; i < augmenters.size(); i++) {
            Augmenter augmenter = augmenters.get(i);
            if (augmenter instanceof Warp warp
                    && i + 1 < augmenters.size()
                    && augmenters.get(i + 1) instanceof Crop crop
                    && crop.padding() == 0) {
                warp.applyAndCrop(result, next, crop, rng);
                i++;
            } else {
                augmenter.apply(result, next, rng);
            }
            result = next;
            next = after;
            after = result;
        }
        return result;
    }
}
