package tenon.optim.train;

import java.util.function.BooleanSupplier;
import tenon.engine.GradMode;
import tenon.engine.LateChecks;
import tenon.engine.Scope;
import tenon.engine.Tensor;
import tenon.engine.data.Batch;
import tenon.engine.data.BatchIterator;
import tenon.engine.data.BatchSource;
import tenon.layers.Module;
import tenon.optim.metrics.Evaluation;

/** Measures a network over a data set: evaluation mode, no gradients, one scope per batch. A device is not waited for in between, unless the listener does. */
public final class Evaluator {
    private Evaluator() {}

    public static Evaluation evaluate(Module model, Loss loss, BatchSource source) {
        return evaluate(model, loss, source, (_, _) -> {});
    }

    /** Leaves the network in the mode, training or evaluation, in which its root was. */
    public static Evaluation evaluate(Module model, Loss loss, BatchSource source, EvaluationListener listener) {
        return evaluate(model, loss, source, listener, () -> false);
    }

    /** @return null if {@code stop} became true on the way */
    static Evaluation evaluate(
            Module model, Loss loss, BatchSource source, EvaluationListener listener, BooleanSupplier stop) {
        boolean training = model.isTraining();
        model.eval();
        try (var _ = GradMode.noGrad();
                var _ = LateChecks.open();
                var _ = Scope.open("evaluation");
                EvaluationMeter meter = new EvaluationMeter();
                BatchIterator batches = source.iterate(0, 0)) {
            while (batches.hasNext()) {
                if (stop.getAsBoolean()) {
                    return null;
                }
                Batch batch = batches.next();
                try (var _ = Scope.open("step")) {
                    Tensor logits = model.apply(batch.input());
                    meter.add(loss.apply(logits, batch.target()), logits, batch.target(), batch.size());
                    listener.batch(batch, logits);
                }
            }
            return meter.result();
        } finally {
            if (training) {
                model.train();
            }
        }
    }
}
