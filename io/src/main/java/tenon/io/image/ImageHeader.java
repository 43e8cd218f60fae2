package tenon.io.image;

/**
 * What an image file says of itself, read without decoding and within {@link ImageLimits}.
 *
 * @param width as stored, before the EXIF orientation is applied; likewise height
 * @param channels as stored: 1 grey, 2 grey and opacity, 3 colours or a palette, 4 colours and opacity, or CMYK
 * @param bitDepth bits of a channel, or of a palette's index
 * @param scans of a JPEG file: 1 for nearly all sequential ones, more for progressive ones; 1 for other formats
 * @param exifOrientation 1 to 8 as EXIF numbers them; 1, upright, also where it is absent or unreadable
 * @param colorProfile whether there is an ICC profile
 */
public record ImageHeader(
        ImageFormat format,
        int width,
        int height,
        int channels,
        int bitDepth,
        int scans,
        int exifOrientation,
        boolean colorProfile) {

    /**
     * Reads the header of an image file's first {@code length} bytes, and enough of the rest to know that the file is complete.
     *
     * @param name for messages
     * @throws ImageException when the bytes are no image of a known format, are truncated or damaged, or ask for more than the limits allow
     */
    public static ImageHeader sniff(byte[] bytes, int length, String name) {
        return ImageFile.parse(new ByteView(bytes, length, name)).header();
    }

    /** Width of the upright picture, after the EXIF orientation has been applied. */
    public int uprightWidth() {
        return exifOrientation < 5 ? width : height;
    }

    /** Height of the upright picture. */
    public int uprightHeight() {
        return exifOrientation < 5 ? height : width;
    }
}
