package tenon.io.image;

/**
 * An image file taken apart: its header, its colour profile, and the parts that its pixels depend on. Decoders get only those, so thumbnails, texts, vendors'
 * notes and further pages, where hostile files hide their surprises, never reach them.
 */
interface ImageFile {
    ImageHeader header();

    /** The ICC profile as it stands in the file, not validated; null when there is none that can be read. */
    byte[] profile();

    /** A file of the same format without whatever does not matter to the pixels. */
    byte[] pixelsOnly();

    /** @throws ImageException as {@link ImageHeader#sniff} */
    static ImageFile parse(ByteView file) {
        ImageFormat format = ImageFormat.sniff(file.array(), file.length());
        if (format == null) {
            throw file.damaged("this is no image file of a known format (JPEG, PNG, BMP, TIFF, WebP, GIF)");
        }
        return switch (format) {
            case JPEG -> JpegFile.parse(file);
            case PNG -> PngFile.parse(file);
            case GIF -> GifFile.parse(file);
            case BMP -> BmpFile.parse(file);
            case TIFF -> TiffFile.parse(file);
            case WEBP -> WebpFile.parse(file);
        };
    }
}
