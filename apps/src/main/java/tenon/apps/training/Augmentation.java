package tenon.apps.training;

import java.util.List;
import java.util.Locale;
import tenon.io.augment.Augmenter;
import tenon.io.augment.HorizontalFlip;
import tenon.io.augment.RandomAffine;
import tenon.io.augment.RandomCrop;

/** Presets of random changes to training pictures. */
public enum Augmentation {
    NONE,
    /** Mirrored left and right half of the time. */
    FLIP,
    /** Mirrored half of the time and shifted by up to a fourteenth of the height (2 of 28 pixels). */
    FLIP_SHIFT,
    /**
     * The tutorials' mixture: turned by up to 30°, shifted by up to 10 %, sheared by up to 0.2 (taken as radians), zoomed by 0.8 to 1.2 in each
     * direction, mirrored half of the time; what comes in at the edges repeats the edge.
     */
    AFFINE;

    @Override
    public String toString() {
        return name().toLowerCase(Locale.ROOT).replace('_', '-');
    }

    /** The augmenters for pictures of the given size. */
    List<Augmenter> augmenters(int height, int width) {
        return switch (this) {
            case NONE -> List.of();
            case FLIP -> List.of(new HorizontalFlip());
            case FLIP_SHIFT -> List.of(new HorizontalFlip(), new RandomCrop(height, width, Math.max(1, height / 14)));
            case AFFINE -> List.of(new RandomAffine(30, 0.1, 0.1, 0.2, 0.2, 0.5));
        };
    }
}
