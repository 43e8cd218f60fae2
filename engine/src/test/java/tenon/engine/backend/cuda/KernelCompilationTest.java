package tenon.engine.backend.cuda;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.URISyntaxException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import java.util.Objects;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * Every kernel file compiles for real GPUs where CUDA's compiler is installed: for compute capabilities 7.5, 8.0, 9.0 and 10.0 without warnings and without registers spilled to memory, and with
 * approximate functions. Files that compiled are remembered, by a hash of what they were compiled from and with, in the system's folder for temporary files.
 */
class KernelCompilationTest {
    private static final Pattern INCLUDE = Pattern.compile("^\\s*#\\s*include", Pattern.MULTILINE);
    private static final Pattern SPILL = Pattern.compile("[1-9]\\d* bytes spill (stores|loads)");
    /** Below 8.0, BF16 is rounded by integer arithmetic; from there on by an instruction. */
    private static final List<String> STRICT =
            List.of("-gencode", "arch=compute_75,code=sm_75", "-gencode", "arch=compute_80,code=[sm_80,sm_90,sm_100]");

    private static final List<String> FAST =
            List.of("-gencode", "arch=compute_90,code=compute_90", "-use_fast_math", "-DTENON_FAST_MATH");

    private static final Path KEPT = Path.of(
            System.getProperty("java.io.tmpdir"), "tenon-kernel-compilation-" + System.getProperty("user.name"));

    @TempDir
    private Path folder;

    private static List<Path> kernelFiles() throws IOException, URISyntaxException {
        Path resources = Path.of(Objects.requireNonNull(KernelCompilationTest.class.getResource("prelude.cuh"))
                        .toURI())
                .getParent();
        try (Stream<Path> files = Files.list(resources)) {
            return files.filter(file -> file.toString().endsWith(".cu"))
                    .sorted()
                    .toList();
        }
    }

    private static String prelude(Path kernelFile) throws IOException {
        return Files.readString(kernelFile.resolveSibling("prelude.cuh"));
    }

    @Test
    void kernelFilesIncludeNothing() throws Exception {
        assertThat(kernelFiles()).isNotEmpty();
        for (Path file : kernelFiles()) {
            assertThat(Files.readString(file)).as(file.toString()).doesNotContainPattern(INCLUDE);
            assertThat(prelude(file)).doesNotContainPattern(INCLUDE);
        }
    }

    @Test
    void kernelFilesCompileForRealDevices() throws Exception {
        Path nvcc = nvcc();
        Assumptions.assumeTrue(nvcc != null, "no nvcc on the path, in CUDA_HOME or in /usr/local/cuda/bin");
        String compiler = nvcc + version(nvcc);
        List<String> failures = kernelFiles().parallelStream()
                .flatMap(file -> Stream.of(STRICT, FAST).map(options -> compile(nvcc, compiler, file, options)))
                .filter(Objects::nonNull)
                .toList();
        assertThat(failures).isEmpty();
    }

    private static Path nvcc() {
        List<String> folders =
                new ArrayList<>(List.of(System.getenv().getOrDefault("PATH", "").split(":")));
        String home = System.getenv("CUDA_HOME");
        if (home != null) {
            folders.add(home + "/bin");
        }
        folders.add("/usr/local/cuda/bin");
        return folders.stream()
                .filter(name -> !name.isEmpty())
                .map(name -> Path.of(name, "nvcc"))
                .filter(Files::isExecutable)
                .findFirst()
                .orElse(null);
    }

    private static String version(Path nvcc) throws IOException {
        Process process = new ProcessBuilder(nvcc.toString(), "--version").start();
        return new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
    }

    /** What is wrong, or null. */
    private String compile(Path nvcc, String compiler, Path file, List<String> options) {
        try {
            // As NVRTC gets it; line numbers are the file's own.
            String name = file.getFileName().toString();
            String source = prelude(file) + "\n#line 1 \"" + name + "\"\n" + Files.readString(file);
            String key = hash(compiler + String.join(" ", options) + source);
            Path done = KEPT.resolve(name + "-" + key);
            if (Files.exists(done)) {
                return null;
            }
            Path work = Files.createDirectory(folder.resolve(key));
            Files.writeString(work.resolve(name), source);
            List<String> command = new ArrayList<>(List.of(nvcc.toString(), "-std=c++17", "-fatbin"));
            command.addAll(options);
            command.addAll(List.of("-Werror", "all-warnings", "-Xptxas", "-v", "-o", "kernels.fatbin", name));
            Process process = new ProcessBuilder(command)
                    .directory(work.toFile())
                    .redirectErrorStream(true)
                    .start();
            String output = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
            if (process.waitFor() != 0 || SPILL.matcher(output).find()) {
                return name + " " + options + ":\n" + output;
            }
            Files.createDirectories(done.getParent());
            Files.writeString(done, output);
            return null;
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            return file + ": interrupted";
        }
    }

    private static String hash(String text) {
        try {
            byte[] digest = MessageDigest.getInstance("SHA-256").digest(text.getBytes(StandardCharsets.UTF_8));
            return HexFormat.of().formatHex(digest, 0, 12);
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException(e);
        }
    }
}
