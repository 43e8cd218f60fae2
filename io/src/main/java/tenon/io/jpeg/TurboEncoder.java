package tenon.io.jpeg;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import tenon.io.image.Image;
import tenon.io.image.ImageException;

/** Encodes with libjpeg-turbo what {@code ImageCodec.encodeJpeg} would: baseline, 4:2:0. One thread at a time. */
final class TurboEncoder implements AutoCloseable {
    // Values of turbojpeg.h.
    private static final int RGB = 0;
    private static final int GREY = 6;
    private static final int SUBSAMPLED_420 = 2;
    private static final int NO_CHROMA = 3;
    /** The exact DCT, into memory that is not to be reallocated. */
    private static final int FLAGS = 4096 | 1024;

    private final MemorySegment handle = TurboLibrary.openCompressor();
    private final NativeCopy pixels = new NativeCopy();
    private final NativeCopy file = new NativeCopy();
    private final Arena arena = Arena.ofShared();
    private final MemorySegment pointer = arena.allocate(ValueLayout.ADDRESS);
    private final MemorySegment length = arena.allocate(ValueLayout.JAVA_LONG);

    byte[] encode(Image image, int quality) {
        boolean grey = image.channels() == 1;
        int subsampling = grey ? NO_CHROMA : SUBSAMPLED_420;
        MemorySegment from = pixels.of(image.pixels(), image.pixels().length);
        MemorySegment to = file.resize(TurboLibrary.largestFile(image.width(), image.height(), subsampling));
        pointer.set(ValueLayout.ADDRESS, 0, to);
        length.set(ValueLayout.JAVA_LONG, 0, to.byteSize());
        int status = TurboLibrary.compress(
                handle,
                from,
                image.width(),
                image.height(),
                grey ? GREY : RGB,
                pointer,
                length,
                subsampling,
                quality,
                FLAGS);
        if (status != 0) {
            throw new ImageException("image: cannot be encoded as JPEG: libjpeg-turbo: " + TurboLibrary.error(handle));
        }
        return to.asSlice(0, length.get(ValueLayout.JAVA_LONG, 0)).toArray(ValueLayout.JAVA_BYTE);
    }

    @Override
    public void close() {
        TurboLibrary.destroy(handle);
        pixels.close();
        file.close();
        arena.close();
    }
}
