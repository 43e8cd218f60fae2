package tenon.engine.backend.cpu;

import java.lang.foreign.MemorySegment;

/** Copies between matrices of different widths. Plain loops; {@link VectorChannelLoops} gives the same bits. */
class ChannelLoops {
    static ChannelLoops best() {
        return VectorApi.isUsed() ? new VectorChannelLoops() : new ChannelLoops();
    }

    /** Copies {@code count} bytes of the rows [from, to); strides between rows and offsets in them are in bytes too. */
    void copy(
            MemorySegment in,
            long inStride,
            long inOffset,
            MemorySegment out,
            long outStride,
            long outOffset,
            long count,
            long from,
            long to) {
        for (long r = from; r < to; r++) {
            MemorySegment.copy(in, r * inStride + inOffset, out, r * outStride + outOffset, count);
        }
    }
}
