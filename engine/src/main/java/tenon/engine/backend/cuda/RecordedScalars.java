package tenon.engine.backend.cuda;

import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.List;
import jcuda.driver.JCudaDriver;
import tenon.engine.NotCapturableException;
import tenon.engine.backend.StepState;
import tenon.engine.memory.Allocator;
import tenon.engine.memory.Storage;

/** The scalars of a recorded step: each has its place in device memory, and all are written and copied at once before a replay. */
final class RecordedScalars implements AutoCloseable {
    private static final int MOST = 1024;
    /** Replays whose scalars may wait for their copy. */
    private static final int FRAMES = 4;

    private final CudaBackend backend;
    private final Storage device;
    private final List<StepScalars.Writer> writers = new ArrayList<>();
    private final List<MemorySegment> places = new ArrayList<>();
    private final Event[] copied = new Event[FRAMES];
    private Pinned host;
    private long replays;

    RecordedScalars(CudaBackend backend, Allocator pool) {
        this.backend = backend;
        device = pool.allocate((long) MOST * StepScalars.LARGEST);
    }

    /** Device address for a writer's value. */
    long reserve(StepScalars.Writer writer) {
        if (writers.size() == MOST) {
            throw new NotCapturableException("a recorded step has at most " + MOST
                    + " values that change from replay to replay (it runs without recording)");
        }
        writers.add(writer);
        return device.blockAddress() + (writers.size() - 1L) * StepScalars.LARGEST;
    }

    /** Makes what replays need; the number of scalars is known from here on. */
    void finish() {
        if (writers.isEmpty()) {
            return;
        }
        long frame = (long) writers.size() * StepScalars.LARGEST;
        host = new Pinned(FRAMES * frame);
        for (int i = 0; i < FRAMES; i++) {
            copied[i] = new Event();
        }
        for (int i = 0; i < FRAMES * writers.size(); i++) {
            places.add(host.segment().asSlice((long) i * StepScalars.LARGEST, StepScalars.LARGEST));
        }
    }

    /** Queues the copy of all scalars as they are for this replay. */
    void send(StepState now) {
        if (writers.isEmpty()) {
            return;
        }
        int frame = (int) (replays++ % FRAMES);
        copied[frame].synchronize();
        int first = frame * writers.size();
        for (int i = 0; i < writers.size(); i++) {
            writers.get(i).write(now, places.get(first + i));
        }
        long byteSize = (long) writers.size() * StepScalars.LARGEST;
        Driver.run(
                "cuMemcpyHtoDAsync",
                () -> JCudaDriver.cuMemcpyHtoDAsync(
                        Pointers.at(device.blockAddress()),
                        host.at((long) first * StepScalars.LARGEST),
                        byteSize,
                        backend.compute.handle()));
        copied[frame].record(backend.compute);
    }

    @Override
    public void close() {
        for (Event event : copied) {
            if (event != null) {
                event.close();
            }
        }
        if (host != null) {
            host.close();
        }
        device.release();
    }
}
