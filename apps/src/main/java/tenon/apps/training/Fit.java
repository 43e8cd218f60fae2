package tenon.apps.training;

import java.util.List;
import tenon.apps.cli.ImageSize;
import tenon.io.augment.Augmenter;
import tenon.io.augment.CenterCrop;
import tenon.io.augment.Squash;
import tenon.io.build.ImageStore;
import tenon.io.build.ResizeRule;
import tenon.io.build.StoreEncoding;
import tenon.io.image.Filter;
import tenon.io.image.Image;

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
        return rule(height, width).apply(picture, filter());
    }

    /** Stores pictures so. Squares and inputs are kept as pixels, since all have one size; others in the files' own encoding. */
    ImageStore imageStore(ImageSize input) {
        return new ImageStore(
                rule(input.height(), input.width()),
                filter(),
                this == SHORT_SIDE ? StoreEncoding.KEEP : StoreEncoding.RAW,
                ImageStore.DEFAULT_QUALITY,
                input.channels());
    }

    private ResizeRule rule(int height, int width) {
        int side = side(height, width);
        return switch (this) {
            case SQUASH -> new ResizeRule.Exact(height, width);
            case SHORT_SIDE -> new ResizeRule.ShortSide(side, true);
            case SQUARE -> new ResizeRule.AspectCrop(side, side);
        };
    }

    private Filter filter() {
        return this == SQUARE ? Filter.AREA : Filter.BILINEAR;
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
