package tenon.io.augment;

import tenon.engine.Rng;
import tenon.engine.Shape;
import tenon.engine.ShapeException;

/**
 * The first views of a {@link TenCrop}, one below the other: [count·height, width, C]. In memory, a batch [N, count·height, width, C] of them is one of
 * N·count views [N·count, height, width, C]. Draws nothing.
 *
 * @param count 5 for corners and centre, 10 for their mirror images too; anything from 1 to 10
 */
public record CropStack(TenCrop crops, int count) implements Augmenter {
    public CropStack {
        if (count < 1 || count > TenCrop.COUNT) {
            throw new ShapeException(
                    "crop stack: views must number 1 to " + TenCrop.COUNT + " of an image: count=" + count);
        }
    }

    @Override
    public void apply(FloatImage in, FloatImage out, Rng rng) {
        FloatImage view = new FloatImage();
        float[] to = out.resize(Math.multiplyExact(count, crops.height()), crops.width(), in.channels())
                .values();
        for (int i = 0; i < count; i++) {
            crops.crop(i, in, view);
            System.arraycopy(view.values(), 0, to, i * view.size(), view.size());
        }
    }

    @Override
    public Shape outputShape(Shape input) {
        return Shape.of(Math.multiplyExact(count, crops.height()), crops.width(), input.dim(2));
    }
}
