package tenon.engine;

/**
 * Hands out the random sequences of ops such as dropout. A draw depends on (seed, step, number of the call within the step, element index) only;
 * a trainer calls {@link #beginStep} before each step, so a resumed run repeats an uninterrupted one. Without it, calls keep counting and
 * masks still differ from call to call. One generator per thread, see {@link #current()}.
 */
public final class Generator {
    private long seed;
    private int step;
    private int call;

    Generator() {}

    public static Generator current() {
        return Context.get().generator();
    }

    public void manualSeed(long newSeed) {
        seed = newSeed;
        step = 0;
        call = 0;
    }

    public void beginStep(int newStep) {
        step = newStep;
        call = 0;
    }

    public long seed() {
        return seed;
    }

    /** The sequence for the next random op of this step. */
    public Rng next() {
        return new Rng(seed, call++, step);
    }
}
