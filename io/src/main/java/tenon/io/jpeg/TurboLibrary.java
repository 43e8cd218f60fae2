package tenon.io.jpeg;

import java.io.IOException;
import java.lang.foreign.AddressLayout;
import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemoryLayout;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.SymbolLookup;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.MethodHandle;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import tenon.engine.TenonException;

/**
 * libjpeg-turbo's TurboJPEG library, loaded when it is first asked for: the one that {@value #PATH_PROPERTY} names, or the system's. Its functions are
 * those of version 2, which later ones still have, and where they are there those of version 3 that crop.
 */
@SuppressWarnings("restricted")
final class TurboLibrary {
    static final String PATH_PROPERTY = "tenon.turbojpeg";

    private static final Logger LOG = LoggerFactory.getLogger(TurboLibrary.class);

    private static final String HOW_TO = "install it (Debian, Ubuntu: apt-get install libturbojpeg0; Fedora: turbojpeg;"
            + " macOS: brew install jpeg-turbo), or name the library with -D" + PATH_PROPERTY + "=FILE";

    /** A parameter's number in turbojpeg.h. */
    private static final int STOP_ON_WARNING = 0;

    private static final ValueLayout.OfInt INT = ValueLayout.JAVA_INT;
    private static final AddressLayout POINTER = ValueLayout.ADDRESS;
    /** C's unsigned long; Windows' has 32 bits, and ignores the rest of the register. */
    private static final ValueLayout.OfLong SIZE = ValueLayout.JAVA_LONG;

    /** To read the library's messages by their address. */
    private static final MemorySegment ALL_MEMORY = MemorySegment.NULL.reinterpret(Long.MAX_VALUE);

    /** Older versions lack the last one. */
    private static final List<String> NEEDED = List.of(
            "tjInitDecompress",
            "tjDecompress2",
            "tjInitCompress",
            "tjBufSize",
            "tjCompress2",
            "tjDestroy",
            "tjGetErrorStr2");

    private static final String NOT_FOUND;
    private static final SymbolLookup LIBRARY;
    private static final String NAME;

    static {
        SymbolLookup found = null;
        String name = null;
        String problem = "";
        for (String candidate : candidates()) {
            try {
                found = SymbolLookup.libraryLookup(candidate, Arena.global());
                name = candidate;
                break;
            } catch (IllegalArgumentException e) {
                problem = e.getMessage();
            }
        }
        if (found != null && missing(found).isPresent()) {
            problem = name + " has no function " + missing(found).get() + ", as version 2.0 and later have";
            found = null;
        }
        LIBRARY = found;
        NAME = name;
        NOT_FOUND = found != null ? null : "there is no TurboJPEG library (" + problem + "): " + HOW_TO;
    }

    /** A function that a library would have to have. */
    static Optional<String> missing(SymbolLookup library) {
        return NEEDED.stream().filter(name -> library.find(name).isEmpty()).findFirst();
    }

    private static List<String> candidates() {
        String named = System.getProperty(PATH_PROPERTY);
        if (named != null) {
            return List.of(named);
        }
        String os = System.getProperty("os.name").toLowerCase(Locale.ROOT);
        if (os.contains("mac")) {
            return List.of(
                    "libturbojpeg.dylib",
                    "/opt/homebrew/opt/jpeg-turbo/lib/libturbojpeg.dylib",
                    "/usr/local/opt/jpeg-turbo/lib/libturbojpeg.dylib");
        }
        return os.contains("windows")
                ? List.of("turbojpeg.dll", "C:\\libjpeg-turbo64\\bin\\turbojpeg.dll")
                : List.of("libturbojpeg.so.0", "libturbojpeg.so");
    }

    private static final MemoryLayout REGION = MemoryLayout.structLayout(INT, INT, INT, INT);

    /** Whether the library can leave out what lies beside a region: version 3.0 and later. */
    static final boolean CROPS =
            LIBRARY != null && LIBRARY.find("tj3SetCroppingRegion").isPresent();

    private static final MethodHandle READ_HEADER =
            newer("tj3DecompressHeader", FunctionDescriptor.of(INT, POINTER, POINTER, SIZE));
    private static final MethodHandle CROP = newer("tj3SetCroppingRegion", FunctionDescriptor.of(INT, POINTER, REGION));
    private static final MethodHandle DECOMPRESS_CROPPED =
            newer("tj3Decompress8", FunctionDescriptor.of(INT, POINTER, POINTER, SIZE, POINTER, INT, INT));
    private static final MethodHandle SET = newer("tj3Set", FunctionDescriptor.of(INT, POINTER, INT, INT));
    private static final MethodHandle INIT = function("tjInitDecompress", FunctionDescriptor.of(POINTER));
    private static final MethodHandle DESTROY = function("tjDestroy", FunctionDescriptor.of(INT, POINTER));
    private static final MethodHandle DECOMPRESS = function(
            "tjDecompress2", FunctionDescriptor.of(INT, POINTER, POINTER, SIZE, POINTER, INT, INT, INT, INT, INT));
    private static final MethodHandle INIT_COMPRESS = function("tjInitCompress", FunctionDescriptor.of(POINTER));
    private static final MethodHandle LARGEST = function("tjBufSize", FunctionDescriptor.of(SIZE, INT, INT, INT));
    private static final MethodHandle COMPRESS = function(
            "tjCompress2",
            FunctionDescriptor.of(INT, POINTER, POINTER, INT, INT, INT, INT, POINTER, POINTER, INT, INT, INT));
    private static final MethodHandle ERROR =
            function("tjGetErrorStr2", FunctionDescriptor.of(ValueLayout.JAVA_LONG, POINTER));

    /** What the library's file says of itself; no function tells. */
    private static final Pattern VERSION_TEXT = Pattern.compile("libjpeg-turbo version ([\\x20-\\x7E]{1,60})");

    private TurboLibrary() {}

    private static MethodHandle function(String name, FunctionDescriptor type) {
        return LIBRARY == null ? null : Linker.nativeLinker().downcallHandle(LIBRARY.findOrThrow(name), type);
    }

    private static MethodHandle newer(String name, FunctionDescriptor type) {
        return CROPS ? function(name, type) : null;
    }

    static Optional<String> problem() {
        return Optional.ofNullable(NOT_FOUND);
    }

    /** e.g. {@code libjpeg-turbo 2.1.5 (build 20230203)}; without a number where the library's file cannot be found. */
    static String version() {
        return Version.TEXT;
    }

    /** Found when it is first asked for. */
    private static final class Version {
        static final String TEXT = find();

        private static String find() {
            try {
                Matcher matcher = VERSION_TEXT.matcher(Files.readString(file(), StandardCharsets.ISO_8859_1));
                if (matcher.find()) {
                    return "libjpeg-turbo " + matcher.group(1);
                }
            } catch (IOException e) {
                LOG.debug("no version of {}", NAME, e);
            }
            return "libjpeg-turbo (" + NAME + ")";
        }

        /** The file that was loaded, as Linux knows it; elsewhere the name may be a path. */
        private static Path file() throws IOException {
            Path maps = Path.of("/proc/self/maps");
            if (!Files.isReadable(maps)) {
                return Path.of(NAME);
            }
            String part = Path.of(NAME).getFileName().toString();
            return Files.readString(maps)
                    .lines()
                    .filter(line -> line.contains("/" + part))
                    .map(line -> Path.of(line.substring(line.indexOf('/'))))
                    .findFirst()
                    .orElse(Path.of(NAME));
        }
    }

    /** A decompressor; {@link #destroy} it. */
    static MemorySegment open() {
        try {
            MemorySegment handle = (MemorySegment) INIT.invokeExact();
            if (handle.equals(MemorySegment.NULL)) {
                throw new TenonException(NAME + ": cannot make a decompressor: " + error(handle));
            }
            if (CROPS) {
                // A damaged file is an error; the inverse DCT is exact unless said otherwise.
                int _ = (int) SET.invokeExact(handle, STOP_ON_WARNING, 1);
            }
            return handle;
        } catch (Throwable e) {
            throw unchecked(e);
        }
    }

    /** A compressor; {@link #destroy} it. */
    static MemorySegment openCompressor() {
        try {
            MemorySegment handle = (MemorySegment) INIT_COMPRESS.invokeExact();
            if (handle.equals(MemorySegment.NULL)) {
                throw new TenonException(NAME + ": cannot make a compressor: " + error(handle));
            }
            return handle;
        } catch (Throwable e) {
            throw unchecked(e);
        }
    }

    /** Bytes that a file of this size can have at most. */
    static long largestFile(int width, int height, int subsampling) {
        try {
            return (long) LARGEST.invokeExact(width, height, subsampling);
        } catch (Throwable e) {
            throw unchecked(e);
        }
    }

    /**
     * Writes a file to the memory that {@code file} points to.
     *
     * @param length bytes of that memory; then of the file
     * @return 0 or −1
     */
    static int compress(
            MemorySegment handle,
            MemorySegment pixels,
            int width,
            int height,
            int format,
            MemorySegment file,
            MemorySegment length,
            int subsampling,
            int quality,
            int flags) {
        try {
            return (int) COMPRESS.invokeExact(
                    handle, pixels, width, 0, height, format, file, length, subsampling, quality, flags);
        } catch (Throwable e) {
            throw unchecked(e);
        }
    }

    static void destroy(MemorySegment handle) {
        try {
            int _ = (int) DESTROY.invokeExact(handle);
        } catch (Throwable e) {
            throw unchecked(e);
        }
    }

    /** @return 0, or −1 on an error or a warning, when {@link #error} says which */
    static int decompress(
            MemorySegment handle,
            MemorySegment file,
            long length,
            MemorySegment pixels,
            int width,
            int height,
            int format,
            int flags) {
        try {
            return (int) DECOMPRESS.invokeExact(handle, file, length, pixels, width, 0, height, format, flags);
        } catch (Throwable e) {
            throw unchecked(e);
        }
    }

    /** Needed before {@link #crop}; 0 or −1. */
    static int readHeader(MemorySegment handle, MemorySegment file, long length) {
        try {
            return (int) READ_HEADER.invokeExact(handle, file, length);
        } catch (Throwable e) {
            throw unchecked(e);
        }
    }

    /** @param region x, a multiple of the coded blocks' width, y, width, height */
    static int crop(MemorySegment handle, MemorySegment region) {
        try {
            return (int) CROP.invokeExact(handle, region);
        } catch (Throwable e) {
            throw unchecked(e);
        }
    }

    /** Decodes the region alone, its rows without gaps; 0 or −1. */
    static int decompressCropped(
            MemorySegment handle, MemorySegment file, long length, MemorySegment pixels, int format) {
        try {
            return (int) DECOMPRESS_CROPPED.invokeExact(handle, file, length, pixels, 0, format);
        } catch (Throwable e) {
            throw unchecked(e);
        }
    }

    /** What the last call complained about. */
    static String error(MemorySegment handle) {
        return ALL_MEMORY.getString(errorAddress(handle));
    }

    /** Whether the last complaint ends so; allocates nothing. */
    static boolean errorEndsWith(MemorySegment handle, String end) {
        long address = errorAddress(handle);
        long last = address;
        while (ALL_MEMORY.get(ValueLayout.JAVA_BYTE, last) != 0) {
            last++;
        }
        boolean equal = last - address >= end.length();
        for (int i = 0; equal && i < end.length(); i++) {
            equal = ALL_MEMORY.get(ValueLayout.JAVA_BYTE, last - end.length() + i) == end.charAt(i);
        }
        return equal;
    }

    private static long errorAddress(MemorySegment handle) {
        try {
            return (long) ERROR.invokeExact(handle);
        } catch (Throwable e) {
            throw unchecked(e);
        }
    }

    /** The functions throw nothing: what comes is an error of the JVM. */
    private static RuntimeException unchecked(Throwable e) {
        if (e instanceof RuntimeException runtime) {
            return runtime;
        }
        if (e instanceof Error error) {
            throw error;
        }
        return new TenonException(NAME + ": " + e, e);
    }
}
