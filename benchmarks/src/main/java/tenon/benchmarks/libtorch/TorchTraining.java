package tenon.benchmarks.libtorch;

import org.bytedeco.javacpp.PointerScope;
import org.bytedeco.pytorch.SGD;
import org.bytedeco.pytorch.SGDOptions;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.global.torch;
import tenon.benchmarks.Step;

/** Softmax cross-entropy and SGD with momentum and weight decay on all parameters, in libtorch; the forward pass under autocast if wanted. */
public final class TorchTraining implements Step {
    private final TorchNetwork network;
    private final SGD optimizer;
    private final boolean bf16;
    private Tensor images;
    private Tensor labels;
    private PointerScope scope;
    private Tensor loss;

    public TorchTraining(TorchNetwork network, double rate, double momentum, double weightDecay) {
        this(network, rate, momentum, weightDecay, false);
    }

    public TorchTraining(TorchNetwork network, double rate, double momentum, double weightDecay, boolean bf16) {
        this.network = network;
        this.bf16 = bf16;
        try (SGDOptions options = new SGDOptions(rate)) {
            options.momentum().put(momentum);
            options.weight_decay().put(weightDecay);
            optimizer = new SGD(network.parameters(), options);
        }
    }

    /** @param newLabels class indices [N] */
    public void batch(Tensor newImages, Tensor newLabels) {
        images = newImages;
        labels = newLabels;
    }

    @Override
    public void forward() {
        scope = new PointerScope();
        optimizer.zero_grad(true);
        try (var _ = Autocast.open(bf16)) {
            loss = torch.cross_entropy_loss(network.forward(images, true), labels);
        }
    }

    @Override
    public void backward() {
        loss.backward();
    }

    @Override
    public double update() {
        optimizer.step();
        double value = loss.item_double();
        scope.close();
        return value;
    }

    @Override
    public void close() {
        optimizer.close();
    }
}
