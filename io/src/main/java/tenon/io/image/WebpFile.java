package tenon.io.image;

import java.io.ByteArrayOutputStream;

/** The chunks of a still WebP file (WebP container specification; RFC 6386 and the lossless bitstream specification for sizes). */
final class WebpFile implements ImageFile {
    private static final int RIFF_HEADER = 12;
    private static final int ALPHA_FLAG = 0x10;
    private static final int PADDING = 64;

    private final ByteView file;
    private int[] extended;
    private int[] alpha;
    private int[] picture;
    private byte[] profile;
    private int orientation = ExifOrientation.UPRIGHT;
    private int width;
    private int height;
    private boolean opacity;

    private WebpFile(ByteView file) {
        this.file = file;
    }

    static WebpFile parse(ByteView file) {
        WebpFile webp = new WebpFile(file);
        webp.chunks();
        return webp;
    }

    private void chunks() {
        long end = 8 + file.u32le(4);
        if (end > file.length()) {
            throw file.damaged("is truncated: this WebP file should have " + end + " bytes, but has " + file.length());
        }
        long at = RIFF_HEADER;
        while (at + 8 <= end) {
            int start = (int) at;
            String type = file.text(start, 4);
            long size = file.u32le(start + 4);
            file.need(at + 8, size, "the WebP chunk " + type.strip());
            chunk(type, start, (int) size);
            at += 8 + size + (size & 1);
        }
        if (picture == null) {
            throw file.damaged("is a WebP file without a picture: it has no VP8 or VP8L chunk");
        }
        if (extended != null) {
            int body = extended[0] + 8;
            int canvasWidth = 1 + (file.u16le(body + 4) | file.u8(body + 6) << 16);
            int canvasHeight = 1 + (file.u16le(body + 7) | file.u8(body + 9) << 16);
            if (canvasWidth != width || canvasHeight != height) {
                throw file.damaged("a still WebP picture must be as large as its canvas: " + width + "×" + height
                        + " on " + canvasWidth + "×" + canvasHeight);
            }
        }
    }

    private void chunk(String type, int start, int size) {
        int[] range = {start, start + 8 + size};
        int body = start + 8;
        switch (type) {
            case "VP8X" -> {
                file.need(body, 10, "the WebP chunk VP8X");
                if (extended == null) {
                    extended = range;
                }
            }
            case "ANIM", "ANMF" -> throw file.damaged("is an animated WebP file: only still pictures are supported");
            case "ALPH" -> alpha = range;
            case "VP8 " -> {
                if (picture == null) {
                    lossy(body, size);
                    picture = range;
                }
            }
            case "VP8L" -> {
                if (picture == null) {
                    lossless(body, size);
                    picture = range;
                }
            }
            case "ICCP" -> profile = size <= ImageLimits.MAX_PROFILE_BYTES ? file.copy(body, size) : null;
            case "EXIF" -> {
                // Some writers put JPEG's prefix before it.
                int prefix = size > 6 && file.text(body, 6).equals("Exif\0\0") ? 6 : 0;
                orientation = ExifOrientation.read(file, body + prefix, size - prefix);
            }
            default -> {
                // Unknown chunks are to be ignored.
            }
        }
    }

    private void lossy(int body, int size) {
        if (size < 10 || (file.u8(body) & 1) != 0 || !file.startsWith(body + 3, 0x9D, 0x01, 0x2A)) {
            throw file.damaged("the VP8 chunk of a WebP file must begin with a key frame");
        }
        int firstPartition = (file.u8(body) | file.u16le(body + 1) << 8) >> 5;
        if (firstPartition > size - 10) {
            throw file.damaged("is damaged: the first partition of its VP8 chunk has " + firstPartition
                    + " bytes, the chunk " + size);
        }
        size(file.u16le(body + 6) & 0x3FFF, file.u16le(body + 8) & 0x3FFF);
    }

    private void lossless(int body, int size) {
        if (size < 5 || file.u8(body) != 0x2F) {
            throw file.damaged("the VP8L chunk of a WebP file must begin with its signature");
        }
        int bits = file.i32le(body + 1);
        opacity = (bits >> 28 & 1) == 1;
        size((bits & 0x3FFF) + 1, (bits >> 14 & 0x3FFF) + 1);
    }

    private void size(int w, int h) {
        if (w == 0 || h == 0) {
            throw file.damaged("must have a size in its WebP frame: width=" + w + ", height=" + h);
        }
        ImageLimits.checkPlausible(file, ImageFormat.WEBP, w, h);
        width = w;
        height = h;
    }

    @Override
    public ImageHeader header() {
        int channels = alpha != null || opacity ? 4 : 3;
        return new ImageHeader(ImageFormat.WEBP, width, height, channels, 8, 1, orientation, profile != null);
    }

    @Override
    public byte[] profile() {
        return profile;
    }

    @Override
    public byte[] pixelsOnly() {
        ByteArrayOutputStream out = new ByteArrayOutputStream(file.length());
        out.write(file.array(), 0, RIFF_HEADER);
        if (extended != null && alpha != null) {
            byte[] head = file.copy(extended[0], 18);
            head[4] = 10;
            head[5] = 0;
            head[6] = 0;
            head[7] = 0;
            head[8] = ALPHA_FLAG;
            out.writeBytes(head);
            write(out, alpha);
        }
        int start = out.size();
        out.write(file.array(), picture[0], picture[1] - picture[0]);
        // For readers that look ahead, and an even length.
        out.writeBytes(new byte[PADDING + (picture[1] - picture[0] & 1)]);
        byte[] bytes = out.toByteArray();
        putSize(bytes, 4);
        putSize(bytes, start + 4);
        return bytes;
    }

    /** The size of a chunk that ends with the file. */
    private static void putSize(byte[] bytes, int at) {
        int size = bytes.length - at - 4;
        for (int i = 0; i < 4; i++) {
            bytes[at + i] = (byte) (size >> 8 * i);
        }
    }

    private void write(ByteArrayOutputStream out, int[] range) {
        out.write(file.array(), range[0], range[1] - range[0]);
        if ((range[1] - range[0] & 1) != 0) {
            out.write(0);
        }
    }
}
