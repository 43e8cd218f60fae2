package tenon.simulator;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.URI;
import java.net.URISyntaxException;
import java.net.URL;
import java.nio.channels.FileChannel;
import java.nio.channels.FileLock;
import java.nio.charset.StandardCharsets;
import java.nio.file.FileSystem;
import java.nio.file.FileSystems;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.concurrent.TimeUnit;
import java.util.function.Predicate;
import java.util.stream.Stream;

/**
 * The simulated CUDA libraries as files: built with {@code g++} when somebody first asks for them, and kept in a folder that is named by a hash of their
 * sources. Processes that ask at the same time build once.
 *
 * <p>The folder is {@code tenon-simulator-USER} in the system's folder for temporary files, or {@code -Dtenon.simulator.folder=…}.
 */
public final class SimulatedDevice {
    /** One shared library. With a {@code version}, its symbols carry that name, as JCuda's native libraries want it. */
    private record Library(String name, String sources, String version, List<String> options) {}

    private static final String DRIVER = "libcuda.so.1";

    private static final List<Library> LIBRARIES = List.of(
            new Library(DRIVER, "driver", null, List.of()),
            new Library("libnvrtc.so.12", "nvrtc", "libnvrtc.so.12", List.of("-DNVRTC_MAJOR=12")),
            new Library("libnvrtc.so.13", "nvrtc", "libnvrtc.so.13", List.of("-DNVRTC_MAJOR=13")),
            new Library("libcudnn.so.9", "cudnn", "libcudnn.so.9", fast()),
            new Library("libcublas.so.12", "cublas", "libcublas.so.12", fast("-DCUBLAS_MAJOR=12")),
            new Library("libcublas.so.13", "cublas", "libcublas.so.13", fast("-DCUBLAS_MAJOR=13")),
            new Library("libnccl.so.2", "nccl", null, List.of()));

    /** For this machine: the libraries are used where they are built. */
    private static List<String> fast(String... options) {
        return Stream.concat(Stream.of("-O3", "-march=native"), Stream.of(options))
                .toList();
    }

    private static final String COMPILER = "g++";

    /** No contraction into fused multiply-add: the sources say where one is. */
    private static final List<String> OPTIONS =
            List.of("-std=gnu++17", "-O2", "-fPIC", "-fvisibility=hidden", "-ffp-contract=off", "-Wall", "-Wextra");

    /** Linked into every kernel by the simulated NVRTC, which looks for it and for the headers beside itself. */
    private static final String KERNEL_RUNTIME = "kernel_runtime";

    private static Path built;

    private SimulatedDevice() {}

    /** Why the libraries cannot be built here; empty if they can. */
    public static Optional<String> why() {
        if (!System.getProperty("os.name").equals("Linux")) {
            return Optional.of("the simulated CUDA device is for Linux");
        }
        String path = System.getenv().getOrDefault("PATH", "");
        boolean found = Stream.of(path.split(":"))
                .filter(folder -> !folder.isEmpty())
                .anyMatch(folder -> Files.isExecutable(Path.of(folder, COMPILER)));
        return found
                ? Optional.empty()
                : Optional.of("no " + COMPILER + " on the path to build the simulated CUDA device with");
    }

    /**
     * The folder with all libraries of a machine with CUDA 12 and 13.
     *
     * @throws IllegalStateException if {@link #why()} says something, or if the compiler refuses the sources
     */
    public static synchronized Path folder() {
        why().ifPresent(reason -> {
            throw new IllegalStateException(reason);
        });
        if (built == null) {
            try {
                built = build();
            } catch (IOException e) {
                throw new UncheckedIOException(e);
            }
        }
        return built;
    }

    /** A folder as on a machine with CUDA 13 only: no library of version 12. */
    public static Path cuda13() {
        return folderWith("cuda13", name -> !name.endsWith(".so.12"));
    }

    /** A folder that lacks every library whose file name begins with the prefix, say {@code "libcudnn"}. */
    public static Path without(String prefix) {
        return folderWith("without-" + prefix, name -> !name.startsWith(prefix));
    }

    /** Links to the files of {@link #folder()}: a library that is loaded from both is loaded once. */
    private static Path folderWith(String name, Predicate<String> wanted) {
        Path all = folder();
        Path folder = all.resolveSibling(all.getFileName() + "-" + name);
        try {
            if (Files.isDirectory(folder)) {
                return folder;
            }
            Path unfinished = Files.createTempDirectory(all.getParent(), "unfinished");
            for (Path file : filesIn(all)) {
                String fileName = file.getFileName().toString();
                if (wanted.test(fileName)) {
                    Files.createSymbolicLink(unfinished.resolve(fileName), file);
                }
            }
            publish(unfinished, folder);
            return folder;
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    // ---- Building ----

    private static Path build() throws IOException {
        Map<String, byte[]> sources = sources();
        Path parent = parent();
        Files.createDirectories(parent);
        Path folder = parent.resolve(hash(sources, LIBRARIES));
        if (Files.isDirectory(folder)) {
            return folder;
        }
        try (FileChannel channel = FileChannel.open(
                        parent.resolve("build.lock"), StandardOpenOption.CREATE, StandardOpenOption.WRITE);
                FileLock _ = channel.lock()) {
            if (Files.isDirectory(folder)) {
                return folder;
            }
            Path unfinished = Files.createTempDirectory(parent, "unfinished");
            for (Map.Entry<String, byte[]> source : sources.entrySet()) {
                Files.write(unfinished.resolve(source.getKey()), source.getValue());
            }
            compileAll(unfinished, sources);
            for (Library library : LIBRARIES) {
                link(library, unfinished);
            }
            publish(unfinished, folder);
        }
        return folder;
    }

    private static Path parent() {
        String folder = System.getProperty("tenon.simulator.folder");
        return folder != null
                ? Path.of(folder).toAbsolutePath()
                : Path.of(System.getProperty("java.io.tmpdir"), "tenon-simulator-" + System.getProperty("user.name"));
    }

    private record Unit(String source, String object, List<String> options) {}

    private static void compileAll(Path folder, Map<String, byte[]> sources) throws IOException {
        List<Unit> units = new ArrayList<>();
        units.add(new Unit(KERNEL_RUNTIME + ".cpp", KERNEL_RUNTIME + ".o", List.of()));
        for (Library library : LIBRARIES) {
            sources.keySet().stream()
                    .filter(name -> name.startsWith(library.sources) && name.endsWith(".cpp"))
                    .map(name -> new Unit(name, name + "-" + library.name + ".o", library.options))
                    .forEach(units::add);
        }
        try {
            units.parallelStream().forEach(unit -> {
                try {
                    compile(unit, folder, sources);
                } catch (IOException e) {
                    throw new UncheckedIOException(e);
                }
            });
        } catch (UncheckedIOException e) {
            throw e.getCause();
        }
    }

    /** Compiles one source, unless an earlier build has: objects are kept by a hash of what they are made from. */
    private static void compile(Unit unit, Path folder, Map<String, byte[]> sources) throws IOException {
        Map<String, byte[]> read = new TreeMap<>();
        addWithIncludes(unit.source, sources, read);
        Path kept = folder.resolveSibling("objects").resolve(hash(read, unit.options) + ".o");
        if (!Files.exists(kept)) {
            List<String> arguments = new ArrayList<>(unit.options);
            arguments.addAll(List.of("-c", unit.source, "-o", unit.object));
            compile(folder, arguments);
            Files.createDirectories(kept.getParent());
            Path copy = Files.copy(
                    folder.resolve(unit.object), kept.resolveSibling(folder.getFileName() + "-" + unit.object));
            Files.move(copy, kept, StandardCopyOption.ATOMIC_MOVE);
            return;
        }
        Files.copy(kept, folder.resolve(unit.object));
    }

    private static void addWithIncludes(String name, Map<String, byte[]> sources, Map<String, byte[]> to) {
        byte[] content = sources.get(name);
        if (content == null || to.put(name, content) != null) {
            return;
        }
        new String(content, StandardCharsets.UTF_8)
                .lines()
                .filter(line -> line.startsWith("#include \""))
                .forEach(line -> addWithIncludes(line.split("\"")[1], sources, to));
    }

    private static void link(Library library, Path folder) throws IOException {
        List<String> arguments = new ArrayList<>();
        for (Path file : filesIn(folder)) {
            String name = file.getFileName().toString();
            if (name.endsWith("-" + library.name + ".o")) {
                arguments.add(name);
            }
        }
        if (arguments.isEmpty()) {
            return;
        }
        arguments.addAll(List.of("-shared", "-o", library.name, "-Wl,-soname," + library.name));
        if (library.version != null) {
            Files.writeString(folder.resolve(library.name + ".map"), library.version + " { global: *; };\n");
            arguments.add("-Wl,--version-script," + library.name + ".map");
        }
        if (!library.name.equals(DRIVER)) {
            arguments.addAll(List.of("-L.", "-l:" + DRIVER, "-Wl,-rpath,$ORIGIN"));
        }
        arguments.add("-ldl");
        compile(folder, arguments);
    }

    private static void compile(Path folder, List<String> arguments) throws IOException {
        List<String> command = new ArrayList<>();
        command.add(COMPILER);
        command.addAll(OPTIONS);
        command.addAll(arguments);
        Path log = Files.createTempFile(folder, "compiler", ".log");
        Process process = new ProcessBuilder(command)
                .directory(folder.toFile())
                .redirectErrorStream(true)
                .redirectOutput(log.toFile())
                .start();
        try {
            if (!process.waitFor(10, TimeUnit.MINUTES)) {
                process.destroyForcibly();
                throw new IllegalStateException("no end after ten minutes: " + String.join(" ", command));
            }
        } catch (InterruptedException e) {
            process.destroyForcibly();
            Thread.currentThread().interrupt();
            throw new IllegalStateException("interrupted while compiling the simulated CUDA device", e);
        }
        String output = Files.readString(log);
        Files.delete(log);
        if (process.exitValue() != 0) {
            throw new IllegalStateException(String.join(" ", command) + "\n" + output);
        }
    }

    /** Makes a finished folder appear under its name, whole; another process may have been faster. */
    private static void publish(Path unfinished, Path folder) throws IOException {
        try {
            Files.move(unfinished, folder, StandardCopyOption.ATOMIC_MOVE);
        } catch (IOException e) {
            if (!Files.isDirectory(folder)) {
                throw e;
            }
            for (Path file : filesIn(unfinished)) {
                Files.delete(file);
            }
            Files.delete(unfinished);
        }
    }

    private static List<Path> filesIn(Path folder) throws IOException {
        try (Stream<Path> files = Files.list(folder)) {
            return files.filter(Files::isRegularFile).toList();
        }
    }

    /** The C++ sources by name, wherever this class was loaded from. */
    private static Map<String, byte[]> sources() throws IOException {
        URL url = SimulatedDevice.class.getResource("cpp/simulator.h");
        if (url == null) {
            throw new IllegalStateException("the sources of the simulated CUDA device are not on the class path");
        }
        try {
            URI uri = url.toURI();
            if (!uri.getScheme().equals("jar")) {
                return read(Path.of(uri).getParent());
            }
            try (FileSystem jar = FileSystems.newFileSystem(uri, Map.of())) {
                return read(jar.provider().getPath(uri).getParent());
            }
        } catch (URISyntaxException e) {
            throw new IllegalStateException(e);
        }
    }

    private static Map<String, byte[]> read(Path folder) throws IOException {
        Map<String, byte[]> sources = new TreeMap<>();
        for (Path file : filesIn(folder)) {
            sources.put(file.getFileName().toString(), Files.readAllBytes(file));
        }
        return sources;
    }

    private static String hash(Map<String, byte[]> sources, Object options) {
        try {
            MessageDigest digest = MessageDigest.getInstance("SHA-256");
            digest.update((OPTIONS + " " + options + " " + System.getProperty("os.arch")).getBytes());
            sources.forEach((name, content) -> {
                digest.update(name.getBytes());
                digest.update(content);
            });
            return HexFormat.of().formatHex(digest.digest(), 0, 8);
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException(e);
        }
    }
}
