package tenon.engine.backend.cuda;

import java.util.ArrayList;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Map;
import jcuda.CudaException;
import jcuda.driver.CUgraph;
import jcuda.driver.CUgraphExec;
import jcuda.driver.CUstreamCaptureMode;
import jcuda.driver.JCudaDriver;
import tenon.engine.backend.CapturedStep;
import tenon.engine.backend.StepState;
import tenon.engine.memory.CachingAllocator;
import tenon.engine.memory.Storage;

/** A step as a graph of the driver, with the memory that it uses. Guarded by the back-end's lock. */
final class Recording implements CapturedStep {
    private final CudaBackend backend;
    private final Thread thread = Thread.currentThread();
    private final StepState state;
    /** Blocks that the step gives back are used again within the step, in the order of its stream, and by nobody else until the recording is closed. */
    private final CachingAllocator pool;

    private final RecordingMemory memory;
    private final RecordedScalars scalars;
    private final List<Storage> kept = new ArrayList<>();
    private final Map<Scratch, Scratch> scratches = new IdentityHashMap<>();
    /** BF16 copies that the step reads or writes, and whether each was up to date before. */
    private final Map<ComputeCopy, Boolean> copies = new IdentityHashMap<>();
    /** Weights that the step updates and that have no copy that it writes along. */
    private final List<Storage> updatedAlone = new ArrayList<>();

    private final CUgraph graph = new CUgraph();
    private final CUgraphExec executable = new CUgraphExec();
    private boolean capturing;
    private boolean hasGraph;
    private boolean hasExecutable;
    private boolean closed;

    Recording(CudaBackend backend, StepState state) {
        this.backend = backend;
        this.state = state;
        memory = new RecordingMemory(backend.memory);
        pool = new CachingAllocator(memory, Long.MAX_VALUE);
        scalars = new RecordedScalars(backend, pool);
    }

    // ---- while it is made ----

    /** From here on, work queued in the compute stream is recorded instead of run. */
    void begin() {
        // Relaxed: what must not happen meanwhile, CudaBackend.checkNotCapturing refuses by name; memory may be
        // allocated.
        Driver.run(
                "cuStreamBeginCapture",
                () -> JCudaDriver.cuStreamBeginCapture(
                        backend.compute.handle(), CUstreamCaptureMode.CU_STREAM_CAPTURE_MODE_RELAXED));
        capturing = true;
    }

    /** Ends a recording whose step ran through. */
    void finish() {
        Driver.run("cuStreamEndCapture", () -> JCudaDriver.cuStreamEndCapture(backend.compute.handle(), graph));
        capturing = false;
        backend.endRecording();
        hasGraph = true;
        restoreCopies();
        scalars.finish();
        Driver.run("cuGraphInstantiate", () -> JCudaDriver.cuGraphInstantiate(executable, graph, 0));
        hasExecutable = true;
    }

    /** Ends a recording whose step failed; nothing of it was run. */
    void abandon() {
        if (capturing) {
            capturing = false;
            try {
                JCudaDriver.cuStreamEndCapture(backend.compute.handle(), graph);
                hasGraph = true;
            } catch (CudaException _) {
                // A capture that something forbidden has broken ends with an error, and without a graph.
            }
            backend.endRecording();
        }
        restoreCopies();
    }

    private void restoreCopies() {
        copies.forEach(ComputeCopy::setValid);
    }

    Thread thread() {
        return thread;
    }

    StepState state() {
        return state;
    }

    CachingAllocator pool() {
        return pool;
    }

    RecordedScalars scalars() {
        return scalars;
    }

    /** The recording's own in place of the back-end's. */
    Scratch scratch(Scratch outside) {
        return scratches.computeIfAbsent(outside, _ -> new Scratch(backend, pool));
    }

    /**
     * Address of memory for what is written once and replays read, kept until the recording is closed. Not of the pool: its blocks may have served the step before, and are overwritten
     * by each replay.
     */
    long allocate(long byteSize) {
        Storage storage = backend.general().allocate(byteSize);
        kept.add(storage);
        return storage.blockAddress();
    }

    /** Called before a copy is read, renewed or written: what it was like before is what it is like after recording. */
    void touches(ComputeCopy copy) {
        copies.putIfAbsent(copy, copy.isValid());
    }

    /** Called when an update writes a weight that has no copy. */
    void updatesAlone(Storage weight) {
        updatedAlone.add(weight);
    }

    // ---- from then on ----

    @Override
    public void replay(StepState now) {
        synchronized (backend.lock) {
            if (closed) {
                throw new IllegalStateException("recorded step: it is closed");
            }
            backend.checkNotCapturing("replay");
            backend.enter();
            // The graph reads copies as it found them: up to date, unless somebody has changed a weight since.
            copies.keySet().forEach(copy -> {
                if (!copy.isValid() && !copy.isReleased()) {
                    copy.renew(backend);
                }
            });
            scalars.send(now);
            Driver.run("cuGraphLaunch", () -> JCudaDriver.cuGraphLaunch(executable, backend.compute.handle()));
            updatedAlone.forEach(weight -> {
                ComputeCopy copy = ComputeCopy.of(weight);
                if (copy != null && !copies.containsKey(copy)) {
                    copy.setValid(false);
                }
            });
            backend.launched("replay");
        }
    }

    @Override
    public void close() {
        synchronized (backend.lock) {
            if (closed) {
                return;
            }
            closed = true;
            backend.forget(this);
            backend.enter();
            Driver.runQuietly(() -> JCudaDriver.cuStreamSynchronize(backend.compute.handle()));
            if (hasExecutable) {
                Driver.runQuietly(() -> JCudaDriver.cuGraphExecDestroy(executable));
            }
            if (hasGraph) {
                Driver.runQuietly(() -> JCudaDriver.cuGraphDestroy(graph));
            }
            scratches.values().forEach(Scratch::close);
            kept.forEach(Storage::release);
            scalars.close();
            memory.close();
            pool.close();
        }
    }
}
