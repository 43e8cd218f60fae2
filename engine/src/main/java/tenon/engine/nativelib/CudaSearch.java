package tenon.engine.nativelib;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.EnumMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.function.Function;
import java.util.function.Supplier;
import java.util.stream.Stream;

/**
 * Looks for CUDA's libraries where people have them. Folders that belong together are a family (a toolkit, the {@code nvidia} wheels of one Python); libraries are taken from one family
 * as far as possible, because those of different releases do not mix.
 *
 * <p>Looked at in this order: {@code -Dtenon.cuda.path}, {@code LD_LIBRARY_PATH}, {@code CUDA_HOME} and {@code CUDA_PATH}, the active virtual or conda environment, {@code
 * /usr/local/cuda*}, the system's library folders and the loader's cache, the Pythons of the user and the system.
 */
final class CudaSearch {
    static final String PROPERTY = "tenon.cuda.path";

    /** Where libraries of a toolkit, an environment or a Python lie. */
    private static final List<String> INSIDE = List.of("", "lib64", "lib", "targets/x86_64-linux/lib");

    private static final String WHEELS = "nvidia/*/lib";

    /** Folders that belong together, and what to call them. */
    record Family(String name, List<Path> folders) {
        Optional<Path> find(CudaPart part, int major) {
            return folders.stream()
                    .map(folder -> CudaSearch.find(folder, part, major))
                    .flatMap(Optional::stream)
                    .findFirst();
        }
    }

    /**
     * The files to load.
     *
     * @param major release of CUDA that cuBLAS and NVRTC are of
     */
    record Choice(int major, Map<CudaPart, Path> files) {}

    private final Path root;
    private final Function<String, String> property;
    private final Function<String, String> variable;
    private final Supplier<String> loaderCache;
    private List<Family> families;

    /**
     * @param root of the file system
     * @param loaderCache output of {@code ldconfig -p}
     */
    CudaSearch(
            Path root,
            Function<String, String> property,
            Function<String, String> variable,
            Supplier<String> loaderCache) {
        this.root = root;
        this.property = property;
        this.variable = variable;
        this.loaderCache = loaderCache;
    }

    static CudaSearch here() {
        return new CudaSearch(Path.of("/"), System::getProperty, System::getenv, CudaSearch::readLoaderCache);
    }

    /** The driver's library. */
    Optional<Path> driver() {
        return families().stream()
                .map(family -> family.find(CudaPart.DRIVER, 0))
                .flatMap(Optional::stream)
                .findFirst();
    }

    /**
     * Chooses files. What is not there has no entry.
     *
     * @param major release of CUDA to take, 0 for any
     * @param newest release of CUDA that the driver runs
     */
    Choice choose(int major, int newest) {
        List<Integer> majors = CudaPart.MAJORS.stream()
                .filter(m -> (major == 0 || m == major) && m <= newest)
                .toList();
        Map<CudaPart, Path> best = Map.of();
        int bestMajor = majors.isEmpty() ? CudaPart.MAJORS.getFirst() : majors.getFirst();
        for (Family family : families()) {
            for (int m : majors) {
                Map<CudaPart, Path> found = toolkit(family, m);
                if (found.size() > best.size()) {
                    best = found;
                    bestMajor = m;
                }
            }
        }
        Map<CudaPart, Path> files = new EnumMap<>(CudaPart.class);
        files.putAll(best);
        complete(files, bestMajor);
        return new Choice(bestMajor, files);
    }

    /** cuBLAS and NVRTC, each with its companion from the same folder. */
    private static Map<CudaPart, Path> toolkit(Family family, int major) {
        Map<CudaPart, Path> found = new EnumMap<>(CudaPart.class);
        pair(family, CudaPart.CUBLAS, CudaPart.CUBLAS_LT, major, found);
        pair(family, CudaPart.NVRTC, CudaPart.NVRTC_BUILTINS, major, found);
        return found;
    }

    private static void pair(Family family, CudaPart part, CudaPart companion, int major, Map<CudaPart, Path> found) {
        family.find(part, major).ifPresent(file -> {
            found.put(part, file);
            find(file.getParent(), companion, major).ifPresent(beside -> found.put(companion, beside));
        });
    }

    private void complete(Map<CudaPart, Path> files, int major) {
        List<Family> ordered = new ArrayList<>(families());
        Path chosen = files.get(CudaPart.CUBLAS);
        if (chosen != null) {
            // Stable: the family of cuBLAS first, then the others as they were.
            ordered.sort(Comparator.comparing(family -> !family.folders().contains(chosen.getParent())));
        }
        for (Family family : ordered) {
            Map<CudaPart, Path> others = toolkit(family, major);
            take(files, others, CudaPart.CUBLAS, CudaPart.CUBLAS_LT);
            take(files, others, CudaPart.NVRTC, CudaPart.NVRTC_BUILTINS);
            for (CudaPart part : List.of(CudaPart.CUDNN, CudaPart.NCCL)) {
                family.find(part, major).ifPresent(file -> files.putIfAbsent(part, file));
            }
        }
    }

    /** Adds a library that is missing, and its companion with it. */
    private static void take(Map<CudaPart, Path> files, Map<CudaPart, Path> others, CudaPart part, CudaPart companion) {
        if (!files.containsKey(part) && others.containsKey(part)) {
            files.put(part, others.get(part));
            if (others.containsKey(companion)) {
                files.put(companion, others.get(companion));
            }
        }
    }

    /** The parts that cuDNN 9 loads by name while it runs, in the folder of {@code cudnn}. */
    static List<Path> cudnnParts(Path cudnn) {
        return list(cudnn.getParent(), "libcudnn_*.so.9");
    }

    private static Optional<Path> find(Path folder, CudaPart part, int major) {
        String name = part.file(major);
        if (part != CudaPart.NVRTC_BUILTINS) {
            Path file = folder.resolve(name);
            return Files.isRegularFile(file) ? Optional.of(file) : Optional.empty();
        }
        // libnvrtc-builtins.so.12.6, not libnvrtc-builtins.so.12.6.85, which is the same library.
        return list(folder, name + "*").stream()
                .filter(file -> file.getFileName().toString().matches(".*\\.so\\.\\d+\\.\\d+"))
                .findFirst();
    }

    // ---- where people have them ----

    List<Family> families() {
        if (families == null) {
            List<Family> found = new ArrayList<>();
            path(found, "-D" + PROPERTY, property.apply(PROPERTY));
            path(found, "LD_LIBRARY_PATH", variable.apply("LD_LIBRARY_PATH"));
            path(found, "CUDA_HOME", variable.apply("CUDA_HOME"));
            path(found, "CUDA_PATH", variable.apply("CUDA_PATH"));
            path(found, "VIRTUAL_ENV", variable.apply("VIRTUAL_ENV"));
            path(found, "CONDA_PREFIX", variable.apply("CONDA_PREFIX"));
            glob(found, "usr/local/cuda");
            glob(found, "usr/local/cuda-*");
            glob(found, "opt/cuda");
            system(found);
            String home = property.apply("user.home");
            if (home != null) {
                String local = relative(home);
                glob(found, local + "/.local");
                glob(found, local + "/{miniconda3,anaconda3,miniforge3}");
                glob(found, local + "/{.venv,venv}");
            }
            glob(found, "usr/local");
            glob(found, "usr");
            families =
                    found.stream().filter(family -> !family.folders().isEmpty()).toList();
        }
        return families;
    }

    private void path(List<Family> found, String name, String path) {
        if (path != null && !path.isEmpty()) {
            Set<Path> folders = new LinkedHashSet<>();
            for (String entry : path.split(":")) {
                if (!entry.isEmpty()) {
                    folders.addAll(inside(root.resolve(relative(entry))));
                }
            }
            found.add(new Family(name, List.copyOf(folders)));
        }
    }

    /** Each folder that fits is a family of its own, the newest release first. */
    private void glob(List<Family> found, String pattern) {
        for (Path folder : folders(root, pattern)) {
            found.add(new Family(folder.toString(), inside(folder)));
        }
    }

    private void system(List<Family> found) {
        Set<Path> folders = new LinkedHashSet<>();
        for (String folder :
                List.of("usr/lib/x86_64-linux-gnu", "usr/lib64", "lib64", "usr/lib/wsl/lib", "run/opengl-driver/lib")) {
            folders.addAll(folders(root, folder));
        }
        for (String line : loaderCache.get().split("\n")) {
            int arrow = line.indexOf(" => ");
            if (arrow > 0 && line.strip().matches("lib(cuda|cublas|cublasLt|nvrtc|cudnn|nccl)\\.so\\..*x86-64.*")) {
                folders.add(root.resolve(relative(line.substring(arrow + 4).strip()))
                        .getParent());
            }
        }
        found.add(new Family("the system's library folders", List.copyOf(folders)));
    }

    private static List<Path> inside(Path folder) {
        Set<Path> found = new LinkedHashSet<>();
        for (String below : INSIDE) {
            found.addAll(folders(folder, below));
        }
        for (String python : List.of("", "lib/python3*/site-packages/", "lib/python3*/dist-packages/")) {
            found.addAll(folders(folder, python + WHEELS));
        }
        return List.copyOf(found);
    }

    private static String relative(String path) {
        return path.startsWith("/")
                ? path.substring(1)
                : Path.of(path).toAbsolutePath().toString().substring(1);
    }

    // ---- files ----

    /** The folders that a path with patterns stands for, names in falling order of the numbers in them. */
    private static List<Path> folders(Path start, String pattern) {
        List<Path> current = List.of(start);
        for (String name : pattern.split("/")) {
            List<Path> next = new ArrayList<>();
            for (Path folder : current) {
                if (name.isEmpty()) {
                    next.add(folder);
                } else if (name.matches(".*[*{].*")) {
                    next.addAll(list(folder, name));
                } else {
                    next.add(folder.resolve(name));
                }
            }
            current = next;
        }
        return current.stream().filter(Files::isDirectory).toList();
    }

    private static List<Path> list(Path folder, String pattern) {
        if (!Files.isDirectory(folder) || !Files.isReadable(folder)) {
            return List.of();
        }
        try (DirectoryStream<Path> entries = Files.newDirectoryStream(folder, pattern)) {
            List<Path> found = new ArrayList<>();
            entries.forEach(found::add);
            found.sort(Comparator.comparing((Path p) -> p.getFileName().toString(), CudaSearch::compareNumbers)
                    .reversed());
            return found;
        } catch (IOException e) {
            throw new UncheckedIOException("cuda: " + folder + " cannot be listed", e);
        }
    }

    /** As text, but runs of digits as numbers: cuda-12.10 comes after cuda-12.9. */
    static int compareNumbers(String a, String b) {
        String[] left = a.split("(?<=\\D)(?=\\d)|(?<=\\d)(?=\\D)");
        String[] right = b.split("(?<=\\D)(?=\\d)|(?<=\\d)(?=\\D)");
        for (int i = 0; i < Math.min(left.length, right.length); i++) {
            boolean numbers = left[i].matches("\\d{1,9}") && right[i].matches("\\d{1,9}");
            int order = numbers
                    ? Integer.compare(Integer.parseInt(left[i]), Integer.parseInt(right[i]))
                    : left[i].compareTo(right[i]);
            if (order != 0) {
                return order;
            }
        }
        return Integer.compare(left.length, right.length);
    }

    private static String readLoaderCache() {
        for (String program : List.of("/sbin/ldconfig", "/usr/sbin/ldconfig")) {
            if (Files.isExecutable(Path.of(program))) {
                try {
                    Process process = new ProcessBuilder(program, "-p")
                            .redirectError(ProcessBuilder.Redirect.DISCARD)
                            .start();
                    String output = new String(process.getInputStream().readAllBytes());
                    process.waitFor();
                    return output;
                } catch (IOException _) {
                    return "";
                } catch (InterruptedException _) {
                    Thread.currentThread().interrupt();
                    return "";
                }
            }
        }
        return "";
    }

    /** Whether the machine has an NVIDIA GPU on its bus, whatever drivers there are. */
    boolean seesGpu() {
        return folders(root, "sys/bus/pci/devices/*").stream()
                .anyMatch(device -> contents(device.resolve("vendor")).equals("0x10de")
                        && contents(device.resolve("class")).startsWith("0x03"));
    }

    private static String contents(Path file) {
        try {
            return Files.isReadable(file) ? Files.readString(file).strip() : "";
        } catch (IOException _) {
            return "";
        }
    }

    /** Version in the name of the file that a library's link leads to: 12.6.4.1 of libcublas.so.12.6.4.1; the link's own number if there is none. */
    static String version(Path file) {
        String name = file.getFileName().toString();
        try {
            name = file.toRealPath().getFileName().toString();
        } catch (IOException _) {
            // Then the link's name must do.
        }
        int at = name.indexOf(".so.");
        return at < 0 ? "" : name.substring(at + 4);
    }

    /** Families' names, for messages. */
    String lookedAt() {
        return String.join(", ", families().stream().map(Family::name).toList());
    }

    /** Companions are not asked for: a library without its own does not load, and says so. */
    static Stream<CudaPart> required() {
        return Stream.of(CudaPart.CUBLAS, CudaPart.NVRTC, CudaPart.CUDNN);
    }
}
