package tenon.io.image;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;

/** The first directory of a TIFF file (TIFF 6.0). */
final class TiffFile implements ImageFile {
    private static final int IMAGE_WIDTH = 256;
    private static final int IMAGE_LENGTH = 257;
    private static final int BITS_PER_SAMPLE = 258;
    private static final int COMPRESSION = 259;
    private static final int PHOTOMETRIC = 262;
    private static final int STRIP_OFFSETS = 273;
    private static final int ORIENTATION = 274;
    private static final int SAMPLES_PER_PIXEL = 277;
    private static final int STRIP_BYTE_COUNTS = 279;
    private static final int TILE_WIDTH = 322;
    private static final int TILE_LENGTH = 323;
    private static final int TILE_OFFSETS = 324;
    private static final int TILE_BYTE_COUNTS = 325;
    private static final int EXTRA_SAMPLES = 338;
    private static final int ICC_PROFILE = 34675;
    private static final int RGB_PALETTE = 3;

    private static final int BYTE = 1;
    private static final int SHORT = 3;
    private static final int LONG = 4;
    /** Bytes of a value of types 1 to 12. */
    private static final int[] SIZES = {0, 1, 1, 2, 4, 8, 1, 1, 2, 4, 8, 4, 8};

    private final ByteView file;
    private final boolean little;
    private final int directory;
    private final int entries;
    private final int width;
    private final int height;

    private TiffFile(ByteView file) {
        this.file = file;
        little = file.u8(0) == 'I';
        long start = u32(4);
        file.need(start, 2, "the first directory of a TIFF file");
        directory = (int) start;
        entries = u16(directory);
        if (entries == 0 || entries > ImageLimits.MAX_DIRECTORY_ENTRIES) {
            throw file.damaged(
                    "a TIFF directory must have 1 to " + ImageLimits.MAX_DIRECTORY_ENTRIES + " entries: " + entries);
        }
        file.need(directory, 2 + 12L * entries + 4, "a TIFF directory of " + entries + " entries");
        for (int i = 0; i < entries; i++) {
            int tag = u16(entryAt(i));
            if (describesPixels(tag) || tag == ORIENTATION) {
                checkEntry(entryAt(i));
            }
        }
        long w = value(IMAGE_WIDTH, 0);
        long h = value(IMAGE_LENGTH, 0);
        if (w == 0 || h == 0) {
            throw file.damaged("must have a size in its TIFF directory: width=" + w + ", height=" + h);
        }
        ImageLimits.checkPlausible(file, ImageFormat.TIFF, w, h);
        width = (int) w;
        height = (int) h;
        checkSamples();
        boolean tiled = find(TILE_OFFSETS) >= 0;
        if (tiled) {
            checkTiles();
        }
        checkData(tiled ? TILE_OFFSETS : STRIP_OFFSETS, tiled ? TILE_BYTE_COUNTS : STRIP_BYTE_COUNTS);
    }

    static TiffFile parse(ByteView file) {
        return new TiffFile(file);
    }

    private void checkEntry(int entry) {
        int type = u16(entry + 2);
        long count = u32(entry + 4);
        if (type == 0 || type >= SIZES.length) {
            throw file.damaged("has an entry of unknown type " + type + " in its TIFF directory, at byte " + entry);
        }
        long bytes = count * SIZES[type];
        if (bytes > 4) {
            file.need(u32(entry + 8), bytes, "the TIFF tag " + u16(entry) + " of " + count + " values");
        }
    }

    private void checkSamples() {
        long samples = value(SAMPLES_PER_PIXEL, 1);
        if (samples < 1 || samples > 16) {
            throw file.damaged("a TIFF picture must have 1 to 16 samples a pixel: " + samples);
        }
        int entry = find(BITS_PER_SAMPLE);
        for (int i = 0; entry >= 0 && i < count(entry); i++) {
            long bits = valueAt(entry, i);
            if (bits < 1 || bits > 64) {
                throw file.damaged("a TIFF picture must have 1 to 64 bits a sample: " + bits);
            }
        }
    }

    private void checkTiles() {
        long tileWidth = value(TILE_WIDTH, 0);
        long tileHeight = value(TILE_LENGTH, 0);
        // Tiles are multiples of 16, usually 256 or 512; the last ones hang over.
        if (tileWidth < 1
                || tileHeight < 1
                || tileWidth > Math.max(1024, 2L * width)
                || tileHeight > Math.max(1024, 2L * height)) {
            throw file.damaged("the tiles of a TIFF picture of " + width + "×" + height + " must fit it: tile width="
                    + tileWidth + ", height=" + tileHeight);
        }
    }

    private void checkData(int offsetsTag, int countsTag) {
        int offsets = find(offsetsTag);
        int counts = find(countsTag);
        if (offsets < 0 || counts < 0 || count(offsets) != count(counts) || count(offsets) == 0) {
            throw file.damaged("a TIFF picture must say where its strips or tiles are and how long: offsets="
                    + (offsets < 0 ? 0 : count(offsets)) + ", lengths=" + (counts < 0 ? 0 : count(counts)));
        }
        for (int i = 0; i < count(offsets); i++) {
            file.need(valueAt(offsets, i), valueAt(counts, i), "strip or tile " + i + " of a TIFF picture");
        }
    }

    private int entryAt(int index) {
        return directory + 2 + 12 * index;
    }

    /** Where the entry of a tag is, or −1. */
    private int find(int tag) {
        for (int i = 0; i < entries; i++) {
            if (u16(entryAt(i)) == tag) {
                return entryAt(i);
            }
        }
        return -1;
    }

    private long count(int entry) {
        return u32(entry + 4);
    }

    private long value(int tag, long otherwise) {
        int entry = find(tag);
        return entry < 0 || count(entry) == 0 ? otherwise : valueAt(entry, 0);
    }

    private long valueAt(int entry, int index) {
        int type = u16(entry + 2);
        int size = SIZES[type];
        int at = (count(entry) * size > 4 ? (int) u32(entry + 8) : entry + 8) + index * size;
        return switch (type) {
            case BYTE -> file.u8(at);
            case SHORT -> u16(at);
            case LONG -> u32(at);
            default ->
                throw file.damaged("the TIFF tag " + u16(entry) + " must hold whole numbers, but has type " + type);
        };
    }

    private int u16(int at) {
        return little ? file.u16le(at) : file.u16(at);
    }

    private long u32(int at) {
        return little ? file.u32le(at) : file.u32(at);
    }

    @Override
    public ImageHeader header() {
        boolean palette = value(PHOTOMETRIC, 0) == RGB_PALETTE;
        int samples = palette ? 3 : (int) Math.min(4, value(SAMPLES_PER_PIXEL, 1));
        return new ImageHeader(
                ImageFormat.TIFF,
                width,
                height,
                samples,
                (int) value(BITS_PER_SAMPLE, 1),
                1,
                ExifOrientation.checked((int) value(ORIENTATION, ExifOrientation.UPRIGHT)),
                find(ICC_PROFILE) >= 0);
    }

    @Override
    public byte[] profile() {
        int entry = find(ICC_PROFILE);
        if (entry < 0 || count(entry) > ImageLimits.MAX_PROFILE_BYTES || !file.has(u32(entry + 8), count(entry))) {
            return null;
        }
        return file.copy((int) u32(entry + 8), (int) count(entry));
    }

    /** The file with a directory of only the tags that describe pixels, and no other directory: no chain, no loop. */
    @Override
    public byte[] pixelsOnly() {
        byte[] bytes = file.copy(0, file.length());
        ByteBuffer out = ByteBuffer.wrap(bytes).order(little ? ByteOrder.LITTLE_ENDIAN : ByteOrder.BIG_ENDIAN);
        int at = directory + 2;
        int keptEntries = 0;
        for (int i = 0; i < entries; i++) {
            if (describesPixels(u16(entryAt(i)))) {
                System.arraycopy(file.array(), entryAt(i), bytes, at, 12);
                at += 12;
                keptEntries++;
            }
        }
        out.putShort(directory, (short) keptEntries);
        out.putInt(at, 0);
        return bytes;
    }

    private static boolean describesPixels(int tag) {
        return switch (tag) {
            case IMAGE_WIDTH,
                    IMAGE_LENGTH,
                    BITS_PER_SAMPLE,
                    COMPRESSION,
                    PHOTOMETRIC,
                    STRIP_OFFSETS,
                    SAMPLES_PER_PIXEL,
                    STRIP_BYTE_COUNTS,
                    TILE_WIDTH,
                    TILE_LENGTH,
                    TILE_OFFSETS,
                    TILE_BYTE_COUNTS,
                    EXTRA_SAMPLES -> true;
            // FillOrder, RowsPerStrip, PlanarConfiguration, fax options, Predictor, ColorMap, InkSet, SampleFormat,
            // JPEG tables, YCbCr.
            case 266, 278, 284, 292, 293, 317, 320, 332, 334, 339, 347 -> true;
            case 512, 513, 514, 515, 517, 518, 519, 520, 521, 529, 530, 531, 532 -> true;
            default -> false;
        };
    }
}
