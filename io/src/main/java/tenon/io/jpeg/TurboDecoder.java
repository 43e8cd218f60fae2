package tenon.io.jpeg;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;

/**
 * Decodes with libjpeg-turbo. From version 3 on it can leave out columns beside the region and the arithmetic of rows above it; with version 2 everything
 * down to the region's end is decoded.
 */
final class TurboDecoder implements JpegDecoder {
    private static final int RGB = 0;
    private static final int GREY = 6;

    /** The exact inverse DCT; a damaged file is an error. Values of turbojpeg.h. */
    private static final int FLAGS = 4096 | 8192;

    private static final String REST_OF_FILE = "extraneous bytes before marker 0xd9";

    private final MemorySegment handle = TurboLibrary.open();
    private final NativeCopy copy = new NativeCopy();
    private final NativeCopy pixels = new NativeCopy();
    private final Arena arena = Arena.ofShared();
    /** x, y, width, height, as tjregion. */
    private final MemorySegment crop = arena.allocate(4 * Integer.BYTES, Integer.BYTES);

    private MemorySegment decoded = MemorySegment.NULL;
    private long offset;
    private long stride;

    @Override
    public boolean decode(byte[] file, int length, JpegHeader header, int channels, Region region) {
        MemorySegment from = copy.of(file, length);
        int rows = header.rowsFor(region.bottom());
        header.cut(from, rows);
        return TurboLibrary.CROPS
                ? decodeRegion(from, length, header, channels, region, rows)
                : decodeRows(from, length, header, channels, rows);
    }

    /** After the last row the library looks for the end of the file, and wonders at the rows that were cut off. */
    private boolean isComplete(int status, boolean cut) {
        return status == 0 || cut && TurboLibrary.errorEndsWith(handle, REST_OF_FILE);
    }

    private boolean decodeRows(MemorySegment from, int length, JpegHeader header, int channels, int rows) {
        offset = 0;
        stride = (long) header.width() * channels;
        decoded = pixels.resize(stride * rows);
        int status =
                TurboLibrary.decompress(handle, from, length, decoded, header.width(), rows, format(channels), FLAGS);
        return isComplete(status, rows < header.height());
    }

    /** One more column of blocks on either side, which the interpolation of colours looks at; to the left whole ones only. */
    private boolean decodeRegion(
            MemorySegment from, int length, JpegHeader header, int channels, Region region, int rows) {
        int mcu = header.mcuWidth();
        int left = Math.max(0, (region.left() / mcu - 1) * mcu);
        int right = Math.min(header.width(), region.right() + mcu);
        int bottom = Math.min(rows, region.bottom());
        if (TurboLibrary.readHeader(handle, from, length) != 0) {
            return false;
        }
        crop.setAtIndex(ValueLayout.JAVA_INT, 0, left);
        crop.setAtIndex(ValueLayout.JAVA_INT, 1, region.top());
        crop.setAtIndex(ValueLayout.JAVA_INT, 2, right - left);
        crop.setAtIndex(ValueLayout.JAVA_INT, 3, bottom - region.top());
        if (TurboLibrary.crop(handle, crop) != 0) {
            // Sampling factors without a name: such files are decoded whole.
            return decodeRows(from, length, header, channels, rows);
        }
        stride = (long) (right - left) * channels;
        offset = -region.top() * stride - (long) left * channels;
        decoded = pixels.resize(stride * (bottom - region.top()));
        int status = TurboLibrary.decompressCropped(handle, from, length, decoded, format(channels));
        return isComplete(status, rows < header.height());
    }

    private static int format(int channels) {
        return channels == 1 ? GREY : RGB;
    }

    @Override
    public MemorySegment memory() {
        return decoded;
    }

    @Override
    public long offset() {
        return offset;
    }

    @Override
    public long stride() {
        return stride;
    }

    @Override
    public String complaint() {
        return "libjpeg-turbo: " + TurboLibrary.error(handle);
    }

    @Override
    public void close() {
        TurboLibrary.destroy(handle);
        copy.close();
        pixels.close();
        arena.close();
    }
}
