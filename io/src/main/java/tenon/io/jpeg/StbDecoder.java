package tenon.io.jpeg;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.Optional;
import org.lwjgl.Version;
import org.lwjgl.stb.STBImage;
import org.lwjgl.system.Configuration;
import tenon.engine.TenonException;
import tenon.engine.nativelib.NativeDirectory;

/** Decodes with stb_image, through LWJGL. */
final class StbDecoder implements JpegDecoder {
    /** stb says where the pixels are by address; a segment made from it would be an object per image. */
    @SuppressWarnings("restricted")
    private static final MemorySegment ALL_MEMORY = MemorySegment.NULL.reinterpret(Long.MAX_VALUE);

    private final Arena arena = Arena.ofShared();
    private final NativeCopy copy = new NativeCopy();
    /** Width, height and components, written by stb. */
    private final MemorySegment size = arena.allocate(3 * Integer.BYTES, Integer.BYTES);

    private long pixels;
    private long stride;

    static Optional<String> problem() {
        return Library.PROBLEM;
    }

    static String version() {
        return "stb_image of LWJGL " + Version.VERSION_MAJOR + "." + Version.VERSION_MINOR + "."
                + Version.VERSION_REVISION;
    }

    /** Loads the library when it is first asked for. */
    private static final class Library {
        static final Optional<String> PROBLEM = load();

        private static Optional<String> load() {
            try {
                if (Configuration.SHARED_LIBRARY_EXTRACT_PATH.get() == null) {
                    Configuration.SHARED_LIBRARY_EXTRACT_PATH.set(
                            NativeDirectory.folder().resolve("lwjgl").toString());
                }
                STBImage.stbi_failure_reason();
                return Optional.empty();
            } catch (LinkageError | TenonException e) {
                return Optional.of("LWJGL's stb does not load: " + e.getMessage());
            }
        }
    }

    @Override
    public boolean decode(byte[] file, int length, JpegHeader header, int channels, Region region) {
        free();
        MemorySegment from = copy.of(file, length);
        int rows = header.rowsFor(region.bottom());
        header.cut(from, rows);
        pixels = STBImage.nstbi_load_from_memory(
                from.address(), length, size.address(), size.address() + 4, size.address() + 8, channels);
        stride = (long) header.width() * channels;
        return pixels != 0
                && size.getAtIndex(ValueLayout.JAVA_INT, 0) == header.width()
                && size.getAtIndex(ValueLayout.JAVA_INT, 1) == rows;
    }

    @Override
    public MemorySegment memory() {
        return ALL_MEMORY;
    }

    @Override
    public long offset() {
        return pixels;
    }

    @Override
    public long stride() {
        return stride;
    }

    @Override
    public String complaint() {
        return pixels != 0 ? "stb_image found another size" : "stb_image: " + STBImage.stbi_failure_reason();
    }

    private void free() {
        if (pixels != 0) {
            STBImage.nstbi_image_free(pixels);
            pixels = 0;
        }
    }

    @Override
    public void close() {
        free();
        copy.close();
        arena.close();
    }
}
