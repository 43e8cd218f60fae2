package tenon.io.augment;

import tenon.engine.Rng;
import tenon.engine.ShapeException;

/**
 * Random rotation, shift, shear, zoom and mirroring as one affine warp about the image centre, resampled once (Keras'
 * {@code ImageDataGenerator.random_transform}). All draws are uniform and independent, and there are always seven. Made of its parts, for example
 * {@code RandomAffine.NOTHING.rotation(20).zoom(0.15).flip(0.5)}; each of them alone is an augmenter too. Keras's versions of before 2020 turn
 * about a point one pixel right of and below the centre.
 *
 * @param rotationDegrees largest turn to either side
 * @param widthShift largest shift to either side as a share of the width; heightShift likewise
 * @param shearRadians largest shear angle to either side. Keras meant radians until 2017 and degrees since 2018; published values like 0.2 are
 *     meant as radians
 * @param zoom factors lie in [1 − zoom, 1 + zoom], horizontal and vertical ones drawn apart; below 1 enlarges
 * @param flipProbability of mirroring left and right
 */
public record RandomAffine(
        double rotationDegrees,
        double widthShift,
        double heightShift,
        double shearRadians,
        double zoom,
        double flipProbability,
        Fill fill)
        implements Warp {
    /** Changes nothing; what comes in at the edges repeats the edge. */
    public static final RandomAffine NOTHING = new RandomAffine(0, 0, 0, 0, 0, 0, Fill.NEAREST);

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

    public RandomAffine rotation(double degrees) {
        return new RandomAffine(degrees, widthShift, heightShift, shearRadians, zoom, flipProbability, fill);
    }

    /** @param share of the width, and of the height */
    public RandomAffine shift(double share) {
        return new RandomAffine(rotationDegrees, share, share, shearRadians, zoom, flipProbability, fill);
    }

    public RandomAffine shear(double radians) {
        return new RandomAffine(rotationDegrees, widthShift, heightShift, radians, zoom, flipProbability, fill);
    }

    public RandomAffine zoom(double range) {
        return new RandomAffine(rotationDegrees, widthShift, heightShift, shearRadians, range, flipProbability, fill);
    }

    public RandomAffine flip(double probability) {
        return new RandomAffine(rotationDegrees, widthShift, heightShift, shearRadians, zoom, probability, fill);
    }

    public RandomAffine fill(Fill outside) {
        return new RandomAffine(rotationDegrees, widthShift, heightShift, shearRadians, zoom, flipProbability, outside);
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
            double cos = StrictMath.cos(rotation);
            double sin = StrictMath.sin(rotation);
            double shearSin = StrictMath.sin(shear);
            double shearCos = StrictMath.cos(shear);
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
            AffineMap still = AffineMap.about((width - 1) / 2.0, (height - 1) / 2.0, xx, xy, yx, yy);
            return new AffineMap(
                    xx, xy, still.x0() + sin * moveY + cos * moveX, yx, yy, still.y0() + cos * moveY - sin * moveX);
        }
    }

    /** In the order rotation, shift down, shift right, shear, vertical zoom, horizontal zoom, mirroring. */
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
    public AffineMap draw(int height, int width, Rng rng) {
        return draw(rng).map(height, width);
    }
}
