package tenon.engine.nativelib;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;
import java.util.function.Function;
import tenon.engine.TenonException;

/**
 * Chooses the folder into which JavaCPP unpacks native libraries. Tried in order: the property {@value #PROPERTY}, the environment variable
 * {@value #VARIABLE}, {@code ~/.javacpp/cache} (JavaCPP's own default), {@code $XDG_CACHE_HOME/tenon}, the system's temporary folder, {@code /var/tmp},
 * {@code /dev/shm} and the working directory. A folder qualifies if files can be written to it and its file system is not mounted {@code noexec}.
 * A folder named by the user is never replaced silently.
 */
public final class NativeDirectory {
    public static final String PROPERTY = "tenon.native.dir";
    public static final String VARIABLE = "TENON_NATIVE_DIR";
    private static final String JAVACPP_PROPERTY = "org.bytedeco.javacpp.cachedir";
    private static final String JAVACPP_MEMORY_CHECK = "org.bytedeco.javacpp.maxphysicalbytes";
    private static final Path MOUNTS = Path.of("/proc/self/mounts");

    private NativeDirectory() {}

    /** Sets JavaCPP's properties; must run before the first class of {@code org.bytedeco} loads. Does nothing the second time. */
    public static synchronized void prepare() {
        if (System.getProperty(JAVACPP_MEMORY_CHECK) == null) {
            System.setProperty(JAVACPP_MEMORY_CHECK, "0");
        }
        if (System.getProperty(JAVACPP_PROPERTY) == null) {
            System.setProperty(
                    JAVACPP_PROPERTY,
                    choose(System::getProperty, System::getenv, readMounts()).toString());
        }
    }

    /** The folder that native libraries are unpacked to, also those of other loaders than JavaCPP's. */
    public static Path folder() {
        prepare();
        return Path.of(System.getProperty(JAVACPP_PROPERTY));
    }

    /**
     * The folder to use.
     *
     * @param mounts contents of {@code /proc/self/mounts}, empty where there is none
     * @throws TenonException when no folder qualifies; names those tried and why each was refused
     */
    static Path choose(Function<String, String> property, Function<String, String> variable, String mounts) {
        String named = property.apply(PROPERTY);
        if (named == null) {
            named = variable.apply(VARIABLE);
        }
        Set<Path> candidates = named != null ? Set.of(Path.of(named)) : defaults(property, variable);
        List<String> refused = new ArrayList<>();
        for (Path candidate : candidates) {
            String reason = refusal(candidate, mounts);
            if (reason == null) {
                return candidate;
            }
            refused.add(candidate + " (" + reason + ")");
        }
        throw new TenonException(
                "native libraries: a folder is needed that can be written to and is not mounted noexec: tried="
                        + String.join(", ", refused) + " (name one with -D" + PROPERTY + "=FOLDER or " + VARIABLE
                        + ")");
    }

    private static Set<Path> defaults(Function<String, String> property, Function<String, String> variable) {
        Set<Path> candidates = new LinkedHashSet<>();
        String home = property.apply("user.home");
        if (home != null) {
            candidates.add(Path.of(home, ".javacpp", "cache"));
        }
        String cacheHome = variable.apply("XDG_CACHE_HOME");
        if (cacheHome != null) {
            candidates.add(Path.of(cacheHome, "tenon"));
        }
        // One folder per user: another user's copies could not be replaced, and should not be trusted.
        String folder = "tenon-native-" + property.apply("user.name");
        String temporary = property.apply("java.io.tmpdir");
        if (temporary != null) {
            candidates.add(Path.of(temporary, folder));
        }
        candidates.add(Path.of("/var/tmp", folder));
        candidates.add(Path.of("/dev/shm", folder));
        candidates.add(Path.of(".", ".tenon-native").toAbsolutePath().normalize());
        return candidates;
    }

    /** Why the folder cannot be used, or null. Creates it. */
    private static String refusal(Path folder, String mounts) {
        try {
            Files.createDirectories(folder);
            Path probe = Files.createTempFile(folder, "probe", null);
            Files.delete(probe);
        } catch (IOException | SecurityException e) {
            return "not writable: " + e;
        }
        try {
            return isNoexec(folder.toRealPath(), mounts) ? "mounted noexec" : null;
        } catch (IOException e) {
            return "not readable: " + e;
        }
    }

    /** Whether the file system that holds the (real, absolute) path is mounted {@code noexec}: the longest mount point decides. */
    static boolean isNoexec(Path path, String mounts) {
        boolean noexec = false;
        int longest = -1;
        for (String line : mounts.split("\n")) {
            String[] fields = line.split(" ");
            if (fields.length < 4) {
                continue;
            }
            Path point = Path.of(unescape(fields[1]));
            // Of equal mount points the later one covers the earlier.
            if (path.startsWith(point) && point.getNameCount() >= longest) {
                longest = point.getNameCount();
                noexec = List.of(fields[3].split(",")).contains("noexec");
            }
        }
        return noexec;
    }

    /** Blanks in mount points are written as octal escapes: {@code \040}. */
    private static String unescape(String field) {
        StringBuilder out = new StringBuilder();
        for (int i = 0; i < field.length(); i++) {
            char c = field.charAt(i);
            if (c == '\\' && i + 3 < field.length()) {
                out.append((char) Integer.parseInt(field.substring(i + 1, i + 4), 8));
                i += 3;
            } else {
                out.append(c);
            }
        }
        return out.toString();
    }

    private static String readMounts() {
        try {
            return Files.isReadable(MOUNTS) ? Files.readString(MOUNTS) : "";
        } catch (IOException _) {
            return "";
        }
    }
}
