package tenon.benchmarks.gpu;

import tenon.engine.backend.Backend;

/** Times work that a device does after the call has returned: many calls between two waits. */
final class DeviceTimer {
    private static final int WARM_UP = 3;
    private static final int ROUNDS = 3;
    private static final int MOST_CALLS = 10_000;

    private DeviceTimer() {}

    /** Seconds of a call in the fastest of three rounds, which together take about that long. */
    static double secondsPerCall(Backend backend, double seconds, Runnable call) {
        double once = round(backend, WARM_UP, call);
        int calls = (int) Math.clamp(seconds / ROUNDS / once, 1, MOST_CALLS);
        double best = Double.POSITIVE_INFINITY;
        for (int i = 0; i < ROUNDS; i++) {
            best = Math.min(best, round(backend, calls, call));
        }
        return best;
    }

    private static double round(Backend backend, int calls, Runnable call) {
        backend.synchronize();
        long start = System.nanoTime();
        for (int i = 0; i < calls; i++) {
            call.run();
        }
        backend.synchronize();
        return 1e-9 * (System.nanoTime() - start) / calls;
    }
}
