package tenon.io.image;

import java.nio.charset.StandardCharsets;

/** The image file formats that can be read, told apart by their first bytes; names are never trusted. */
public enum ImageFormat {
    /** A block of 64 pixels needs at least one bit. */
    JPEG(512),
    /** Deflate reaches 1032 : 1, and a byte may hold 8 pixels. */
    PNG(8 * 1032),
    /** A code of 12 bits stands for at most 4096 pixels. */
    GIF(2731),
    /** A run of 255 pixels in two bytes. */
    BMP(128),
    /** As PNG; fax compression could do more, on blank pages. */
    TIFF(8 * 1032),
    /** An arithmetic decoder has no bound; blank pictures need the least, and train nothing. */
    WEBP(8 * 1032);

    private final int maxPixelsPerByte;

    ImageFormat(int maxPixelsPerByte) {
        this.maxPixelsPerByte = maxPixelsPerByte;
    }

    int maxPixelsPerByte() {
        return maxPixelsPerByte;
    }

    /** The format of the file that begins with these bytes, or null when it is none of them. */
    public static ImageFormat sniff(byte[] bytes, int length) {
        ByteView file = new ByteView(bytes, length, "");
        if (file.startsWith(0, 0xFF, 0xD8, 0xFF)) {
            return JPEG;
        }
        if (file.startsWith(0, 0x89, 'P', 'N', 'G', '\r', '\n', 0x1A, '\n')) {
            return PNG;
        }
        if (startsWith(file, 0, "GIF87a") || startsWith(file, 0, "GIF89a")) {
            return GIF;
        }
        if (file.startsWith(0, 'I', 'I', 42, 0) || file.startsWith(0, 'M', 'M', 0, 42)) {
            return TIFF;
        }
        if (startsWith(file, 0, "RIFF") && startsWith(file, 8, "WEBP")) {
            return WEBP;
        }
        return startsWith(file, 0, "BM") ? BMP : null;
    }

    private static boolean startsWith(ByteView file, int at, String text) {
        byte[] ascii = text.getBytes(StandardCharsets.US_ASCII);
        return file.has(at, ascii.length) && file.text(at, ascii.length).equals(text);
    }
}
