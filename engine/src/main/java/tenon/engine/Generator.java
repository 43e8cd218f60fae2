package tenon.engine;

/**
 * Hands out the random sequences of ops such as dropout. A draw depends on (seed, step, number of the call within the step, element index) only;
 * a trainer calls {@link #beginStep} before each step, so a resumed run repeats an uninterrupted one. Without it, calls keep counting and
 * masks still differ from call to call. One generator per thread, see {@link #current()}.
 */
public final class Generator {
    /** Steps count from 0, so this one is free. */
    private static final int INITIALIZATION = -1;

    private long seed;
    private int step;
    private int call;
    private int initialized;

    Generator() {}

    public static Generator current() {
        return Context.get().generator();
    }

    public void manualSeed(long newSeed) {
        seed = newSeed;
        step = 0;
        call = 0;
        initialized = 0;
    }

    public void beginStep(int newStep) {
        beginStep(newStep, 0);
    }

    /** As {@link #beginStep(int)}, after the first {@code calls} sequences of the step, which another thread hands out. */
    public void beginStep(int newStep, int calls) {
        step = newStep;
        call = calls;
    }

    /** Sequences handed out in this step so far. */
    public int calls() {
        return call;
    }

    public long seed() {
        return seed;
    }

    /** The sequence for the next random op of this step. */
    public Rng next() {
        return new Rng(seed, call++, step);
    }

    /**
     * The sequence for the next parameter to initialize: a function of the seed and of how many were initialized since {@link #manualSeed},
     * and shared with no step. The same seed and order of construction give the same weights.
     */
    public Rng nextInitialization() {
        return new Rng(seed, initialized++, INITIALIZATION);
    }
}
