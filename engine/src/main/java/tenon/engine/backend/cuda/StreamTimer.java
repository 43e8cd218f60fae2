package tenon.engine.backend.cuda;

import jcuda.driver.CUevent;
import jcuda.driver.CUevent_flags;
import jcuda.driver.JCudaDriver;

/** Measures how long work takes on a stream. */
final class StreamTimer implements AutoCloseable {
    private static final int REPEATS = 3;

    private final Stream stream;
    private final CUevent begin = new CUevent();
    private final CUevent end = new CUevent();

    StreamTimer(Stream stream) {
        this.stream = stream;
        Driver.run("cuEventCreate", () -> JCudaDriver.cuEventCreate(begin, CUevent_flags.CU_EVENT_DEFAULT));
        Driver.run("cuEventCreate", () -> JCudaDriver.cuEventCreate(end, CUevent_flags.CU_EVENT_DEFAULT));
    }

    /** Milliseconds from the start to the end of what {@code work} queues, which are over when this returns. */
    float milliseconds(Runnable work) {
        Driver.run("cuEventRecord", () -> JCudaDriver.cuEventRecord(begin, stream.handle()));
        work.run();
        Driver.run("cuEventRecord", () -> JCudaDriver.cuEventRecord(end, stream.handle()));
        Driver.run("cuEventSynchronize", () -> JCudaDriver.cuEventSynchronize(end));
        float[] elapsed = new float[1];
        Driver.run("cuEventElapsedTime", () -> JCudaDriver.cuEventElapsedTime(elapsed, begin, end));
        return elapsed[0];
    }

    /** The shortest of a few measurements. */
    float fastest(Runnable work) {
        float best = Float.MAX_VALUE;
        for (int i = 0; i < REPEATS; i++) {
            best = Math.min(best, milliseconds(work));
        }
        return best;
    }

    @Override
    public void close() {
        Driver.runQuietly(() -> JCudaDriver.cuEventDestroy(begin));
        Driver.runQuietly(() -> JCudaDriver.cuEventDestroy(end));
    }
}
