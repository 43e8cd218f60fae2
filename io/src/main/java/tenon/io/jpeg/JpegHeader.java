package tenon.io.jpeg;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import tenon.io.image.ImageLimits;

/**
 * What stands before the entropy-coded data of a JPEG file, read without decoding anything and without allocating: size, components, and whether
 * a native decoder may be given the file. Reusable; confined to a thread.
 */
public final class JpegHeader {
    /** The least that one scan spends is a bit on each 8×8 block, so a byte never stands for more pixels. */
    private static final long MAX_PIXELS_PER_BYTE = 512;

    private static final int SOI = 0xD8;
    private static final int EOI = 0xD9;
    private static final int SOS = 0xDA;
    private static final int DRI = 0xDD;
    private static final int BASELINE = 0xC0;
    private static final int EXTENDED = 0xC1;
    private static final int PROGRESSIVE = 0xC2;
    private static final int APP1 = 0xE1;
    private static final int APP2 = 0xE2;

    private int width;
    private int height;
    private int components;
    private int heightPosition;
    private int mcuHeight;
    private int mcuWidth;
    /** Whether the components come one after the other, or bit by bit: a decoder then gathers the whole file before its first row. */
    private boolean severalScans;

    private boolean restarts;

    /**
     * Reads the header of the file that {@code bytes} begins with.
     *
     * @return whether it is a whole JPEG file that a native decoder shows as {@code ImageCodec} would: 8 bits, Huffman-coded, grey or three components,
     *     upright, without a colour profile, of plausible size. Other files are left to {@code ImageCodec}
     */
    public boolean read(byte[] bytes, int length) {
        if (length < 4 || u8(bytes, 0) != 0xFF || u8(bytes, 1) != SOI || !endsWithEoi(bytes, length)) {
            return false;
        }
        boolean framed = false;
        restarts = false;
        int at = 2;
        while (at + 4 <= length && u8(bytes, at) == 0xFF) {
            int marker = u8(bytes, at + 1);
            if (marker == 0xFF) {
                at++;
                continue;
            }
            int segment = at + 4;
            int end = at + 2 + u16(bytes, at + 2);
            if (marker < 0xC0 || marker >= 0xD0 && marker <= EOI || end < segment || end > length) {
                return false;
            }
            if (marker == SOS) {
                if (!framed || end == segment) {
                    return false;
                }
                severalScans |= u8(bytes, segment) != components;
                return !severalScans || scans(bytes, end, length) < ImageLimits.MAX_SCANS;
            }
            if (marker >= BASELINE && marker <= 0xCF && marker != 0xC4 && marker != 0xC8 && marker != 0xCC) {
                if (framed || !readFrame(bytes, marker, segment, end, length)) {
                    return false;
                }
                framed = true;
            }
            restarts |= marker == DRI;
            if (marker == APP1 && !isUpright(bytes, segment, end) || marker == APP2 && isProfile(bytes, segment, end)) {
                return false;
            }
            at = end;
        }
        return false;
    }

    private boolean readFrame(byte[] bytes, int marker, int at, int end, int length) {
        if (marker > PROGRESSIVE || end - at < 6) {
            return false;
        }
        severalScans = marker == PROGRESSIVE;
        heightPosition = at + 1;
        height = u16(bytes, at + 1);
        width = u16(bytes, at + 3);
        components = u8(bytes, at + 5);
        if (u8(bytes, at) != 8 || components != 1 && components != 3 || end - at != 6 + 3 * components) {
            return false;
        }
        int tallest = 1;
        int widest = 1;
        for (int c = 0; c < components; c++) {
            int factors = u8(bytes, at + 7 + 3 * c);
            tallest = Math.max(tallest, factors & 0xF);
            widest = Math.max(widest, factors >> 4);
        }
        // One component alone is coded block by block, whatever its factor says.
        mcuHeight = components == 1 ? 8 : 8 * tallest;
        mcuWidth = components == 1 ? 8 : 8 * widest;
        long pixels = (long) width * height;
        return pixels > 0
                && pixels <= ImageLimits.MAX_PIXELS
                && pixels <= MAX_PIXELS_PER_BYTE * length
                && tallest <= 4
                && widest <= 4;
    }

    /** Padding after the last marker is allowed. */
    private static boolean endsWithEoi(byte[] bytes, int length) {
        int end = length;
        while (end > 2 && bytes[end - 1] == 0) {
            end--;
        }
        return u8(bytes, end - 2) == 0xFF && u8(bytes, end - 1) == EOI;
    }

    /** Start-of-scan markers from {@code from} on. Inside entropy-coded data FF is followed by 0 or a restart marker. */
    private static int scans(byte[] bytes, int from, int length) {
        int count = 0;
        for (int i = from; i + 1 < length; i++) {
            if (bytes[i] == -1 && u8(bytes, i + 1) == SOS) {
                count++;
            }
        }
        return count;
    }

    private static boolean isProfile(byte[] bytes, int at, int end) {
        return startsWith(bytes, at, end, "ICC_PROFILE");
    }

    /** False when EXIF data says that the picture is to be turned, or cannot be understood. */
    private static boolean isUpright(byte[] bytes, int at, int end) {
        if (!startsWith(bytes, at, end, "Exif")) {
            return true;
        }
        int tiff = at + 6;
        if (tiff + 8 > end) {
            return false;
        }
        boolean little = bytes[tiff] == 'I';
        long entries = tiff + u32(bytes, tiff + 4, little);
        if (entries < tiff || entries + 2 > end) {
            return false;
        }
        int count = u16(bytes, (int) entries, little);
        for (int i = 0; i < count; i++) {
            int entry = (int) entries + 2 + 12 * i;
            if (entry + 12 > end) {
                return false;
            }
            if (u16(bytes, entry, little) == 0x0112) {
                int orientation = u16(bytes, entry + 8, little);
                return orientation <= 1 || orientation > 8;
            }
        }
        return true;
    }

    private static boolean startsWith(byte[] bytes, int at, int end, String text) {
        if (end - at < text.length()) {
            return false;
        }
        for (int i = 0; i < text.length(); i++) {
            if (bytes[at + i] != text.charAt(i)) {
                return false;
            }
        }
        return true;
    }

    private static int u8(byte[] bytes, int at) {
        return bytes[at] & 0xFF;
    }

    private static int u16(byte[] bytes, int at) {
        return u8(bytes, at) << 8 | u8(bytes, at + 1);
    }

    private static int u16(byte[] bytes, int at, boolean little) {
        return little ? u8(bytes, at + 1) << 8 | u8(bytes, at) : u16(bytes, at);
    }

    private static long u32(byte[] bytes, int at, boolean little) {
        long first = u16(bytes, at, little);
        long second = u16(bytes, at + 2, little);
        return little ? second << 16 | first : first << 16 | second;
    }

    public int width() {
        return width;
    }

    public int height() {
        return height;
    }

    /** 1 (grey) or 3. */
    public int components() {
        return components;
    }

    /** Columns that are coded together. */
    int mcuWidth() {
        return mcuWidth;
    }

    /**
     * Rows that must be decoded so that those before {@code endRow} come out as if all were: up to the end of their coded row and one more, which the
     * interpolation of colours looks at. All rows where the file cannot be cut: of several scans each is about the whole image, and
     * restart markers tell a decoder where it ought to be.
     */
    int rowsFor(int endRow) {
        if (severalScans || restarts) {
            return height;
        }
        return Math.min(height, (Math.ceilDiv(endRow, mcuHeight) + 1) * mcuHeight);
    }

    /** Makes the frame of a copy of the file end after {@code rows}: the decoder then stops there. */
    void cut(MemorySegment file, int rows) {
        file.set(ValueLayout.JAVA_BYTE, heightPosition, (byte) (rows >> 8));
        file.set(ValueLayout.JAVA_BYTE, heightPosition + 1, (byte) rows);
    }
}
