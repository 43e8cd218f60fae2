package tenon.benchmarks.networks;

import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.util.Map;
import tenon.benchmarks.ChildProcess;

/** Starts a {@link Worker} in the environment that its engine is measured in. */
final class Launch {
    /**
     * glibc's allocator told to keep memory instead of giving every activation back to the system, and to use huge pages. Half of libtorch's time can
     * depend on it.
     */
    private static final String TUNED = "glibc.malloc.mmap_threshold=4294967296:glibc.malloc.trim_threshold=68719476736"
            + ":glibc.malloc.top_pad=268435456:glibc.malloc.hugetlb=1";

    private static final String TUNABLES = "GLIBC_TUNABLES";
    private static final String SPIN = "GOMP_SPINCOUNT";
    private static final ObjectMapper JSON = new ObjectMapper();

    private Launch() {}

    /** Tenon as it runs for anyone, libtorch with the tuned allocator. */
    static Outcome run(Measurement measurement) throws IOException {
        return run(measurement, measurement.engine() == Engine.TENON ? Map.of() : Map.of(TUNABLES, TUNED, SPIN, ""));
    }

    /** libtorch with glibc's allocator as it comes. */
    static Outcome runDefaultAllocator(Measurement measurement) throws IOException {
        return run(measurement, Map.of(TUNABLES, "", SPIN, ""));
    }

    /** The launcher sets OpenMP's spinning for Tenon; libtorch runs with OpenMP's own setting, hence {@link #SPIN} is taken out. */
    private static Outcome run(Measurement measurement, Map<String, String> environment) throws IOException {
        return JSON.readValue(
                ChildProcess.run(Worker.class, environment, JSON.writeValueAsString(measurement)), Outcome.class);
    }
}
