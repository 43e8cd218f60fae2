package tenon.optim.train;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.json.JsonMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.lang.management.ManagementFactory;
import java.time.Instant;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import tenon.engine.nativelib.CpuInfo;

/**
 * What a run was made with: enough to repeat it, and to understand why another machine's numbers differ. Part of every checkpoint.
 *
 * @param version of Tenon
 * @param commit of Tenon's source
 * @param java runtime version and vendor
 * @param os name, version and architecture
 * @param processor model name
 * @param threads processors the JVM may use
 * @param jvmFlags flags the JVM was started with
 * @param command how the run was started
 * @param precision {@code fp32} or {@code bf16}
 * @param seed of the run
 * @param started time in UTC
 * @param extras whatever else decides about the numbers: back-end, instruction set, library versions, image decoder
 */
public record RunManifest(
        String version,
        String commit,
        String java,
        String os,
        String processor,
        int threads,
        List<String> jvmFlags,
        List<String> command,
        String precision,
        long seed,
        String started,
        Map<String, String> extras) {
    private static final JsonMapper JSON = new JsonMapper();

    public RunManifest {
        jvmFlags = List.copyOf(jvmFlags);
        command = List.copyOf(command);
        extras = Collections.unmodifiableMap(new TreeMap<>(extras));
    }

    /** Looks at the running JVM and machine. */
    public static RunManifest collect(List<String> command, String precision, long seed, Map<String, String> extras) {
        BuildInfo build = BuildInfo.current();
        CpuInfo cpu = CpuInfo.read();
        return new RunManifest(
                build.version(),
                build.commit(),
                System.getProperty("java.runtime.version") + " (" + System.getProperty("java.vendor") + ")",
                System.getProperty("os.name") + " " + System.getProperty("os.version") + " "
                        + System.getProperty("os.arch"),
                cpu.model(),
                cpu.availableCores(),
                ManagementFactory.getRuntimeMXBean().getInputArguments(),
                command,
                precision,
                seed,
                Instant.now().toString(),
                extras);
    }

    public ObjectNode toJson() {
        return JSON.valueToTree(this);
    }

    public static RunManifest fromJson(JsonNode json) {
        return JSON.convertValue(json, RunManifest.class);
    }
}
