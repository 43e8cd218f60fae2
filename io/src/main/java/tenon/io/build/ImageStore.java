package tenon.io.build;

import java.util.TreeMap;
import tenon.io.image.Filter;
import tenon.io.image.Image;
import tenon.io.image.ImageCodec;
import tenon.io.image.ImageException;
import tenon.io.image.Resize;

/**
 * How images are stored: resized by a rule, with so many channels, as files or as pixels. A JPEG or PNG file keeps its bytes when nothing about it changes and
 * it already has the wanted encoding.
 *
 * @param channels 1 (grey), 3 (colour), or 0 to leave what a file has; pixels of a record file need 1 or 3, and 0 then means 3
 */
public record ImageStore(ResizeRule resize, StoreEncoding encoding, int channels) {
    /** JPEG and PNG files as they are, other formats as PNG, arrays as pixels. */
    public static final ImageStore KEEP = new ImageStore(ResizeRule.NONE, StoreEncoding.KEEP, 0);

    public ImageStore {
        if (channels != 0 && channels != 1 && channels != 3) {
            throw new BuildException("image store: channels must be 1, 3 or 0 (as in the file): given=" + channels);
        }
    }

    /** Pixels of one size: images are stretched or squashed. */
    public static ImageStore raw(int height, int width, int channels) {
        return new ImageStore(new ResizeRule.Exact(height, width), StoreEncoding.RAW, channels);
    }

    /** @param input size of all images of the input, or null when they differ or are not known */
    ImageStore resolve(PixelSize input) {
        StoreEncoding resolved = encoding == StoreEncoding.KEEP && input != null ? StoreEncoding.RAW : encoding;
        int stored = channels != 0 || resolved != StoreEncoding.RAW ? channels : input == null ? 3 : input.channels();
        if (resolved == StoreEncoding.RAW && resize instanceof ResizeRule.None && input == null) {
            throw new BuildException("image store: raw images must all have one size, and those of the input differ"
                    + " (say which size, or store JPEG or PNG files)");
        }
        return new ImageStore(resize, resolved, stored);
    }

    /** Size of every stored image of a resolved store of raw images. */
    PixelSize rawSize(PixelSize input) {
        return switch (resize) {
            case ResizeRule.None() -> new PixelSize(input.height(), input.width(), channels);
            case ResizeRule.Exact(int height, int width) -> new PixelSize(height, width, channels);
        };
    }

    /**
     * What to store of an image.
     *
     * @param name for messages
     * @throws ImageException when it cannot be decoded
     */
    byte[] apply(ImageInput.Data data, String name) {
        Image image = switch (data) {
            case ImageInput.Encoded(byte[] bytes) -> ImageCodec.decode(bytes, name);
            case ImageInput.Pixels(Image pixels) -> pixels;
        };
        Image stored = resize(channels == 0 ? image : image.withChannels(channels));
        byte[] file = data instanceof ImageInput.Encoded(byte[] bytes) && stored == image ? bytes : null;
        return switch (encoding) {
            case KEEP -> file != null && ImageCodec.isJpegOrPng(file) ? file : ImageCodec.encodePng(stored);
            case PNG -> ImageCodec.encodePng(stored);
            case RAW -> stored.pixels();
        };
    }

    private Image resize(Image image) {
        return switch (resize) {
            case ResizeRule.None() -> image;
            case ResizeRule.Exact(int height, int width) -> Resize.exact(image, width, height, Filter.BILINEAR);
        };
    }

    /** For a record file's header, which says how it was made. */
    TreeMap<String, String> options() {
        TreeMap<String, String> options = new TreeMap<>();
        options.put("resize", resize.toString());
        options.put("encoding", encoding.toString());
        options.put("channels", channels == 0 ? "as in the file" : Integer.toString(channels));
        options.put("decoder", ImageCodec.name());
        return options;
    }
}
