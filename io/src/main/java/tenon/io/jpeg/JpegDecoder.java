package tenon.io.jpeg;

import java.lang.foreign.MemorySegment;

/**
 * Decodes JPEG files from memory, one after the other, into memory of its own that grows to the largest image; nothing else is allocated. One
 * thread at a time.
 */
public interface JpegDecoder extends AutoCloseable {
    /**
     * Decodes the file that {@code header} was read from. The native code sees a copy.
     *
     * @param channels 3 for R, G, B or 1 for grey (the luma of a colour file)
     * @param region not empty and inside the picture; pixels outside of it may be left undefined
     * @return whether it was decoded without complaint; if not, {@link #complaint} says why
     */
    boolean decode(byte[] file, int length, JpegHeader header, int channels, Region region);

    /** Memory that holds the region's pixels until the next call: pixel (y, x) at byte {@link #offset} + y·{@link #stride} + x·channels. */
    MemorySegment memory();

    /** Where pixel (0, 0) is, or would be. */
    long offset();

    long stride();

    /** Why the last file was refused. */
    String complaint();

    @Override
    void close();
}
