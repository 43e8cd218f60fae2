package tenon.io.image;

/**
 * What an image file may ask for. Files from elsewhere can claim anything in a few bytes, so each claim is held against these limits before memory is
 * allocated or time is spent on it.
 */
public final class ImageLimits {
    /** Pixels of an image: 2^27 (a 108-megapixel photograph fits), or {@code -Dtenon.image.maxPixels}. */
    public static final long MAX_PIXELS = Long.getLong("tenon.image.maxPixels", 1L << 27);

    /** Scans of a JPEG file: 100, or {@code -Dtenon.image.maxScans}. Encoders write 1, 3 or about 10. */
    public static final int MAX_SCANS = Integer.getInteger("tenon.image.maxScans", 100);

    /** Pixels times scans of a JPEG file: each scan visits every pixel again. */
    static final long MAX_SCANNED_PIXELS = 8 * MAX_PIXELS;

    /** Bytes of an ICC profile, inflated. Profiles of printers have up to about 2.5 MB. */
    static final int MAX_PROFILE_BYTES = 4 << 20;

    /** Bytes that the compressed texts of a PNG file may inflate to, all together. */
    static final int MAX_TEXT_BYTES = 8 << 20;

    /** Entries of a TIFF directory. */
    static final int MAX_DIRECTORY_ENTRIES = 512;

    /** Pixels that any file may have, however small it is; above, a format's best compression bounds them. */
    private static final long PLAUSIBLE_PIXELS = 1L << 20;

    private ImageLimits() {}

    static void checkPixels(String what, long width, long height) {
        // Sides of up to 2^32 − 1 would overflow their product's sign.
        if (width > MAX_PIXELS || height > MAX_PIXELS || width * height > MAX_PIXELS) {
            throw new ImageException(what + ": must have at most " + MAX_PIXELS + " pixels: width=" + width
                    + ", height=" + height + ". -Dtenon.image.maxPixels=N changes the limit.");
        }
    }

    /** Refuses an image whose pixels cannot possibly come out of so few bytes. */
    static void checkPlausible(ByteView file, ImageFormat format, long width, long height) {
        checkPixels(file.what(), width, height);
        long possible = Math.max(PLAUSIBLE_PIXELS, (long) file.length() * format.maxPixelsPerByte());
        if (width * height > possible) {
            throw file.damaged("a " + format + " file of " + file.length() + " bytes can hold at most " + possible
                    + " pixels: width=" + width + ", height=" + height);
        }
    }
}
