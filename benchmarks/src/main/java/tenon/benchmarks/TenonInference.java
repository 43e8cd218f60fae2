package tenon.benchmarks;

import tenon.engine.Scope;
import tenon.engine.Tensor;
import tenon.layers.InferenceForm;
import tenon.layers.Module;

/** Logits of a batch, of the network in the form for inference. */
public final class TenonInference implements Step {
    private final InferenceForm network;
    private final Tensor images;
    private Scope scope;

    public TenonInference(Module network, Tensor images) {
        this.network = InferenceForm.of(network);
        this.images = images;
    }

    @Override
    public void forward() {
        scope = Scope.open("step");
        network.apply(images);
    }

    @Override
    public void backward() {}

    @Override
    public double update() {
        scope.close();
        return Double.NaN;
    }

    @Override
    public void close() {}
}
