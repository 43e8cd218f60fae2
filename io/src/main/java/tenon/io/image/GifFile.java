package tenon.io.image;

import java.io.ByteArrayOutputStream;
import java.util.Arrays;

/** The first frame of a GIF file (GIF89a specification), as large as the frame itself is. */
final class GifFile implements ImageFile {
    private static final int SCREEN = 13;

    private final ByteView file;
    private int width;
    private int height;
    private int bitDepth;
    private int tableEnd;
    private int control = -1;
    private int frame;
    private int frameEnd;

    private GifFile(ByteView file) {
        this.file = file;
    }

    static GifFile parse(ByteView file) {
        GifFile gif = new GifFile(file);
        gif.blocks();
        return gif;
    }

    private void blocks() {
        file.need(0, SCREEN, "the GIF header");
        int flags = file.u8(10);
        boolean table = (flags & 0x80) != 0;
        bitDepth = (flags & 7) + 1;
        tableEnd = SCREEN + (table ? 3 << bitDepth : 0);
        int at = tableEnd;
        while (true) {
            int kind = file.u8(at);
            if (kind == 0x21) {
                if (file.u8(at + 1) == 0xF9 && file.u8(at + 2) == 4) {
                    control = at;
                }
                at = endOfSubBlocks(at + 2);
            } else if (kind == 0x2C) {
                firstFrame(at, table);
                return;
            } else {
                throw file.damaged("must have a GIF frame, but there is block " + kind + " at byte " + at);
            }
        }
    }

    private void firstFrame(int at, boolean globalTable) {
        frame = at;
        file.need(at, 10, "a GIF frame");
        width = file.u16le(at + 5);
        height = file.u16le(at + 7);
        int flags = file.u8(at + 9);
        boolean table = (flags & 0x80) != 0;
        if (table) {
            bitDepth = (flags & 7) + 1;
        }
        if (width == 0 || height == 0 || !table && !globalTable) {
            throw file.damaged("a GIF frame must have a size and colours: width=" + width + ", height=" + height
                    + ", colour table=" + (table || globalTable));
        }
        ImageLimits.checkPlausible(file, ImageFormat.GIF, width, height);
        int codes = at + 10 + (table ? 3 << bitDepth : 0);
        int codeSize = file.u8(codes);
        if (codeSize < 1 || codeSize > 8) {
            throw file.damaged("the codes of a GIF frame must begin with 1 to 8 bits: " + codeSize);
        }
        frameEnd = endOfSubBlocks(codes + 1);
    }

    private int endOfSubBlocks(int start) {
        int at = start;
        int size = file.u8(at);
        while (size != 0) {
            at += 1 + size;
            size = file.u8(at);
        }
        return at + 1;
    }

    @Override
    public ImageHeader header() {
        return new ImageHeader(ImageFormat.GIF, width, height, 3, bitDepth, 1, ExifOrientation.UPRIGHT, false);
    }

    @Override
    public byte[] profile() {
        return null;
    }

    /** Screen and palette, the frame's control block, the frame; the screen is made as large as the frame. */
    @Override
    public byte[] pixelsOnly() {
        ByteArrayOutputStream out = new ByteArrayOutputStream(file.length());
        byte[] screen = file.copy(0, tableEnd);
        System.arraycopy(file.array(), frame + 5, screen, 6, 4);
        out.writeBytes(screen);
        if (control >= 0) {
            out.write(file.array(), control, 8);
        }
        byte[] first = file.copy(frame, frameEnd - frame);
        Arrays.fill(first, 1, 5, (byte) 0);
        out.writeBytes(first);
        out.write(0x3B);
        return out.toByteArray();
    }
}
