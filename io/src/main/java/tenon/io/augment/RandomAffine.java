package tenon.io.augment;

import tenon.engine.Rng;
import tenon.engine.ShapeException;

/**
 * Random rotation, shift, shear, zoom and mirroring as one affine warp about the image centre, resampled once (Keras'
 * {@code ImageDataGenerator.random_transform} of 2017). All draws are uniform and independent.
 *
 * @param rotationDegrees largest turn to either side
 * @param widthShift largest shift to either side as a share of the width; heightShift likewise
 * @param shearRadians largest shear angle to either side. Keras meant radians until 2017 and degrees since 2018; the published 0.2 is meant as radians
 * @param zoom factors lie in [1 − zoom, 1 + zoom], horizontal and vertical ones drawn apart; below 1 enlarges
 * @param flipProbability of mirroring left and right
 */
public record RandomAffine(
        double rotationDegrees,
        double widthShift,
        double heightShift,
        double shearRadians,
        double zoom,
        double flipProbability)
        implements Augmenter {
    public RandomAffine {
        boolean valid = rotationDegrees >= 0
                && widthShift >= 0
                && heightShift >= 0
                && shearRadians >= 0
                && zoom >= 0
                && zoom < 1
                && flipProbability >= 0
                && flipProbability <= 1;
        if (!valid) {
            throw new ShapeException(
                    "random affine: ranges must be at least 0, zoom below 1, the flip's probability in [0, 1]:"
                            + " rotationDegrees="
                            + rotationDegrees + ", widthShift=" + widthShift + ", heightShift=" + heightShift
                            + ", shearRadians=" + shearRadians + ", zoom=" + zoom + ", flipProbability="
                            + flipProbability);
        }
    }

    /**
     * One draw.
     *
     * @param rotation radians, positive clockwise as seen
     * @param shiftX share of the width by which the picture moves to the left; shiftY of the height, up
     * @param shear radians
     * @param zoomX factor on horizontal distances from the centre in the input; zoomY vertical
     */
    public record Draw(
            double rotation, double shiftX, double shiftY, double shear, double zoomX, double zoomY, boolean flip) {
        public static final Draw NOTHING = new Draw(0, 0, 0, 0, 1, 1, false);

        /** The warp of an image of the given size: mirror, then zoom, shear, shift and turn, all on output coordinates about the centre. */
        public AffineMap map(int height, int width) {
            double cos = Math.cos(rotation);
            double sin = Math.sin(rotation);
            double shearSin = Math.sin(shear);
            double shearCos = Math.cos(shear);
            // Rotation [[cos, −sin], [sin, cos]] times shear [[1, −sin], [0, cos]] times zoom, on (y, x).
            double yy = cos * zoomY;
            double yx = (-cos * shearSin - sin * shearCos) * zoomX;
            double xy = sin * zoomY;
            double xx = (-sin * shearSin + cos * shearCos) * zoomX;
            if (flip) {
                yx = -yx;
                xx = -xx;
            }
            double moveY = shiftY * height;
            double moveX = shiftX * width;
            double centerY = (height - 1) / 2.0;
            double centerX = (width - 1) / 2.0;
            double y0 = centerY + cos * moveY - sin * moveX - yy * centerY - yx * centerX;
            double x0 = centerX + sin * moveY + cos * moveX - xy * centerY - xx * centerX;
            return new AffineMap(xx, xy, x0, yx, yy, y0);
        }
    }

    /** Draws seven numbers, always in the same order. */
    public Draw draw(Rng rng) {
        double rotation = Math.toRadians(rng.nextUniform(-rotationDegrees, rotationDegrees));
        double shiftY = rng.nextUniform(-heightShift, heightShift);
        double shiftX = rng.nextUniform(-widthShift, widthShift);
        double shear = rng.nextUniform(-shearRadians, shearRadians);
        double zoomY = rng.nextUniform(1 - zoom, 1 + zoom);
        double zoomX = rng.nextUniform(1 - zoom, 1 + zoom);
        boolean flip = rng.nextUniform() < flipProbability;
        return new Draw(rotation, shiftX, shiftY, shear, zoomX, zoomY, flip);
    }

    @Override
    public void apply(FloatImage in, FloatImage out, Rng rng) {
        draw(rng).map(in.height(), in.width()).warp(in, out);
    }
}
