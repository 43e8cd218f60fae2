package tenon.io.build;

import java.util.TreeMap;
import tenon.io.image.Filter;
import tenon.io.image.Image;
import tenon.io.image.ImageCodec;
import tenon.io.image.ImageException;
import tenon.io.image.ImageFormat;
import tenon.io.image.ImageHeader;
import tenon.io.jpeg.JpegImages;
import tenon.io.record.ChannelStatistics;

/**
 * How images are stored: resized by a rule, with so many channels, as files or as pixels.
 *
 * <p>A JPEG or PNG file keeps its bytes when nothing about the picture changes, it already has the wanted encoding, and every decoder sees the same in it: it must stand
 * upright without its EXIF orientation, have at most 8 bits per channel, and not be CMYK. Such a file is written anew otherwise.
 *
 * @param filter of the resizing
 * @param quality of JPEG files that are written, 1 to 100
 * @param channels 1 (grey), 3 (colour), 4 (colour and opacity; not for JPEG), or 0 to leave files grey or coloured as they are, and to store 3 as pixels
 */
public record ImageStore(ResizeRule resize, Filter filter, StoreEncoding encoding, int quality, int channels) {
    public static final int DEFAULT_QUALITY = 95;

    /** JPEG and PNG files as they are, other formats as PNG, arrays as pixels. */
    public static final ImageStore KEEP =
            new ImageStore(ResizeRule.NONE, Filter.AREA, StoreEncoding.KEEP, DEFAULT_QUALITY, 0);

    public ImageStore {
        if (channels != 0 && !Image.isChannelCount(channels)) {
            throw new BuildException("image store: channels must be 1, 3, 4 or 0 (as in the file): given=" + channels);
        }
        if (quality < 1 || quality > 100) {
            throw new BuildException("image store: quality must lie in [1, 100]: given=" + quality);
        }
        if (channels == 4 && (encoding == StoreEncoding.JPEG || encoding == StoreEncoding.KEEP)) {
            throw new BuildException("image store: JPEG has no opacity: store four channels as png or raw");
        }
    }

    /** Pixels of one size: images are stretched or squashed, bilinearly as predicting does. */
    public static ImageStore raw(int height, int width, int channels) {
        return new ImageStore(
                new ResizeRule.Exact(height, width), Filter.BILINEAR, StoreEncoding.RAW, DEFAULT_QUALITY, channels);
    }

    /**
     * What is open in this store, decided: arrays that are to be kept are stored as pixels; pixels need one size, so that after the shorter side the middle square is cut
     * out.
     *
     * @param input size of all images of the input, or null when they differ or are not known
     */
    ImageStore resolve(PixelSize input) {
        StoreEncoding resolved = encoding == StoreEncoding.KEEP && input != null ? StoreEncoding.RAW : encoding;
        if (resolved != StoreEncoding.RAW) {
            return this;
        }
        if (resize instanceof ResizeRule.None && input == null) {
            throw new BuildException("image store: raw images must all have one size, and those of the input differ"
                    + " (say which size, or store JPEG or PNG files)");
        }
        if (resize instanceof ResizeRule.ShortSide(int _, boolean enlarge) && !enlarge) {
            throw new BuildException("image store: raw images must all have one size, so that smaller ones cannot stay"
                    + " as they are (enlarge them, or store JPEG or PNG files)");
        }
        ResizeRule rule = resize instanceof ResizeRule.ShortSide(int side, boolean _)
                ? new ResizeRule.AspectCrop(side, side)
                : resize;
        int stored = channels != 0 ? channels : input == null ? 3 : input.channels();
        return new ImageStore(rule, filter, resolved, quality, stored);
    }

    /** Size of every stored image of a resolved store of pixels. */
    PixelSize rawSize(PixelSize input) {
        return switch (resize) {
            case ResizeRule.None() -> new PixelSize(input.height(), input.width(), channels);
            case ResizeRule.Exact(int height, int width) -> new PixelSize(height, width, channels);
            case ResizeRule.AspectCrop(int height, int width) -> new PixelSize(height, width, channels);
            case ResizeRule.ShortSide _ -> throw new IllegalStateException("the store is not resolved");
        };
    }

    /**
     * What to store of an image.
     *
     * @param name for messages
     * @throws ImageException when it cannot be decoded
     */
    StoredImage apply(ImageInput.Data data, String name) {
        return switch (data) {
            case ImageInput.Encoded(byte[] bytes) -> ofFile(bytes, name);
            case ImageInput.Pixels(Image image) ->
                written(resize.apply(channels == 0 ? image : image.withChannels(channels), filter), false);
        };
    }

    private StoredImage ofFile(byte[] bytes, String name) {
        ImageHeader header = ImageHeader.sniff(bytes, bytes.length, name);
        int wanted = channels != 0 ? channels : header.channels() <= 2 ? 1 : 3;
        Image image = JpegImages.decode(bytes, bytes.length, name, wanted);
        Image stored = resize.apply(image, filter);
        return stored == image && keepsBytes(header)
                ? new StoredImage(bytes, ChannelStatistics.ofColours(image))
                : written(stored, header.format() == ImageFormat.JPEG);
    }

    private StoredImage written(Image image, boolean wasJpeg) {
        return new StoredImage(
                encode(image, wasJpeg),
                encoding == StoreEncoding.RAW ? ChannelStatistics.of(image) : ChannelStatistics.ofColours(image));
    }

    private boolean keepsBytes(ImageHeader header) {
        boolean format = switch (encoding) {
            case KEEP -> header.format() == ImageFormat.JPEG || header.format() == ImageFormat.PNG;
            case JPEG -> header.format() == ImageFormat.JPEG;
            case PNG -> header.format() == ImageFormat.PNG;
            case RAW -> false;
        };
        boolean cmyk = header.format() == ImageFormat.JPEG && header.channels() > 3;
        return format
                && (channels == 0 || channels == header.channels())
                && header.exifOrientation() == 1
                && header.bitDepth() <= 8
                && !cmyk;
    }

    private byte[] encode(Image image, boolean wasJpeg) {
        return switch (encoding) {
            case KEEP -> wasJpeg ? JpegImages.encode(image, quality) : ImageCodec.encodePng(image);
            case JPEG -> JpegImages.encode(image.channels() == 4 ? image.withChannels(3) : image, quality);
            case PNG -> ImageCodec.encodePng(image);
            case RAW -> image.pixels();
        };
    }

    /** For a record file's header, which says how it was made. */
    TreeMap<String, String> options() {
        TreeMap<String, String> options = new TreeMap<>();
        options.put("resize", resize.toString());
        options.put("filter", filter.toString());
        options.put("encoding", encoding.toString());
        options.put("quality", Integer.toString(quality));
        options.put("channels", channels == 0 ? "as in the file" : Integer.toString(channels));
        options.put("decoder", ImageCodec.name());
        return options;
    }
}
