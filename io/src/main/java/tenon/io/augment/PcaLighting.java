package tenon.io.augment;

import tenon.engine.Rng;
import tenon.engine.Shape;
import tenon.engine.ShapeException;

/**
 * Adds to all pixels of an image one colour, Σ αᵢ·λᵢ·pᵢ with αᵢ normal of deviation {@code std}, along the principal components of ImageNet's
 * colours, and keeps values in 0…255 (Krizhevsky et al., "ImageNet classification with deep convolutional neural networks", 2012, section 4.1; the λ,
 * on the scale 0…255, and p are those of MXNet's {@code LightingAug}). Six draws, two per α.
 *
 * @param std 0.1 in the paper
 */
public record PcaLighting(double std) implements Augmenter {
    private static final double[] LAMBDA = {55.46, 4.794, 1.148};
    /** Rows R, G, B; a column per component. */
    private static final double[][] P = {
        {-0.5675, 0.7192, 0.4009},
        {-0.5808, -0.0045, -0.8140},
        {-0.5836, -0.6948, 0.4203},
    };

    public PcaLighting {
        if (!(std >= 0 && std < Double.POSITIVE_INFINITY)) {
            throw new ShapeException("pca lighting: std must be at least 0: std=" + std);
        }
    }

    @Override
    public Shape outputShape(Shape input) {
        check(input.dim(2));
        return input;
    }

    private static void check(int channels) {
        if (channels != 3) {
            throw new ShapeException("pca lighting: needs colour images: channels=" + channels);
        }
    }

    @Override
    public void apply(FloatImage in, FloatImage out, Rng rng) {
        double first = std * gaussian(rng);
        double second = std * gaussian(rng);
        double third = std * gaussian(rng);
        apply(in, out, first, second, third);
    }

    /** Box–Muller. */
    private static double gaussian(Rng rng) {
        double radius = Math.sqrt(-2 * StrictMath.log(1 - rng.nextUniform()));
        return radius * StrictMath.cos(2 * Math.PI * rng.nextUniform());
    }

    static void apply(FloatImage in, FloatImage out, double first, double second, double third) {
        check(in.channels());
        int size = in.size();
        float[] from = in.values();
        float[] to = out.resize(in.height(), in.width(), 3).values();
        for (int c = 0; c < 3; c++) {
            float added =
                    (float) (P[c][0] * LAMBDA[0] * first + P[c][1] * LAMBDA[1] * second + P[c][2] * LAMBDA[2] * third);
            for (int i = c; i < size; i += 3) {
                to[i] = Tone.clamp(from[i] + added);
            }
        }
    }
}
