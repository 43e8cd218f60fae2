package tenon.io.data;

import java.lang.foreign.MemorySegment;
import java.util.Arrays;
import tenon.engine.DType;

/**
 * Writes the window of an image into a batch: crop, mirror, normalize and cast in one pass, a row at a time, so that everything between the decoded
 * bytes and the batch stays in the first-level cache. Confined to a thread.
 */
final class CropPass {
    private final int channels;
    private final RowLoops loops;
    private byte[] row = new byte[0];
    private byte[] mirror = new byte[0];

    CropPass(Normalization normalization, int channels, DType dtype) {
        this.channels = channels;
        loops = RowLoops.best(normalization, channels, dtype);
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
                if (window.mirrored()) {
                    loops.mirror(row, mirror, width);
                    source = mirror;
                }
            }
            loops.write(source, size, out, at + (long) y * size * loops.byteSize());
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
        if (row.length < size + loops.padding()) {
            row = new byte[size + loops.padding()];
            mirror = new byte[size + loops.padding()];
        }
    }
}
