package tenon.benchmarks;

import tenon.engine.GradMode;
import tenon.engine.Scope;
import tenon.engine.Tensor;
import tenon.layers.Module;

/** Logits of a batch, in evaluation mode and without a tape. */
public final class TenonInference implements Step {
    private final Module network;
    private final Tensor images;
    private Scope scope;

    public TenonInference(Module network, Tensor images) {
        this.network = network;
        this.images = images;
        network.eval();
    }

    @Override
    public void forward() {
        scope = Scope.open("step");
        try (var _ = GradMode.noGrad()) {
            network.apply(images);
        }
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
