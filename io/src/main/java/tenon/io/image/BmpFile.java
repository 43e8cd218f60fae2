package tenon.io.image;

/** The headers of a BMP file: BITMAPCOREHEADER, and BITMAPINFOHEADER with its successors. */
final class BmpFile implements ImageFile {
    private static final int FILE_HEADER = 14;
    private static final int RLE8 = 1;
    private static final int RLE4 = 2;

    private final ByteView file;
    private int width;
    private int height;
    private int bits;

    private BmpFile(ByteView file) {
        this.file = file;
    }

    static BmpFile parse(ByteView file) {
        BmpFile bmp = new BmpFile(file);
        bmp.head();
        return bmp;
    }

    private void head() {
        file.need(0, FILE_HEADER + 12, "the BMP header");
        long pixels = file.u32le(10);
        long size = file.u32le(FILE_HEADER);
        boolean core = size == 12;
        if (!core && (size < 16 || size > 256)) {
            throw file.damaged("the header of a BMP file must have 12 bytes, or 16 to 256: " + size);
        }
        file.need(FILE_HEADER, size, "the BMP header");
        long w = core ? file.u16le(18) : file.i32le(18);
        long h = core ? file.u16le(20) : Math.abs((long) file.i32le(22));
        bits = file.u16le(core ? 24 : 28);
        int compression = core || size < 20 ? 0 : file.i32le(30);
        long colors = core || size < 36 ? 0 : file.u32le(46);
        if (w < 1 || h < 1) {
            throw file.damaged("must have a size in its BMP header: width=" + w + ", height=" + h);
        }
        if (bits != 1 && bits != 2 && bits != 4 && bits != 8 && bits != 16 && bits != 24 && bits != 32
                || compression < 0
                || compression > 3 && compression != 6) {
            throw file.damaged("is an unsupported kind of BMP: bits=" + bits + ", compression=" + compression);
        }
        if (colors > 256 || bits <= 8 && colors > 1L << bits) {
            throw file.damaged("a palette of a BMP file must have at most 2^bits colours: " + colors);
        }
        ImageLimits.checkPlausible(file, ImageFormat.BMP, w, h);
        if (compression != RLE8 && compression != RLE4) {
            file.need(pixels, (w * bits + 31) / 32 * 4 * h, "the pixels of a BMP file of " + w + "×" + h);
        } else {
            file.need(pixels, 2, "the pixels of a BMP file");
        }
        width = (int) w;
        height = (int) h;
    }

    @Override
    public ImageHeader header() {
        boolean palette = bits <= 8;
        int depth = palette ? bits : bits == 16 ? 5 : 8;
        return new ImageHeader(
                ImageFormat.BMP, width, height, bits == 32 ? 4 : 3, depth, 1, ExifOrientation.UPRIGHT, false);
    }

    @Override
    public byte[] profile() {
        return null;
    }

    /** As it is: nothing but headers and pixels is looked at. */
    @Override
    public byte[] pixelsOnly() {
        return file.copy(0, file.length());
    }
}
