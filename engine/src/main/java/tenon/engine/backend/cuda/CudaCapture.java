package tenon.engine.backend.cuda;

import java.lang.foreign.MemorySegment;
import tenon.engine.NotCapturableException;
import tenon.engine.OutOfMemoryException;
import tenon.engine.Tensor;
import tenon.engine.backend.CapturedStep;
import tenon.engine.backend.StepCapture;
import tenon.engine.backend.StepState;

/** Stream capture. The back-end's lock is held as long as a step is recorded, so other threads' work comes before or after. */
final class CudaCapture implements StepCapture {
    private final CudaBackend backend;
    private Kernel guardKernel;

    CudaCapture(CudaBackend backend) {
        this.backend = backend;
    }

    @Override
    public CapturedStep record(StepState state, Runnable step) {
        synchronized (backend.lock) {
            backend.checkNotCapturing("record");
            backend.enter();
            // What eager steps have left in the cache would lie idle beside the recording's memory.
            backend.synchronize();
            backend.general().trim();
            Recording recording = null;
            try {
                recording = new Recording(backend, state);
                backend.startRecording(recording);
                step.run();
                recording.finish();
                return recording;
            } catch (OutOfMemoryException e) {
                abandon(recording);
                throw new NotCapturableException("the memory does not suffice to record the step: " + e.getMessage());
            } catch (RuntimeException | Error e) {
                abandon(recording);
                throw e;
            }
        }
    }

    private void abandon(Recording recording) {
        if (recording != null) {
            recording.abandon();
            recording.close();
        }
    }

    @Override
    public boolean isRecording() {
        return backend.capturing();
    }

    @Override
    public void guard(Tensor loss) {
        if (!backend.capturing()) {
            throw new IllegalStateException("guard: only while a step is recorded");
        }
        backend.checkF32("guard", loss);
        backend.launch(guardKernel())
                .address(loss.address())
                .address(backend.scalars.problem())
                .elements(1);
    }

    private Kernel guardKernel() {
        if (guardKernel == null) {
            guardKernel = backend.kernels.get("capture", "guard_finite");
        }
        return guardKernel;
    }

    @Override
    public String problem() {
        backend.checkNotCapturing("problem");
        int[] bits = new int[1];
        backend.hostCopies.download(backend.scalars.problem(), MemorySegment.ofArray(bits));
        if ((bits[0] & StepScalars.BAD_INDEX) != 0) {
            return "a class index was out of range";
        }
        if ((bits[0] & StepScalars.NOT_FINITE) != 0) {
            return "a loss was not finite";
        }
        return (bits[0] & StepScalars.BAD_NORM) != 0 ? "the gradients' norm was not finite" : null;
    }

    @Override
    public void clearProblem() {
        synchronized (backend.lock) {
            backend.checkNotCapturing("clearProblem");
            backend.enter();
            backend.scalars.clearProblem();
        }
    }
}
