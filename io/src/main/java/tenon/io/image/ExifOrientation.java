package tenon.io.image;

/**
 * The orientation in EXIF data, and what it does to pixels. Cameras and editors write much broken EXIF around sound pictures, so whatever cannot be read means
 * upright. Only one tag of the first directory is looked at.
 */
final class ExifOrientation {
    static final int UPRIGHT = 1;
    private static final int TAG = 0x0112;

    private ExifOrientation() {}

    /** Reads the TIFF structure at {@code at}; {@code length} bytes belong to it. */
    static int read(ByteView file, int at, int length) {
        if (!file.has(at, length) || length < 10) {
            return UPRIGHT;
        }
        boolean little = file.startsWith(at, 'I', 'I', 42, 0);
        if (!little && !file.startsWith(at, 'M', 'M', 0, 42)) {
            return UPRIGHT;
        }
        long directory = little ? file.u32le(at + 4) : file.u32(at + 4);
        if (directory < 8 || directory > length - 2) {
            return UPRIGHT;
        }
        int start = at + (int) directory;
        int entries = u16(file, start, little);
        for (int i = 0; i < entries; i++) {
            int entry = start + 2 + 12 * i;
            if (entry + 12 > at + length) {
                return UPRIGHT;
            }
            if (u16(file, entry, little) == TAG) {
                return checked(u16(file, entry + 8, little));
            }
        }
        return UPRIGHT;
    }

    static int checked(int orientation) {
        return orientation >= 1 && orientation <= 8 ? orientation : UPRIGHT;
    }

    private static int u16(ByteView file, int at, boolean little) {
        return little ? file.u16le(at) : file.u16(at);
    }

    /** The upright picture. */
    static Image apply(Image image, int orientation) {
        if (orientation == UPRIGHT) {
            return image;
        }
        int width = image.width();
        int height = image.height();
        int channels = image.channels();
        boolean turned = orientation >= 5;
        int outWidth = turned ? height : width;
        int outHeight = turned ? width : height;
        // 2, 3, 7 and 8 begin at the stored picture's right side, 3, 4, 6 and 7 at its lower side.
        boolean fromRight = orientation == 2 || orientation == 3 || orientation == 7 || orientation == 8;
        boolean fromBelow = orientation == 3 || orientation == 4 || orientation == 6 || orientation == 7;
        byte[] in = image.pixels();
        byte[] out = new byte[in.length];
        int o = 0;
        for (int y = 0; y < outHeight; y++) {
            for (int x = 0; x < outWidth; x++) {
                int across = turned ? y : x;
                int down = turned ? x : y;
                int i = ((fromBelow ? height - 1 - down : down) * width + (fromRight ? width - 1 - across : across))
                        * channels;
                for (int c = 0; c < channels; c++) {
                    out[o++] = in[i + c];
                }
            }
        }
        return new Image(outWidth, outHeight, channels, out);
    }
}
