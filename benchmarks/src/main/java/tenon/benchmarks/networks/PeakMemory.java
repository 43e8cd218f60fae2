package tenon.benchmarks.networks;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import tenon.apps.doctor.SystemFacts;

/** Largest resident memory of this process, as Linux counts it. */
final class PeakMemory {
    private PeakMemory() {}

    /** Forgets what building the network took: Java arrays on the way to native memory. */
    static void reset() {
        System.gc();
        try {
            // "5" resets the high-water mark (proc(5)).
            Files.writeString(Path.of("/proc/self/clear_refs"), "5");
        } catch (IOException _) {
            // Not Linux, or not allowed: the mark then holds from the start of the process.
        }
    }

    /** Bytes, 0 where the system does not say. */
    static long read() {
        return SystemFacts.HERE.peakResident().orElse(0);
    }
}
