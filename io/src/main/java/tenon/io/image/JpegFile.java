package tenon.io.image;

import java.io.ByteArrayOutputStream;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.List;

/** The segments of a JPEG file (ITU-T T.81, annex B). Sequential and progressive Huffman-coded files of 8 bits; 1, 3 or 4 components. */
final class JpegFile implements ImageFile {
    /** What the components mean, decided as libjpeg does, of which OpenCV and most other readers are made. */
    enum Colors {
        GREY,
        YCC,
        RGB,
        CMYK,
        YCCK
    }

    private static final VarHandle LONGS = MethodHandles.byteArrayViewVarHandle(long[].class, ByteOrder.LITTLE_ENDIAN);
    private static final long LOW_BITS = 0x0101010101010101L;
    private static final long HIGH_BITS = 0x8080808080808080L;

    private static final int SOI = 0xD8;
    private static final int EOI = 0xD9;
    private static final int SOS = 0xDA;
    private static final int DQT = 0xDB;
    private static final int DHT = 0xC4;
    private static final int DRI = 0xDD;
    private static final int APP0 = 0xE0;
    private static final int APP1 = 0xE1;
    private static final int APP2 = 0xE2;
    private static final int APP14 = 0xEE;
    private static final String EXIF = "Exif\0\0";
    private static final String ICC = "ICC_PROFILE\0";

    private final ByteView file;
    /** Beginnings and ends of what the pixels depend on. */
    private final List<int[]> kept = new ArrayList<>();

    private final List<int[]> profilePieces = new ArrayList<>();
    private int width;
    private int height;
    private int components;
    private final int[] componentIds = new int[4];
    private int scans;
    private boolean jfif;
    private boolean adobe;
    private int adobeTransform;
    private int orientation = ExifOrientation.UPRIGHT;

    private JpegFile(ByteView file) {
        this.file = file;
    }

    static JpegFile parse(ByteView file) {
        JpegFile jpeg = new JpegFile(file);
        jpeg.segments();
        return jpeg;
    }

    private void segments() {
        int at = 2;
        while (true) {
            if (!file.has(at, 2)) {
                throw file.damaged("is truncated: a JPEG file ends with an EOI marker, this one of " + file.length()
                        + " bytes has none");
            }
            int marker = file.u8(at + 1);
            if (file.u8(at) != 0xFF || marker == 0xFF) {
                // Fill bytes, and garbage between segments, which libjpeg skips too.
                at++;
                continue;
            }
            at += 2;
            if (marker == EOI) {
                break;
            }
            if (marker <= 0x01 || marker >= 0xD0 && marker < SOI) {
                continue;
            }
            if (marker == SOI) {
                throw file.damaged("has a second JPEG picture inside the first, at byte " + (at - 2));
            }
            int length = file.u16(at);
            if (length < 2) {
                throw file.damaged("the length of a JPEG segment must be at least 2: " + length + " at byte " + at);
            }
            file.need(at, length, "a JPEG segment");
            at = segment(marker, at, length);
        }
        if (scans == 0) {
            throw file.damaged("is a JPEG file without a picture: it has no scan");
        }
    }

    /** @return where the next marker must be */
    private int segment(int marker, int at, int length) {
        int end = at + length;
        int body = at + 2;
        int size = length - 2;
        switch (marker) {
            case SOS -> {
                if (width == 0) {
                    throw file.damaged("has a JPEG scan at byte " + at + " before the frame header that describes it");
                }
                end = endOfScan(end);
                countScan();
                keep(at - 2, end);
            }
            case DQT, DHT, DRI -> keep(at - 2, end);
            case APP0 -> jfif |= size >= 5 && file.text(body, 5).equals("JFIF\0");
            case APP1 -> {
                if (size >= 6
                        && orientation == ExifOrientation.UPRIGHT
                        && file.text(body, 6).equals(EXIF)) {
                    orientation = ExifOrientation.read(file, body + 6, size - 6);
                }
            }
            case APP2 -> {
                if (size >= 14 && file.text(body, 12).equals(ICC)) {
                    profilePieces.add(new int[] {file.u8(body + 12), file.u8(body + 13), body + 14, end});
                }
            }
            case APP14 -> {
                if (size >= 12 && file.text(body, 5).equals("Adobe")) {
                    adobe = true;
                    adobeTransform = file.u8(body + 11);
                }
            }
            default -> {
                if (marker >= 0xC0 && marker <= 0xCF) {
                    frame(marker, body, size);
                    keep(at - 2, end);
                }
            }
        }
        return end;
    }

    private void frame(int marker, int body, int size) {
        if (marker > 0xC2) {
            throw file.damaged("is a JPEG file of an unsupported kind (lossless, hierarchical or arithmetic-coded, "
                    + "SOF" + (marker - 0xC0) + "): convert it to baseline or progressive JPEG");
        }
        if (width != 0) {
            throw file.damaged("has two JPEG frame headers, the second at byte " + body);
        }
        if (size < 6) {
            throw file.damaged("has a JPEG frame header of " + size + " bytes");
        }
        int precision = file.u8(body);
        height = file.u16(body + 1);
        width = file.u16(body + 3);
        components = file.u8(body + 5);
        if (precision != 8) {
            throw file.damaged("is a JPEG file of " + precision + " bits, supported are 8: convert it");
        }
        if (width == 0 || height == 0) {
            throw file.damaged("must have a size in its JPEG frame header: width=" + width + ", height=" + height);
        }
        if (components != 1 && components != 3 && components != 4 || size != 6 + 3 * components) {
            throw file.damaged("a JPEG file must have 1, 3 or 4 components and 3 bytes for each: components="
                    + components + ", bytes=" + (size - 6));
        }
        for (int c = 0; c < components; c++) {
            componentIds[c] = file.u8(body + 6 + 3 * c);
        }
        ImageLimits.checkPlausible(file, ImageFormat.JPEG, width, height);
    }

    private void countScan() {
        scans++;
        long scanned = (long) width * height * scans;
        if (scans > ImageLimits.MAX_SCANS || scans > 1 && scanned > ImageLimits.MAX_SCANNED_PIXELS) {
            throw file.damaged("a JPEG file must have at most " + ImageLimits.MAX_SCANS + " scans, and "
                    + ImageLimits.MAX_SCANNED_PIXELS + " pixels in all of them together: scans=" + scans + " of "
                    + width + "×" + height + ". -Dtenon.image.maxScans=N changes the limit.");
        }
    }

    /** Where the first marker after {@code at} is that does not belong to entropy-coded data: neither a stuffed 0xFF00 nor a restart. */
    private int endOfScan(int at) {
        byte[] bytes = file.array();
        int length = file.length();
        int i = at;
        while (true) {
            // Eight bytes at a time; a byte of 0xFF is a zero byte of the complement.
            while (i <= length - 8) {
                long inverse = ~(long) LONGS.get(bytes, i);
                long zeros = (inverse - LOW_BITS) & ~inverse & HIGH_BITS;
                if (zeros != 0) {
                    i += Long.numberOfTrailingZeros(zeros) >> 3;
                    break;
                }
                i += 8;
            }
            while (i < length && bytes[i] != (byte) 0xFF) {
                i++;
            }
            if (i >= length - 1) {
                throw file.damaged("is truncated: a JPEG file ends with an EOI marker, this one of " + length
                        + " bytes ends inside scan " + (scans + 1));
            }
            int next = bytes[i + 1] & 0xFF;
            if (next == 0 || next >= 0xD0 && next < SOI) {
                i += 2;
            } else if (next == 0xFF) {
                i++;
            } else {
                return i;
            }
        }
    }

    private void keep(int from, int to) {
        kept.add(new int[] {from, to});
    }

    @Override
    public ImageHeader header() {
        return new ImageHeader(
                ImageFormat.JPEG, width, height, components, 8, scans, orientation, !profilePieces.isEmpty());
    }

    /** Whether an Adobe marker says that CMYK is stored inverted: 255 is no ink. */
    boolean isAdobe() {
        return adobe;
    }

    Colors colors() {
        return switch (components) {
            case 1 -> Colors.GREY;
            case 4 -> adobe && adobeTransform != 0 ? Colors.YCCK : Colors.CMYK;
            default -> {
                boolean named = componentIds[0] == 'R' && componentIds[1] == 'G' && componentIds[2] == 'B';
                boolean rgb = !jfif && (adobe ? adobeTransform == 0 : named);
                yield rgb ? Colors.RGB : Colors.YCC;
            }
        };
    }

    @Override
    public byte[] profile() {
        int count = profilePieces.size();
        int total = 0;
        int[][] ordered = new int[count][];
        for (int[] piece : profilePieces) {
            int number = piece[0];
            if (piece[1] != count || number < 1 || number > count || ordered[number - 1] != null) {
                return null;
            }
            ordered[number - 1] = piece;
            total += piece[3] - piece[2];
        }
        if (count == 0 || total > ImageLimits.MAX_PROFILE_BYTES) {
            return null;
        }
        byte[] profile = new byte[total];
        int at = 0;
        for (int[] piece : ordered) {
            System.arraycopy(file.array(), piece[2], profile, at, piece[3] - piece[2]);
            at += piece[3] - piece[2];
        }
        return profile;
    }

    /** The one marker that leaves a decoder no room to guess what the components mean, then tables, frame and scans. */
    @Override
    public byte[] pixelsOnly() {
        ByteArrayOutputStream out = new ByteArrayOutputStream(file.length() + 20);
        out.write(0xFF);
        out.write(SOI);
        switch (colors()) {
            case GREY, YCC ->
                out.writeBytes(
                        new byte[] {(byte) 0xFF, (byte) APP0, 0, 16, 'J', 'F', 'I', 'F', 0, 1, 1, 0, 0, 1, 0, 1, 0, 0});
            case RGB, CMYK -> out.writeBytes(adobeMarker(0));
            case YCCK -> out.writeBytes(adobeMarker(2));
        }
        for (int[] range : kept) {
            out.write(file.array(), range[0], range[1] - range[0]);
        }
        out.write(0xFF);
        out.write(EOI);
        return out.toByteArray();
    }

    private static byte[] adobeMarker(int transform) {
        return new byte[] {
            (byte) 0xFF, (byte) APP14, 0, 14, 'A', 'd', 'o', 'b', 'e', 0, 100, 0, 0, 0, 0, (byte) transform
        };
    }
}
