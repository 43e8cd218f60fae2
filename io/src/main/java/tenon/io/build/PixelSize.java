package tenon.io.build;

/** Size of an image that is stored as pixels. */
public record PixelSize(int height, int width, int channels) {}
