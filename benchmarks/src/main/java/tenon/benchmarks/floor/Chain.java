package tenon.benchmarks.floor;

import java.util.List;
import tenon.engine.Tensor;

/**
 * The primitives of one training step on buffers of their own, in order: forward, then backward.
 *
 * @param parameters what the update changes, each flat in the layout in which its gradient arrives
 */
record Chain(List<Step> steps, List<Parameter> parameters) {
    /** All F32 [elements], layout padding included. */
    record Parameter(Tensor value, Tensor gradient, Tensor velocity) {}

    void run() {
        for (Step step : steps) {
            step.primitive().run();
        }
    }
}
