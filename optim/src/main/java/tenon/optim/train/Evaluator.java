package tenon.optim.train;

import java.util.function.BooleanSupplier;
import tenon.engine.GradMode;
import tenon.engine.Scope;
import tenon.engine.Tensor;
import tenon.engine.data.Batch;
import tenon.engine.data.BatchIterator;
import tenon.engine.data.BatchSource;
import tenon.layers.Module;
import tenon.optim.metrics.ConfusionMatrix;
import tenon.optim.metrics.Evaluation;
import tenon.optim.metrics.RankCounter;

/** Measures a network over a data set: evaluation mode, no gradients, one scope per batch. */
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
                var _ = Scope.open("evaluation");
                BatchIterator batches = source.iterate(0, 0)) {
            RankCounter ranks = new RankCounter();
            ConfusionMatrix confusion = null;
            double lossSum = 0;
            long samples = 0;
            while (batches.hasNext()) {
                if (stop.getAsBoolean()) {
                    return null;
                }
                Batch batch = batches.next();
                try (var _ = Scope.open("step")) {
                    Tensor logits = model.apply(batch.input());
                    lossSum += loss.apply(logits, batch.target()).item() * batch.size();
                    samples += batch.size();
                    if (ranks.add(logits, batch.target())) {
                        if (confusion == null) {
                            confusion = new ConfusionMatrix(
                                    Math.max(2, logits.shape().dim(1)));
                        }
                        for (int row = 0; row < ranks.rows(); row++) {
                            confusion.add(ranks.truth(row), ranks.predicted(row));
                        }
                    }
                    listener.batch(batch, logits);
                }
            }
            return new Evaluation(
                    samples, samples == 0 ? Double.NaN : lossSum / samples, ranks.rank1(), ranks.rank5(), confusion);
        } finally {
            if (training) {
                model.train();
            }
        }
    }
}
