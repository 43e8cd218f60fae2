package tenon.io.augment;

import tenon.engine.Rng;

/** A random affine map, resampled once; the result has the image's size. Drawing it is apart from resampling, as for {@link Crop}. */
public sealed interface Warp extends Augmenter permits RandomAffine, MxnetAffine {
    /** Where the pixels of the next image, of the given size, come from. */
    AffineMap draw(int height, int width, Rng rng);

    /** What comes in at the edges. */
    Fill fill();

    @Override
    default void apply(FloatImage in, FloatImage out, Rng rng) {
        draw(in.height(), in.width(), rng).warp(in, out, fill());
    }

    /**
     * Gives the same bits as this and then {@code crop}, without computing what the crop leaves out.
     *
     * @param crop without padding
     */
    default void applyAndCrop(FloatImage in, FloatImage out, Crop crop, Rng rng) {
        AffineMap map = draw(in.height(), in.width(), rng);
        int top = crop.top(in.height(), rng);
        int left = crop.left(in.width(), rng);
        map.warp(in, Window.whole(in), out, new Window(top, left, crop.height(), crop.width()), fill());
    }
}
