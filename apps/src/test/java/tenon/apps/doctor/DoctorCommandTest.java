package tenon.apps.doctor;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import tenon.apps.Cli;
import tenon.io.jpeg.JpegLibrary;

class DoctorCommandTest {
    @Test
    void showsMachineLibrariesAndSupport() {
        Cli.Result result = Cli.run("doctor", "--json");
        assertThat(result.err()).isEmpty();
        assertThat(result.exitCode()).isZero();
        JsonNode json = result.json();
        assertThat(json.get("onednn").asText()).matches("\\d+\\.\\d+\\.\\d+, instruction set \\w+");
        assertThat(json.get("jpeg_decoder").asText())
                .isEqualTo(JpegLibrary.preferred().description());
        assertThat(json.get("gpu").isArray()).isTrue();
        assertThat(json.get("support").get("cpu").get("conv2d").toString()).contains("f32");
        assertThat(json.get("support").get("reference").get("conv2d").toString())
                .startsWith("[\"f32\",\"f64\"");
        assertThat(result.out()).containsPattern("conv2d +f32 f64.* f32");
    }

    @Test
    void readsWhatLinuxSays(@TempDir Path root) throws IOException {
        write(
                root,
                Map.of(
                        "proc/cpuinfo", "processor\t: 0\nflags\t\t: fpu avx2 fma avx512f made_up\n",
                        "proc/meminfo", "MemTotal:       2048 kB\nMemAvailable:   1024 kB\n",
                        "proc/self/status", "Name:\tjava\nVmHWM:\t     300 kB\n",
                        "sys/fs/cgroup/cpu.max", "150000 100000\n",
                        "sys/kernel/mm/transparent_hugepage/enabled", "always madvise [never]\n"));
        SystemFacts facts = new SystemFacts(root);
        assertThat(facts.instructionSets()).containsExactly("avx2", "fma", "avx512f");
        assertThat(facts.totalMemory()).hasValue(2048 * 1024);
        assertThat(facts.availableMemory()).hasValue(1024 * 1024);
        assertThat(facts.peakResident()).hasValue(300 * 1024);
        assertThat(facts.containerProcessors()).isEqualTo(1.5);
        assertThat(facts.hugePages()).isEqualTo("never");
    }

    @Test
    void saysNothingWhereNothingIsSaid(@TempDir Path root) throws IOException {
        write(root, Map.of("sys/fs/cgroup/cpu.max", "max 100000\n"));
        SystemFacts facts = new SystemFacts(root);
        assertThat(facts.instructionSets()).isEmpty();
        assertThat(facts.peakResident()).isEmpty();
        assertThat(facts.containerProcessors()).isNaN();
        assertThat(facts.hugePages()).isNull();
    }

    private static void write(Path root, Map<String, String> files) throws IOException {
        for (Map.Entry<String, String> file : files.entrySet()) {
            Path path = root.resolve(file.getKey());
            Files.createDirectories(path.getParent());
            Files.writeString(path, file.getValue());
        }
    }
}
