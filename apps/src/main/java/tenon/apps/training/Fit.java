package tenon.apps.training;

import java.util.List;
import tenon.io.augment.Augmenter;
import tenon.io.augment.CenterCrop;
import tenon.io.augment.Squash;
import tenon.io.image.Filter;
import tenon.io.image.Image;
import tenon.io.image.Resize;

/** How pictures of any size are stored for a network's input, and which view of them the network is asked about. */
public enum Fit {
    /** Squashed to the input, whatever the aspect ratio. */
    SQUASH("squashed to the input"),
    /** Scaled so that the shorter side is a little larger than the input, 256 for 224 and 227; the view is the centre. */
    SHORT_SIDE("shorter side 256 for inputs of 224 and 227"),
    /** Scaled and cut to a square a little larger than the input, 256 for 224 and 227; the view is that square squashed to the input. */
    SQUARE("cut to a square, 256 for inputs of 224 and 227");

    private final String description;

    Fit(String description) {
        this.description = description;
    }

    public String description() {
        return description;
    }

    /** The picture as it is stored for an input of the given size. */
    public Image store(Image picture, int height, int width) {
        int side = side(height, width);
        return switch (this) {
            case SQUASH -> Resize.exact(picture, width, height, Filter.BILINEAR);
            case SHORT_SIDE -> Resize.shortSide(picture, side, true, Filter.BILINEAR);
            case SQUARE -> Resize.aspectCrop(picture, side, side, Filter.AREA);
        };
    }

    /** From a stored picture to the view. */
    public List<Augmenter> view(int height, int width) {
        return switch (this) {
            case SQUASH -> List.of();
            case SHORT_SIDE -> List.of(new CenterCrop(height, width));
            case SQUARE -> List.of(new Squash(height, width));
        };
    }

    /** An eighth of the stored side is left to crop, or 29 of 256 pixels for 227. */
    static int side(int height, int width) {
        int larger = Math.max(height, width);
        return larger == 227 ? 256 : Math.ceilDiv(larger * 8, 7);
    }
}
