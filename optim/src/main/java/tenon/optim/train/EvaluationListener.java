package tenon.optim.train;

import tenon.engine.Tensor;
import tenon.engine.data.Batch;

/** Sees every batch of an evaluation with what the network made of it; the tensors are valid during the call only. */
@FunctionalInterface
public interface EvaluationListener {
    void batch(Batch batch, Tensor logits);
}
