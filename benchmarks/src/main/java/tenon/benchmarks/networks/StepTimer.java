package tenon.benchmarks.networks;

import java.util.ArrayList;
import java.util.List;
import tenon.benchmarks.Statistics;
import tenon.benchmarks.Step;

/** Times the parts of many steps. */
final class StepTimer {
    /** Seconds of one step. */
    private record Times(double forward, double backward, double update, double kernels) {
        double step() {
            return forward + backward + update;
        }
    }

    private final Step step;
    private final KernelProfile profile;
    private final List<Times> times = new ArrayList<>();

    /** @param profile the one that the step's kernels report to */
    StepTimer(Step step, KernelProfile profile) {
        this.step = step;
        this.profile = profile;
    }

    void run(Budget budget) {
        long start = System.nanoTime();
        for (int i = 0; budget.warmsUp(i, seconds(start)); i++) {
            once();
        }
        profile.reset();
        times.clear();
        start = System.nanoTime();
        for (int i = 0; budget.goesOn(i, seconds(start)); i++) {
            once();
        }
    }

    private static double seconds(long start) {
        return 1e-9 * (System.nanoTime() - start);
    }

    private void once() {
        long inKernels = profile.nanos();
        long start = System.nanoTime();
        step.forward();
        long forward = System.nanoTime();
        step.backward();
        long backward = System.nanoTime();
        step.update();
        long end = System.nanoTime();
        times.add(new Times(
                1e-9 * (forward - start),
                1e-9 * (backward - forward),
                1e-9 * (end - backward),
                1e-9 * (profile.nanos() - inKernels)));
    }

    Outcome outcome(String precision, long parameters) {
        return new Outcome(
                precision,
                parameters,
                List.of(),
                times.size(),
                Statistics.median(times.stream().mapToDouble(Times::step)),
                Statistics.median(times.stream().mapToDouble(Times::forward)),
                Statistics.median(times.stream().mapToDouble(Times::backward)),
                Statistics.median(times.stream().mapToDouble(Times::update)),
                Statistics.median(times.stream().mapToDouble(t -> t.kernels() == 0 ? 0 : t.step() - t.kernels())),
                PeakMemory.read(),
                profile.perStep(times.size()));
    }
}
