package tenon.benchmarks.libtorch;

import org.bytedeco.javacpp.PointerScope;
import org.bytedeco.pytorch.InferenceMode;
import org.bytedeco.pytorch.Tensor;
import tenon.benchmarks.Step;

/** Logits of a batch in libtorch's inference mode. Under autocast the weights are cast once, not in every step. */
public final class TorchInference implements Step {
    private final TorchNetwork network;
    private final Tensor images;
    private final Autocast autocast;
    private PointerScope scope;

    public TorchInference(TorchNetwork network, Tensor images, boolean bf16) {
        this.network = network;
        this.images = images;
        autocast = Autocast.open(bf16);
    }

    @Override
    public void forward() {
        scope = new PointerScope();
        try (var _ = new InferenceMode()) {
            network.forward(images, false);
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
    public void close() {
        if (autocast != null) {
            autocast.close();
        }
    }
}
