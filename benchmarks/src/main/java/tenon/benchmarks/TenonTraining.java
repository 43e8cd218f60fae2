package tenon.benchmarks;

import tenon.engine.Generator;
import tenon.engine.Scope;
import tenon.engine.Tensor;
import tenon.engine.ops.Losses;
import tenon.layers.Module;
import tenon.optim.Sgd;
import tenon.optim.UpdateRules;

/** Softmax cross-entropy and SGD with momentum and weight decay on all parameters. State lives in the scope that is current at construction. */
public final class TenonTraining implements Step {
    private final Module network;
    private final Sgd optimizer;
    private final double rate;
    private Tensor images;
    private Tensor labels;
    private Scope scope;
    private Tensor loss;

    public TenonTraining(Module network, double rate, double momentum, double weightDecay) {
        this.network = network;
        this.rate = rate;
        optimizer = new Sgd(
                network.parameters(),
                momentum,
                false,
                UpdateRules.weightDecay(weightDecay).onAllParameters());
    }

    /** @param newLabels class indices [N] */
    public void batch(Tensor newImages, Tensor newLabels) {
        images = newImages;
        labels = newLabels;
    }

    @Override
    public void forward() {
        Generator.current().beginStep((int) optimizer.stepCount());
        scope = Scope.open("step");
        optimizer.zeroGrad();
        loss = Losses.softmaxCrossEntropy(network.apply(images), labels);
    }

    @Override
    public void backward() {
        loss.backward();
    }

    @Override
    public double update() {
        optimizer.step(rate);
        double value = loss.item();
        scope.close();
        return value;
    }

    @Override
    public void close() {}
}
