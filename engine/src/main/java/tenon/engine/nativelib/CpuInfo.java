package tenon.engine.nativelib;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.OptionalLong;

/**
 * The processor as the operating system describes it, and what a container grants of it.
 *
 * @param model e.g. {@code AMD EPYC}, the architecture's name where the system tells nothing
 * @param logicalCores processors of the machine
 * @param availableCores processors that this process may use
 * @param memoryLimitBytes of the container, if there is one
 */
public record CpuInfo(String model, int logicalCores, int availableCores, OptionalLong memoryLimitBytes) {
    private static final Path CPU_INFO = Path.of("/proc/cpuinfo");
    private static final Path LIMIT_V2 = Path.of("/sys/fs/cgroup/memory.max");
    private static final Path LIMIT_V1 = Path.of("/sys/fs/cgroup/memory/memory.limit_in_bytes");
    /** Version 1 says "no limit" with the largest multiple of a page. */
    private static final long NO_LIMIT = 1L << 62;

    public static CpuInfo read() {
        return of(contents(CPU_INFO), contents(LIMIT_V2) + contents(LIMIT_V1));
    }

    static CpuInfo of(String cpuInfo, String memoryLimit) {
        int available = Runtime.getRuntime().availableProcessors();
        String model = cpuInfo.lines()
                .filter(line -> line.startsWith("model name"))
                .map(line -> line.substring(line.indexOf(':') + 1).strip())
                .findFirst()
                .orElse(System.getProperty("os.arch"));
        long cores =
                cpuInfo.lines().filter(line -> line.startsWith("processor")).count();
        return new CpuInfo(model, cores == 0 ? available : (int) cores, available, limit(memoryLimit.strip()));
    }

    private static OptionalLong limit(String text) {
        if (!text.matches("\\d{1,19}")) {
            return OptionalLong.empty();
        }
        long bytes = Long.parseUnsignedLong(text);
        return bytes >= NO_LIMIT || bytes < 0 ? OptionalLong.empty() : OptionalLong.of(bytes);
    }

    private static String contents(Path path) {
        try {
            return Files.isReadable(path) ? Files.readString(path) : "";
        } catch (IOException _) {
            return "";
        }
    }
}
