package tenon.io.image;

import java.io.ByteArrayOutputStream;
import java.util.ArrayList;
import java.util.List;
import java.util.zip.CRC32;

/** The chunks of a PNG file (PNG specification, third edition). */
final class PngFile implements ImageFile {
    private static final int SIGNATURE = 8;
    private static final int PALETTE = 3;

    private final ByteView file;
    private final List<int[]> kept = new ArrayList<>();
    private final List<int[]> data = new ArrayList<>();
    private int width;
    private int height;
    private int bitDepth;
    private int colorType;
    private boolean interlaced;
    private boolean palette;
    private byte[] profile;
    private int orientation = ExifOrientation.UPRIGHT;
    private long textBytes;

    private PngFile(ByteView file) {
        this.file = file;
    }

    static PngFile parse(ByteView file) {
        PngFile png = new PngFile(file);
        png.chunks();
        return png;
    }

    private void chunks() {
        int at = SIGNATURE;
        while (true) {
            file.need(at, 12, "a PNG chunk (the last is IEND)");
            long size = file.u32(at);
            file.need(at, 12 + size, "a PNG chunk");
            int body = at + 8;
            int end = body + (int) size + 4;
            String type = file.text(at + 4, 4);
            if (at == SIGNATURE != type.equals("IHDR")) {
                throw file.damaged("a PNG file must have its one IHDR chunk first: " + type + " at byte " + at);
            }
            if (type.equals("IEND")) {
                break;
            }
            chunk(type, at, body, (int) size);
            at = end;
        }
        if (data.isEmpty()) {
            throw file.damaged("is a PNG file without pixels: it has no IDAT chunk");
        }
        if (colorType == PALETTE && !palette) {
            throw file.damaged("is a PNG file of colour type 3 without a PLTE chunk");
        }
    }

    private void chunk(String type, int at, int body, int size) {
        switch (type) {
            case "IHDR" -> {
                keep(at, body + size);
                head(body, size);
            }
            case "PLTE" -> {
                keep(at, body + size);
                if (palette || !data.isEmpty() || size == 0 || size % 3 != 0 || size > 3 << Math.min(bitDepth, 8)) {
                    throw file.damaged("a PNG file must have one PLTE chunk of 3 bytes for each of at most 2^depth "
                            + "colours, before the pixels: bytes=" + size);
                }
                palette = true;
            }
            case "tRNS" -> {
                keep(at, body + size);
                if (size > 256 || !data.isEmpty()) {
                    throw file.damaged(
                            "a PNG file must have its tRNS chunk of at most 256 bytes before the pixels: bytes="
                                    + size);
                }
            }
            case "IDAT" -> {
                keep(at, body + size);
                data.add(new int[] {body, body + size});
            }
            case "iCCP" -> profile(body, size);
            case "eXIf" -> orientation = ExifOrientation.read(file, body, size);
            case "zTXt" -> countText(type, afterKeyword(body, size) + 1, body + size);
            case "iTXt" -> international(body, size);
            default -> {
                if (Character.isUpperCase(type.charAt(0))) {
                    throw file.damaged("has a PNG chunk that no reader may skip and this one does not know: " + type);
                }
            }
        }
    }

    private void head(int body, int size) {
        if (size != 13) {
            throw file.damaged("the IHDR chunk of a PNG file must have 13 bytes: " + size);
        }
        long w = file.u32(body);
        long h = file.u32(body + 4);
        bitDepth = file.u8(body + 8);
        colorType = file.u8(body + 9);
        int interlace = file.u8(body + 12);
        boolean known = switch (colorType) {
            case 0 -> bitDepth == 1 || bitDepth == 2 || bitDepth == 4 || bitDepth == 8 || bitDepth == 16;
            case PALETTE -> bitDepth == 1 || bitDepth == 2 || bitDepth == 4 || bitDepth == 8;
            case 2, 4, 6 -> bitDepth == 8 || bitDepth == 16;
            default -> false;
        };
        if (!known || file.u8(body + 10) != 0 || file.u8(body + 11) != 0 || interlace > 1) {
            throw file.damaged("has an unknown kind of PNG: colour type=" + colorType + ", bit depth=" + bitDepth
                    + ", compression=" + file.u8(body + 10) + ", filter=" + file.u8(body + 11) + ", interlace="
                    + interlace);
        }
        if (w == 0 || h == 0) {
            throw file.damaged("must have a size in its IHDR chunk: width=" + w + ", height=" + h);
        }
        ImageLimits.checkPlausible(file, ImageFormat.PNG, w, h);
        width = (int) w;
        height = (int) h;
        interlaced = interlace == 1;
    }

    /** Keeps a chunk that pixels depend on, if its checksum is right. */
    private void keep(int at, int end) {
        CRC32 crc = new CRC32();
        crc.update(file.array(), at + 4, end - at - 4);
        if (crc.getValue() != file.u32(end)) {
            throw file.damaged("is damaged: the PNG chunk " + file.text(at + 4, 4) + " at byte " + at
                    + " does not have its checksum");
        }
        kept.add(new int[] {at, end + 4});
    }

    /** Where the zero byte after a keyword is, or the end. */
    private int afterKeyword(int body, int size) {
        int at = body;
        while (at < body + size && file.u8(at) != 0) {
            at++;
        }
        return at;
    }

    private void profile(int body, int size) {
        int method = afterKeyword(body, size) + 1;
        int end = body + size;
        if (method >= end || file.u8(method) != 0) {
            return;
        }
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        Inflation inflation = new Inflation(file, "the colour profile (iCCP)", ImageLimits.MAX_PROFILE_BYTES, out);
        if (inflation.add(method + 1, end) == Inflation.State.ENDED) {
            profile = out.toByteArray();
        }
        inflation.close();
    }

    private void international(int body, int size) {
        int flag = afterKeyword(body, size) + 1;
        int end = body + size;
        if (flag + 2 <= end && file.u8(flag) == 1) {
            int language = afterKeyword(flag + 2, end - flag - 2) + 1;
            countText("iTXt", afterKeyword(language, Math.max(0, end - language)), end);
        }
    }

    /** Texts are not read; but a file whose texts inflate without measure is meant to harm. */
    private void countText(String type, int separator, int end) {
        if (separator + 1 >= end) {
            return;
        }
        try (Inflation inflation =
                new Inflation(file, "compressed texts (" + type + ")", ImageLimits.MAX_TEXT_BYTES - textBytes, null)) {
            inflation.add(separator + 1, end);
            textBytes += inflation.bytes();
        }
    }

    /** Inflates the pixels without keeping them, and refuses a file that has more or fewer than its header says. */
    void checkInflation() {
        long wanted = rawBytes();
        try (Inflation inflation = new Inflation(file, "the pixels (IDAT)", wanted, null)) {
            Inflation.State state = Inflation.State.NEEDS_MORE;
            for (int[] range : data) {
                if (state == Inflation.State.NEEDS_MORE) {
                    state = inflation.add(range[0], range[1]);
                }
            }
            if (state == Inflation.State.DAMAGED) {
                throw file.damaged(
                        "is damaged: the compressed pixels (IDAT) of this PNG file cannot be inflated beyond byte "
                                + inflation.bytes() + " of " + wanted);
            }
            if (inflation.bytes() < wanted) {
                throw file.damaged("is truncated: its pixels (IDAT) inflate to " + inflation.bytes() + " bytes, but "
                        + width + "×" + height + " pixels need " + wanted);
            }
        }
    }

    /** Bytes of all rows with their filter bytes, in all passes. */
    private long rawBytes() {
        if (!interlaced) {
            return rows(width, height);
        }
        // Adam7: offsets and steps of the seven passes.
        int[][] passes = {
            {0, 0, 8, 8}, {4, 0, 8, 8}, {0, 4, 4, 8}, {2, 0, 4, 4}, {0, 2, 2, 4}, {1, 0, 2, 2}, {0, 1, 1, 2}
        };
        long sum = 0;
        for (int[] pass : passes) {
            sum += rows((width - pass[0] + pass[2] - 1) / pass[2], (height - pass[1] + pass[3] - 1) / pass[3]);
        }
        return sum;
    }

    private long rows(int columns, int rows) {
        return columns == 0 ? 0 : rows * (1 + ((long) columns * samples() * bitDepth + 7) / 8);
    }

    private int samples() {
        return switch (colorType) {
            case 2 -> 3;
            case 4 -> 2;
            case 6 -> 4;
            default -> 1;
        };
    }

    @Override
    public ImageHeader header() {
        int channels = colorType == PALETTE ? 3 : samples();
        return new ImageHeader(ImageFormat.PNG, width, height, channels, bitDepth, 1, orientation, profile != null);
    }

    @Override
    public byte[] profile() {
        return profile;
    }

    @Override
    public byte[] pixelsOnly() {
        ByteArrayOutputStream out = new ByteArrayOutputStream(file.length());
        out.write(file.array(), 0, SIGNATURE);
        for (int[] range : kept) {
            out.write(file.array(), range[0], range[1] - range[0]);
        }
        out.writeBytes(new byte[] {0, 0, 0, 0, 'I', 'E', 'N', 'D', (byte) 0xAE, 0x42, 0x60, (byte) 0x82});
        return out.toByteArray();
    }
}
