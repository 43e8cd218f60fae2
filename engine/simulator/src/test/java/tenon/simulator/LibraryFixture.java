package tenon.simulator;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;

/** A context with a stream, and device memory from arrays, for tests of the libraries that work on it. Ends with nothing alive and nothing wrong. */
abstract class LibraryFixture {
    static final long NULL = 0;

    Simulator simulator;
    Native driver;
    Arena arena;
    long context;
    long stream;

    @BeforeEach
    final void openDevice() {
        assumeTrue(SimulatedDevice.why().isEmpty(), () -> SimulatedDevice.why().orElseThrow());
        simulator = new Simulator(SimulatedDevice.folder());
        simulator.reset();
        driver = new Native(SimulatedDevice.folder().resolve("libcuda.so.1"));
        arena = Arena.ofConfined();
        must(driver.call("cuInit", 0));
        MemorySegment result = arena.allocate(8);
        must(driver.call("cuCtxCreate_v2", result, 0, 0));
        context = result.get(ValueLayout.JAVA_LONG, 0);
        must(driver.call("cuStreamCreate", result, 1));
        stream = result.get(ValueLayout.JAVA_LONG, 0);
        open();
    }

    @AfterEach
    final void closeDevice() {
        if (context == 0) {
            return;
        }
        close();
        must(driver.call("cuStreamDestroy_v2", stream));
        simulator.live().keySet().stream()
                .filter(kind -> !kind.equals("context") && !kind.equals("deviceMemory"))
                .forEach(kind -> assertThat(simulator.live(kind)).as(kind).isZero());
        must(driver.call("cuCtxDestroy_v2", context));
        List<String> violations = simulator.violations();
        simulator.reset();
        arena.close();
        assertThat(violations).isEmpty();
    }

    /** Opens the handle of the library under test. */
    abstract void open();

    abstract void close();

    static void must(int status) {
        assertThat(status).as("status").isZero();
    }

    /** Asserts that the last calls broke a rule, and forgets it. */
    final void violated(String part) {
        assertThat(simulator.violations()).anyMatch(line -> line.contains(part));
        simulator.clearViolations();
    }

    final MemorySegment scalar(float value) {
        return arena.allocateFrom(ValueLayout.JAVA_FLOAT, value);
    }

    final MemorySegment ints(int... values) {
        return arena.allocateFrom(ValueLayout.JAVA_INT, values);
    }

    final MemorySegment longs(long... values) {
        return arena.allocateFrom(ValueLayout.JAVA_LONG, values);
    }

    /** Fresh device memory: NaN. */
    final long memory(long bytes) {
        MemorySegment result = arena.allocate(8);
        must(driver.call("cuMemAlloc_v2", result, bytes));
        return result.get(ValueLayout.JAVA_LONG, 0);
    }

    final void free(long address) {
        must(driver.call("cuMemFree_v2", address));
    }

    final long floats(float... values) {
        long address = memory(4L * values.length);
        must(driver.call(
                "cuMemcpyHtoD_v2", address, arena.allocateFrom(ValueLayout.JAVA_FLOAT, values), 4L * values.length));
        return address;
    }

    final float[] read(long address, int count) {
        synchronize();
        MemorySegment values = arena.allocate(4L * count, 4);
        must(driver.call("cuMemcpyDtoH_v2", values, address, 4L * count));
        return values.toArray(ValueLayout.JAVA_FLOAT);
    }

    final long bfloats(float... values) {
        short[] bits = new short[values.length];
        for (int i = 0; i < values.length; i++) {
            int word = Float.floatToRawIntBits(values[i]);
            bits[i] = (short) ((word + 0x7fff + (word >>> 16 & 1)) >>> 16);
        }
        long address = memory(2L * values.length);
        must(driver.call(
                "cuMemcpyHtoD_v2", address, arena.allocateFrom(ValueLayout.JAVA_SHORT, bits), 2L * values.length));
        return address;
    }

    final float[] readBfloats(long address, int count) {
        synchronize();
        MemorySegment values = arena.allocate(2L * count, 2);
        must(driver.call("cuMemcpyDtoH_v2", values, address, 2L * count));
        float[] result = new float[count];
        for (int i = 0; i < count; i++) {
            result[i] = Float.intBitsToFloat(values.getAtIndex(ValueLayout.JAVA_SHORT, i) << 16);
        }
        return result;
    }

    final void synchronize() {
        must(driver.call("cuStreamSynchronize", stream));
    }
}
