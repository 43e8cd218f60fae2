package tenon.io.augment;

/** A rectangle of an image: the rows from {@code top}, the columns from {@code left}. */
public record Window(int top, int left, int height, int width) {
    static Window whole(FloatImage image) {
        return new Window(0, 0, image.height(), image.width());
    }
}
