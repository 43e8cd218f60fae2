package tenon.benchmarks.libtorch;

import org.bytedeco.javacpp.PointerScope;
import org.bytedeco.pytorch.SGD;
import org.bytedeco.pytorch.SGDOptions;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.global.torch;
import tenon.benchmarks.TrainingStep;

/** Softmax cross-entropy and SGD with momentum and weight decay on all parameters, in libtorch. */
public final class TorchTraining implements TrainingStep {
    private final TorchNetwork network;
    private final SGD optimizer;
    private Tensor images;
    private Tensor labels;
    private PointerScope scope;
    private Tensor loss;

    public TorchTraining(TorchNetwork network, double rate, double momentum, double weightDecay) {
        this.network = network;
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
        loss = torch.cross_entropy_loss(network.forward(images, true), labels);
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
