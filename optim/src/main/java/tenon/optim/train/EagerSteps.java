package tenon.optim.train;

import tenon.engine.Scope;
import tenon.engine.Tensor;
import tenon.engine.data.Batch;
import tenon.layers.Module;
import tenon.optim.Optimizer;

/** Runs each step op by op, and waits for its loss before anything is updated. */
final class EagerSteps implements StepRunner {
    private final Module model;
    private final Optimizer optimizer;
    private final Loss loss;
    private final EpochMeter meter;
    private final boolean allowNonFinite;

    EagerSteps(Module model, Optimizer optimizer, Loss loss, EpochMeter meter, boolean allowNonFinite) {
        this.model = model;
        this.optimizer = optimizer;
        this.loss = loss;
        this.meter = meter;
        this.allowNonFinite = allowNonFinite;
    }

    @Override
    public void run(Batch batch, StepId id) {
        model.zeroGrad();
        try (var _ = Scope.open("step")) {
            Tensor logits = model.apply(batch.input());
            Tensor scalar = loss.apply(logits, batch.target());
            double value = scalar.item();
            if (!allowNonFinite && !Double.isFinite(value)) {
                throw StepRunner.failure(id, value, null);
            }
            scalar.backward();
            optimizer.step(id.rate());
            meter.add(logits, batch.target(), value, batch.size());
        }
    }

    /** Every step is waited for. */
    @Override
    public void finish() {}

    @Override
    public void close() {}
}
