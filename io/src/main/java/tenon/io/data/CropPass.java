package tenon.io.data;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.Arrays;
import tenon.engine.DType;

/**
 * Writes the window of an image into a batch: crop, mirror, normalize and cast in one pass, a row at a time, so that everything between the decoded
 * bytes and the batch stays in the first-level cache. Of a batch of bytes, all but the crop is left to the device. Confined to a thread.
 */
final class CropPass {
    private final int channels;
    /** Null for bytes. */
    private final RowLoops loops;

    private byte[] row = new byte[0];
    private byte[] mirror = new byte[0];

    /** @param dtype F32 or BF16, or U8 for bytes, neither mirrored nor normalized */
    CropPass(Normalization normalization, int channels, DType dtype) {
        this.channels = channels;
        loops = dtype == DType.U8 ? null : RowLoops.best(normalization, channels, dtype);
    }

    /** Writes window.height·width·channels values to {@code out}, from byte {@code at} on. */
    void write(SamplePixels pixels, CropWindow window, MemorySegment out, long at) {
        int width = window.width();
        int size = width * channels;
        resize(size);
        int inside = window.endColumn() - window.firstColumn();
        int before = Math.min(width, window.firstColumn() - window.left());
        for (int y = 0; y < window.height(); y++) {
            int from = window.top() + y;
            byte[] source = row;
            if (inside == 0 || from < window.firstRow() || from >= window.endRow()) {
                Arrays.fill(row, 0, size, (byte) 0);
            } else {
                Arrays.fill(row, 0, before * channels, (byte) 0);
                pixels.copyRow(from, window.firstColumn(), inside, row, before * channels);
                Arrays.fill(row, (before + inside) * channels, size, (byte) 0);
                if (window.mirrored() && loops != null) {
                    loops.mirror(row, mirror, width);
                    source = mirror;
                }
            }
            if (loops == null) {
                MemorySegment.copy(source, 0, out, ValueLayout.JAVA_BYTE, at + (long) y * size, size);
            } else {
                loops.write(source, size, out, at + (long) y * size * loops.byteSize());
            }
        }
    }

    /** Writes the whole image as floats. */
    void write(SamplePixels pixels, float[] out) {
        int size = pixels.width() * channels;
        resize(size);
        for (int y = 0; y < pixels.height(); y++) {
            pixels.copyRow(y, 0, pixels.width(), row, 0);
            loops.toFloats(row, 0, size, out, y * size);
        }
    }

    private void resize(int size) {
        int wanted = size + (loops == null ? 0 : loops.padding());
        if (row.length < wanted) {
            row = new byte[wanted];
            mirror = new byte[loops == null ? 0 : wanted];
        }
    }
}
