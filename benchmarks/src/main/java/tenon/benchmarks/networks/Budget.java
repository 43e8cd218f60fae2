package tenon.benchmarks.networks;

/**
 * How long one process measures.
 *
 * @param seconds timed steps are taken for about this long, and at least three; as long before, untimed, and at least two steps: Java compiles what it has run a few
 *     thousand times, which a small network's step needs ten seconds for
 * @param steps exactly this many timed steps instead, and half as many before; 0 goes by the clock
 */
record Budget(double seconds, int steps) {
    private static final int WARM_UP_STEPS = 2;
    private static final int TIMED_STEPS = 3;

    boolean warmsUp(int done, double elapsed) {
        return steps > 0 ? done < Math.max(1, steps / 2) : done < WARM_UP_STEPS || elapsed < seconds;
    }

    boolean goesOn(int done, double elapsed) {
        return steps > 0 ? done < steps : done < TIMED_STEPS || elapsed < seconds;
    }

    Budget half() {
        return new Budget(seconds / 2, Math.ceilDiv(steps, 2));
    }
}
