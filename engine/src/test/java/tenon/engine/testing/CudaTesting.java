package tenon.engine.testing;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Path;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import org.junit.jupiter.api.Assumptions;
import tenon.engine.DeviceException;
import tenon.engine.backend.cuda.CudaBackend;
import tenon.engine.backend.cuda.CudaOptions;
import tenon.engine.backend.cuda.CudaOptions.LibraryChoice;
import tenon.engine.nativelib.CudaInfo;
import tenon.engine.nativelib.CudaLibraries;
import tenon.simulator.SimulatedDevice;
import tenon.simulator.Simulator;

/** Back-ends of the CUDA tests: on the simulated device, or with {@code -Dtenon.test.gpu=real} on a real GPU. */
public final class CudaTesting {
    private static final boolean REAL = "real".equals(System.getProperty("tenon.test.gpu"));
    /** Kernels that were compiled for the host stay away from those of real GPUs, and of other versions of the simulated device. */
    private static final Path CACHE = Path.of("target", "cuda-kernels");

    private static Simulator simulator;

    private CudaTesting() {}

    /** A back-end on device 0; skips the test, and says why, where there can be none. */
    public static CudaBackend open() {
        if (!REAL) {
            simulator();
        }
        return open(options());
    }

    public static CudaBackend open(CudaOptions options) {
        if (REAL) {
            try {
                return CudaBackend.open(options);
            } catch (DeviceException e) {
                Assumptions.abort("no GPU to test on: " + e.getMessage());
            }
        }
        simulator();
        return CudaBackend.open(options);
    }

    /** GPUs to test on: as many simulated ones as are wanted, or the real ones, which may be fewer, even none. */
    public static int gpus(int wanted) {
        if (REAL) {
            return CudaInfo.read().gpus().size();
        }
        simulator().devices(wanted);
        return wanted;
    }

    public static boolean isReal() {
        return REAL;
    }

    /** Options of tests: nothing is kept outside of the build's folder, and what the simulated device takes for it chooses no implementation. */
    public static CudaOptions options() {
        Path cache = REAL ? CACHE : CACHE.resolve(SimulatedDevice.folder().getFileName());
        return CudaOptions.defaults()
                .withCache(cache.toAbsolutePath())
                .withBatchNorm(LibraryChoice.OWN)
                .withPooling(LibraryChoice.OWN);
    }

    /** The simulated device's controls, for tests of what only it can show; skips the test where there is none. */
    public static synchronized Simulator simulator() {
        Assumptions.assumeFalse(REAL, "needs the simulated device, and the tests run on a real GPU");
        Optional<String> why = SimulatedDevice.why();
        Assumptions.assumeTrue(why.isEmpty(), () -> why.orElse(""));
        if (simulator == null) {
            Path folder = SimulatedDevice.folder();
            System.setProperty("tenon.cuda.path", folder.toString());
            simulator = new Simulator(folder);
            if (Integer.getInteger("tenon.cuda.major", 12) == 13) {
                simulator.driverVersion(13000);
            }
            CudaLibraries.load();
            simulator.reset();
        }
        return simulator;
    }

    /** Asserts that no call was wrong, and that nothing is alive that was not before. */
    public static void assertClean(Map<String, Long> liveBefore) {
        assertThat(simulator().violations()).as("wrong calls").isEmpty();
        Map<String, Long> leaked = new TreeMap<>(simulator().live());
        liveBefore.forEach((kind, count) -> leaked.merge(kind, -count, Long::sum));
        leaked.values().removeIf(count -> count == 0);
        assertThat(leaked).as("left behind").isEmpty();
    }
}
