package tenon.io.data;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import tenon.engine.DType;

/**
 * Turns rows of bytes into rows of a batch, normalized, as F32 or BF16. A pixel has 256 values, so normalization and cast are a table per channel.
 * Plain loops; {@link VectorRowLoops} gives the same bits. Confined to a thread.
 */
class RowLoops {
    final int channels;
    final boolean bf16;
    final float[] table;
    private final short[] bf16Table;
    private float[] line = new float[0];
    private short[] bf16Line = new short[0];

    /** @param dtype F32 or BF16 */
    RowLoops(Normalization normalization, int channels, DType dtype) {
        this.channels = channels;
        bf16 = dtype == DType.BF16;
        table = normalization.table(channels);
        bf16Table = new short[bf16 ? table.length : 0];
        for (int i = 0; i < bf16Table.length; i++) {
            bf16Table[i] = DType.floatToBf16(table[i]);
        }
    }

    /** The fastest that this machine and this normalization allow. */
    static RowLoops best(Normalization normalization, int channels, DType dtype) {
        if (VectorRowLoops.areUsed()) {
            VectorRowLoops vector = new VectorRowLoops(normalization, channels, dtype);
            if (vector.isExact()) {
                return vector;
            }
        }
        return new RowLoops(normalization, channels, dtype);
    }

    int byteSize() {
        return bf16 ? Short.BYTES : Float.BYTES;
    }

    /** Bytes that {@link #write} and {@link #mirror} may touch behind a row. */
    int padding() {
        return 0;
    }

    /** Writes the row's {@code size} values to {@code out}, from byte {@code at} on. */
    void write(byte[] row, int size, MemorySegment out, long at) {
        write(row, 0, size, out, at);
    }

    /** Writes values [from, size), where {@code from} is a multiple of the channels' count. */
    final void write(byte[] row, int from, int size, MemorySegment out, long at) {
        if (bf16) {
            bf16Line = bf16Line.length < size ? new short[size] : bf16Line;
            toBf16(row, from, size);
            MemorySegment.copy(bf16Line, from, out, ValueLayout.JAVA_SHORT, at + 2L * from, size - from);
        } else {
            line = line.length < size ? new float[size] : line;
            toFloats(row, from, size, line, 0);
            MemorySegment.copy(line, from, out, ValueLayout.JAVA_FLOAT, at + 4L * from, size - from);
        }
    }

    /** Writes value i to {@code out[at + i]}, unrounded. */
    final void toFloats(byte[] row, int from, int size, float[] out, int at) {
        if (channels == 3) {
            for (int i = from, o = at + from; i < size; i += 3, o += 3) {
                out[o] = table[row[i] & 0xFF];
                out[o + 1] = table[256 + (row[i + 1] & 0xFF)];
                out[o + 2] = table[512 + (row[i + 2] & 0xFF)];
            }
            return;
        }
        for (int i = from; i < size; i += channels) {
            for (int c = 0; c < channels; c++) {
                out[at + i + c] = table[c << 8 | row[i + c] & 0xFF];
            }
        }
    }

    private void toBf16(byte[] row, int from, int size) {
        for (int i = from; i < size; i += channels) {
            for (int c = 0; c < channels; c++) {
                bf16Line[i + c] = bf16Table[c << 8 | row[i + c] & 0xFF];
            }
        }
    }

    /** Copies {@code width} pixels in the opposite order. */
    void mirror(byte[] from, byte[] to, int width) {
        mirror(from, to, 0, width);
    }

    /** Writes pixels [firstX, width). */
    final void mirror(byte[] from, byte[] to, int firstX, int width) {
        if (channels == 3) {
            for (int o = 3 * firstX, i = 3 * (width - 1 - firstX); i >= 0; o += 3, i -= 3) {
                to[o] = from[i];
                to[o + 1] = from[i + 1];
                to[o + 2] = from[i + 2];
            }
            return;
        }
        for (int x = firstX; x < width; x++) {
            int o = x * channels;
            int i = (width - 1 - x) * channels;
            for (int c = 0; c < channels; c++) {
                to[o + c] = from[i + c];
            }
        }
    }
}
