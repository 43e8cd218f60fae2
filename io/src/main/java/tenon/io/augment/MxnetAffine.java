package tenon.io.augment;

import tenon.engine.Rng;
import tenon.engine.ShapeException;

/**
 * Shear and rotation as MXNet's default augmenter for record files has them: with a = cos θ, b = sin θ and shear s the matrix
 * [[a − s·b, b + s·a], [−b, a]] takes input (x, y) to output; the point (width/2, height/2), in coordinates of pixel centres, stays where it is.
 * MXNet rounds positions to 1/32 pixel and results to whole numbers, this does not. Two draws: shear, then angle.
 *
 * @param rotate if above 0, degrees by which <em>every</em> image is turned: MXNet's option {@code rotate}, often mistaken for a random turn
 * @param maxRotateAngle otherwise the angle is a uniformly random whole number of degrees in [−maxRotateAngle, maxRotateAngle]
 * @param maxShearRatio s is uniform in [−maxShearRatio, maxShearRatio)
 */
public record MxnetAffine(int rotate, int maxRotateAngle, double maxShearRatio, Fill fill) implements Warp {
    public MxnetAffine {
        if (rotate < 0 || rotate > 360 || maxRotateAngle < 0 || maxRotateAngle > 180 || !(maxShearRatio >= 0)) {
            throw new ShapeException(
                    "mxnet affine: rotate must lie in [0, 360], maxRotateAngle in [0, 180], maxShearRatio must be at"
                            + " least 0: rotate=" + rotate + ", maxRotateAngle=" + maxRotateAngle + ", maxShearRatio="
                            + maxShearRatio);
        }
    }

    /** Turns every image by the same angle; uncovered corners are white. */
    public static MxnetAffine fixed(int degrees, double maxShearRatio) {
        return new MxnetAffine(degrees, 0, maxShearRatio, Fill.WHITE);
    }

    /** Turns by a random whole number of degrees up to {@code maxDegrees} to either side; uncovered corners are white. */
    public static MxnetAffine random(int maxDegrees, double maxShearRatio) {
        return new MxnetAffine(0, maxDegrees, maxShearRatio, Fill.WHITE);
    }

    /**
     * One draw.
     *
     * @param degrees positive anticlockwise as seen
     */
    public record Draw(int degrees, double shear) {
        /** Inverse of the matrix above, whose determinant is 1. */
        public AffineMap map(int height, int width) {
            double a = StrictMath.cos(Math.toRadians(degrees));
            double b = StrictMath.sin(Math.toRadians(degrees));
            return AffineMap.about(width / 2.0, height / 2.0, a, -(b + shear * a), b, a - shear * b);
        }
    }

    public Draw draw(Rng rng) {
        double shear = rng.nextUniform(-maxShearRatio, maxShearRatio);
        int angle = rng.nextInt(2 * maxRotateAngle + 1) - maxRotateAngle;
        return new Draw(rotate > 0 ? rotate : angle, shear);
    }

    @Override
    public AffineMap draw(int height, int width, Rng rng) {
        return draw(rng).map(height, width);
    }
}
