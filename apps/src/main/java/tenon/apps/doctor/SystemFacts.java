package tenon.apps.doctor;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.OptionalLong;
import java.util.Set;
import java.util.stream.Stream;

/**
 * What Linux says about processor and memory beyond {@link tenon.engine.nativelib.CpuInfo}. Everything is absent rather than wrong where the files are not there (other systems).
 *
 * @param root {@code /}, or a folder that stands for it in tests
 */
public record SystemFacts(Path root) {
    /** The machine this runs on. */
    public static final SystemFacts HERE = new SystemFacts(Path.of("/"));

    private static final List<String> TELLING_FLAGS = List.of(
            "sse4_1", "avx", "avx2", "fma", "avx512f", "avx512_vnni", "avx512_bf16", "amx_bf16", "asimd", "sve");

    /** Those instruction sets of the processor that matter here. */
    List<String> instructionSets() {
        Set<String> flags = lines("proc/cpuinfo")
                .filter(line -> line.startsWith("flags") || line.startsWith("Features"))
                .findFirst()
                .map(line -> Set.copyOf(Arrays.asList(
                        line.substring(line.indexOf(':') + 1).strip().split("\\s+"))))
                .orElse(Set.of());
        return TELLING_FLAGS.stream().filter(flags::contains).toList();
    }

    /** Bytes of memory that programs could still get. */
    OptionalLong availableMemory() {
        return meminfo("MemAvailable");
    }

    OptionalLong totalMemory() {
        return meminfo("MemTotal");
    }

    /** Processors that the container allows, e.g. 1.5, or NaN without a limit. */
    double containerProcessors() {
        return lines("sys/fs/cgroup/cpu.max")
                .map(text -> text.split(" "))
                .filter(parts -> parts.length == 2 && parts[0].matches("\\d+") && parts[1].matches("\\d+"))
                .mapToDouble(parts -> Double.parseDouble(parts[0]) / Double.parseDouble(parts[1]))
                .findFirst()
                .orElse(Double.NaN);
    }

    /** {@code always}, {@code madvise}, {@code never}, or null where the system does not say. */
    String hugePages() {
        return lines("sys/kernel/mm/transparent_hugepage/enabled")
                .map(text -> text.replaceFirst(".*\\[(\\w+)].*", "$1"))
                .findFirst()
                .orElse(null);
    }

    /** Largest resident memory of this process so far in bytes. */
    public OptionalLong peakResident() {
        return field("proc/self/status", "VmHWM");
    }

    private OptionalLong meminfo(String name) {
        return field("proc/meminfo", name);
    }

    private OptionalLong field(String file, String name) {
        return lines(file)
                .filter(line -> line.matches(name + ":\\s+\\d+ kB"))
                .mapToLong(line -> 1024 * Long.parseLong(line.replaceAll("\\D", "")))
                .findFirst();
    }

    private Stream<String> lines(String file) {
        try {
            return Files.readAllLines(root.resolve(file)).stream();
        } catch (IOException _) {
            return Stream.empty();
        }
    }
}
