package tenon.engine.backend.cuda;

import java.util.function.IntSupplier;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import tenon.engine.NotCapturableException;
import tenon.engine.OutOfMemoryException;
import tenon.engine.TenonException;
import tenon.engine.backend.cuda.CudaOptions.LibraryChoice;

/** Says whether cuDNN or own kernels compute an operation that both can do: as the options name it, or by measuring both on memory of their own. What was measured is remembered on disk. */
final class LibraryChooser implements AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(LibraryChooser.class);
    private static final String CUDNN = "cudnn";
    private static final String OWN = "own";

    private final CudaBackend backend;
    private final PlanCache cache;
    private StreamTimer timer;
    private long measured;

    LibraryChooser(CudaBackend backend) {
        this.backend = backend;
        cache = new PlanCache(backend.options.cache().resolve("choices"), "library choice");
    }

    /** Choices that were measured, not remembered. */
    long measured() {
        return measured;
    }

    /** Both ways to compute a problem, each as a whole: forward and backward. */
    interface Trial {
        /** @return a status of cuDNN */
        int cudnn();

        void own();
    }

    /**
     * Call it under the back-end's lock, once per problem.
     *
     * @param problem one line that says all of it
     * @return whether cuDNN computes it
     */
    boolean prefersCudnn(String op, LibraryChoice choice, Object problem, Trial trial) {
        if (choice == LibraryChoice.OWN) {
            return false;
        }
        if (backend.capturing()) {
            throw new NotCapturableException(TenonException.where(op) + ": the first " + problem
                    + " chooses between cuDNN and own kernels, so a step with it cannot be recorded (it runs without"
                    + " recording)");
        }
        String key = backend.cudnn.machine() + " " + backend.options.workspaceLimit() + " " + op + " " + problem;
        String known = choice == LibraryChoice.MEASURED ? cache.get(key) : null;
        if (OWN.equals(known)) {
            return false;
        }
        try {
            if (!works(op, trial::cudnn)) {
                return false;
            }
            return choice == LibraryChoice.CUDNN || CUDNN.equals(known) || measure(key, trial);
        } catch (OutOfMemoryException e) {
            LOG.debug("cuda: no memory to try cuDNN for {} {}", op, problem, e);
            return false;
        }
    }

    private static boolean works(String op, IntSupplier run) {
        int status = run.getAsInt();
        if (CudnnStatus.isUnsupported(status)) {
            return false;
        }
        CudnnStatus.check(op, "the trial", status);
        return true;
    }

    private boolean measure(String key, Trial trial) {
        if (timer == null) {
            timer = new StreamTimer(backend.compute);
        }
        trial.own();
        float library = timer.fastest(trial::cudnn);
        float own = timer.fastest(trial::own);
        measured++;
        boolean faster = library < own;
        LOG.debug("cuda: {}: cuDNN {} ms, own kernels {} ms", key, library, own);
        cache.put(key, faster ? CUDNN : OWN);
        return faster;
    }

    @Override
    public void close() {
        if (timer != null) {
            timer.close();
            timer = null;
        }
    }
}
