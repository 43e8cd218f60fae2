package tenon.io.augment;

import java.util.Arrays;
import tenon.engine.Rng;
import tenon.engine.Shape;
import tenon.engine.ShapeException;

/**
 * Surrounds the image with black and cuts a window of fixed size at a uniformly random place. With padding p and the image's own size it is a random
 * shift by up to p pixels; with padding 0 and a smaller size, a random patch.
 *
 * @param height rows of the result; width its columns
 * @param padding pixels added on each of the four sides
 */
public record RandomCrop(int height, int width, int padding) implements Augmenter {
    public RandomCrop {
        if (height < 1 || width < 1 || padding < 0) {
            throw new ShapeException("random crop: size must be positive and padding at least 0: height=" + height
                    + ", width=" + width + ", padding=" + padding);
        }
    }

    @Override
    public Shape outputShape(Shape input) {
        check(input.dim(0), input.dim(1));
        return Shape.of(height, width, input.dim(2));
    }

    private void check(int inHeight, int inWidth) {
        if (inHeight + 2 * padding < height || inWidth + 2 * padding < width) {
            throw new ShapeException("random crop: the padded image must be at least as large as the crop: image="
                    + inHeight + "×" + inWidth + ", padding=" + padding + ", crop=" + height + "×" + width);
        }
    }

    @Override
    public void apply(FloatImage in, FloatImage out, Rng rng) {
        check(in.height(), in.width());
        int top = rng.nextInt(in.height() + 2 * padding - height + 1) - padding;
        int left = rng.nextInt(in.width() + 2 * padding - width + 1) - padding;
        int channels = in.channels();
        float[] to = out.resize(height, width, channels).values();
        Arrays.fill(to, 0, out.size(), 0f);
        int firstX = Math.max(0, -left);
        int endX = Math.min(width, in.width() - left);
        for (int y = Math.max(0, -top); y < Math.min(height, in.height() - top); y++) {
            System.arraycopy(
                    in.values(),
                    ((y + top) * in.width() + firstX + left) * channels,
                    to,
                    (y * width + firstX) * channels,
                    Math.max(0, endX - firstX) * channels);
        }
    }
}
