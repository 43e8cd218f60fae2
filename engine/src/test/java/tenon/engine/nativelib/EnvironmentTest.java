package tenon.engine.nativelib;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import tenon.engine.DType;
import tenon.engine.Rng;
import tenon.engine.Scope;
import tenon.engine.Shape;
import tenon.engine.Tensor;
import tenon.engine.backend.Backend;
import tenon.engine.backend.cpu.CpuBackend;

/** Whole processes where folders cannot be used, and back-ends with other numbers of threads. */
class EnvironmentTest {
    /** Nothing can be created in /proc, not even by root. */
    private static final Path UNUSABLE = Path.of("/proc");

    private static final Path FLAGS = Path.of("../.mvn/tenon.jvmargs");

    /** What the child process runs: [[1, 2]]·[[3], [4]]. */
    static final class Product {
        private Product() {}

        public static void main(String[] arguments) {
            try (Backend backend = CpuBackend.open(1);
                    var _ = Scope.open("product", backend)) {
                Tensor product = Tensor.zeros(Shape.of(1, 1), DType.F32);
                Tensor row = Tensor.of(new float[] {1, 2}, 1, 2);
                backend.gemm(false, false, 1, row, Tensor.of(new float[] {3, 4}, 2, 1), 0, product);
                System.out.println("product=" + product.item() + " library=" + DnnlLibrary.load());
            }
        }
    }

    private record Result(int exitCode, String output) {}

    private static Result run(Path log, String... flags) throws IOException, InterruptedException {
        List<String> command = new ArrayList<>();
        command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
        command.add("@" + FLAGS.toRealPath());
        command.addAll(List.of(flags));
        command.addAll(List.of("-cp", System.getProperty("java.class.path"), Product.class.getName()));
        ProcessBuilder builder = new ProcessBuilder(command)
                .directory(UNUSABLE.toFile())
                .redirectErrorStream(true)
                .redirectOutput(log.toFile());
        builder.environment().keySet().removeAll(List.of("TENON_NATIVE_DIR", "XDG_CACHE_HOME", "JAVA_TOOL_OPTIONS"));
        int exitCode = builder.start().waitFor();
        return new Result(exitCode, Files.readString(log));
    }

    /** A folder mounted {@code noexec} that can be written to; {@code /proc}, where nothing can be created, if there is none. */
    private static Path badTemporaryFolder() throws IOException {
        for (String line : Files.readAllLines(Path.of("/proc/self/mounts"))) {
            String[] fields = line.split(" ");
            Path point = Path.of(fields[1]);
            if (List.of(fields[3].split(",")).contains("noexec") && !point.startsWith(UNUSABLE) && canWrite(point)) {
                return point;
            }
        }
        System.out.println("No folder is mounted noexec here: " + UNUSABLE + " stands in for it");
        return UNUSABLE;
    }

    private static boolean canWrite(Path folder) {
        try {
            Files.delete(Files.createTempFile(folder, "probe", null));
            return true;
        } catch (IOException _) {
            return false;
        }
    }

    @Test
    @Timeout(120)
    void computesFromANamedFolderWhereHomeAndTemporaryFolderAreUnusable(@TempDir Path folder) throws Exception {
        Path libraries = folder.resolve("libraries");
        Result result = run(
                folder.resolve("log"),
                "-Duser.home=" + UNUSABLE.resolve("nonexistent"),
                "-Djava.io.tmpdir=" + badTemporaryFolder(),
                "-Dtenon.native.dir=" + libraries);
        assertThat(result.output()).contains("product=11.0 library=" + libraries.toRealPath());
        assertThat(result.exitCode()).isZero();
    }

    @Test
    @Timeout(120)
    void namesThePropertyWhereNoFolderIsUsable(@TempDir Path folder) throws Exception {
        Result result = run(
                folder.resolve("log"),
                "-Duser.home=" + UNUSABLE.resolve("nonexistent"),
                "-Djava.io.tmpdir=" + UNUSABLE.resolve("nonexistent"),
                // Part of a folder's name, and too long for one.
                "-Duser.name=" + "a".repeat(300));
        assertThat(result.exitCode()).isNotZero();
        assertThat(result.output())
                .contains("TenonException: native libraries: a folder is needed")
                .contains("/proc/nonexistent/.javacpp/cache (not writable")
                .contains("name one with -Dtenon.native.dir=FOLDER");
    }

    @Test
    void threadsChangeNothingButRoundingAndRunsRepeatBitForBit() {
        float[] one = product(1);
        assertThat(product(1)).isEqualTo(one);
        float[] two = product(2);
        assertThat(product(2)).isEqualTo(two);
        // Sums of 300 products in [−1, 1]: both orders err by far less than 300² · 2⁻²⁴.
        assertThat(two).containsExactly(one, within(5e-3f));
    }

    /** [130, 300]·[300, 70] of fixed noise. */
    private static float[] product(int threads) {
        try (Backend backend = CpuBackend.open(threads);
                var _ = Scope.open("product", backend)) {
            Tensor product = Tensor.zeros(Shape.of(130, 70), DType.F32);
            backend.gemm(false, false, 1, noise(130, 300), noise(300, 70), 0, product);
            return product.toFloatArray();
        }
    }

    private static Tensor noise(int rows, int columns) {
        Rng rng = new Rng(3, Rng.stream("noise"), rows);
        float[] values = new float[rows * columns];
        for (int i = 0; i < values.length; i++) {
            values[i] = (float) rng.nextUniform(-1, 1);
        }
        return Tensor.of(values, rows, columns);
    }
}
