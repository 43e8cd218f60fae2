package tenon.optim.train;

import tenon.engine.NonFiniteException;
import tenon.engine.Scope;
import tenon.engine.Tensor;
import tenon.engine.data.Batch;
import tenon.engine.data.BatchIterator;

/** Runs each step op by op, and waits for its losses before anything is updated. */
final class EagerSteps implements StepRunner {
    private final StepBody body;
    private final EpochMeter meter;
    private final boolean allowNonFinite;

    EagerSteps(StepBody body, EpochMeter meter, boolean allowNonFinite) {
        this.body = body;
        this.meter = meter;
        this.allowNonFinite = allowNonFinite;
    }

    @Override
    public void run(BatchIterator batches, StepId id) {
        TrainingState.Running before = meter.state();
        boolean done = false;
        try {
            body.begin();
            for (int i = 0; i < id.batches(); i++) {
                add(batches.next(), id);
            }
            body.update(id.rate());
            done = true;
        } catch (NonFiniteException e) {
            throw StepRunner.named(id, e);
        } finally {
            if (!done) {
                meter.restoreCounts(before);
            }
        }
    }

    private void add(Batch batch, StepId id) {
        try (var _ = Scope.open("step")) {
            double[] value = new double[1];
            StepBody.Outcome outcome = body.add(
                    batch.input(),
                    batch.target(),
                    (double) batch.size() / id.samples(),
                    shown -> value[0] = checked(shown.loss(), id));
            meter.add(outcome.logits(), batch.target(), value[0], batch.size());
        }
    }

    private double checked(Tensor loss, StepId id) {
        double value = loss.item();
        if (!allowNonFinite && !Double.isFinite(value)) {
            throw StepRunner.failure(id, value, null);
        }
        return value;
    }

    /** Every step is waited for. */
    @Override
    public void finish() {}

    @Override
    public void close() {}
}
