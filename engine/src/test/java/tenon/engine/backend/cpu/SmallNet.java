package tenon.engine.backend.cpu;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import tenon.engine.DType;
import tenon.engine.Generator;
import tenon.engine.Rng;
import tenon.engine.Scope;
import tenon.engine.Shape;
import tenon.engine.Tensor;
import tenon.engine.backend.Backend;
import tenon.engine.ops.Activations;
import tenon.engine.ops.BatchNormSpec;
import tenon.engine.ops.ConvSpec;
import tenon.engine.ops.Convolution;
import tenon.engine.ops.Dense;
import tenon.engine.ops.Dropout;
import tenon.engine.ops.Losses;
import tenon.engine.ops.Normalization;
import tenon.engine.ops.PoolSpec;
import tenon.engine.ops.Pooling;
import tenon.engine.ops.Reshape;

/** [conv 3×3 → ReLU → batch norm] × 2 → max pool → dropout, twice, then two dense layers: MiniVGG with a width to choose. */
final class SmallNet {
    private final Backend backend;
    private final List<Tensor> parameters = new ArrayList<>();
    private final List<Tensor> velocities = new ArrayList<>();
    private final List<Tensor> buffers = new ArrayList<>();
    private final Tensor images;
    private final Tensor labels;
    private final int width;
    private int next;
    private int nextBuffer;
    private int step;

    /** Parameters and one batch of noise with random labels, in the current scope. */
    SmallNet(Backend backend, int batch, int size, int width) {
        this.backend = backend;
        this.width = width;
        Rng rng = new Rng(1, Rng.stream("net"), 0);
        int channels = 1;
        for (int block = 0; block < 2; block++) {
            for (int layer = 0; layer < 2; layer++) {
                int filters = width << block;
                parameter(rng, Math.sqrt(2.0 / (9 * channels)), filters, 3, 3, channels);
                parameter(rng, 0, filters);
                norm(filters);
                channels = filters;
            }
        }
        int features = channels * (size / 4) * (size / 4);
        parameter(rng, Math.sqrt(2.0 / features), 8 * width, features);
        parameter(rng, 0, 8 * width);
        norm(8 * width);
        parameter(rng, Math.sqrt(1.0 / (8 * width)), 10, 8 * width);
        parameter(rng, 0, 10);
        images = Tensor.empty(Shape.of(batch, size, size, 1), DType.F32);
        images.upload(draw(rng, 1, (int) images.elementCount()));
        int[] indices = new int[batch];
        for (int i = 0; i < batch; i++) {
            indices[i] = rng.nextInt(10);
        }
        labels = Tensor.of(indices, batch);
    }

    private static float[] draw(Rng rng, double scale, int count) {
        float[] values = new float[count];
        for (int i = 0; i < count; i++) {
            values[i] = (float) rng.nextUniform(-scale, scale);
        }
        return values;
    }

    private void parameter(Rng rng, double scale, int... dims) {
        Tensor tensor = Tensor.empty(Shape.of(dims), DType.F32);
        tensor.upload(draw(rng, scale, (int) tensor.elementCount()));
        parameters.add(tensor.requireGrad(true));
        velocities.add(Tensor.zeros(tensor.shape(), DType.F32));
    }

    private void norm(int channels) {
        for (int i = 0; i < 2; i++) {
            parameters.add(
                    Tensor.full(Shape.of(channels), DType.F32, i == 0 ? 1 : 0).requireGrad(true));
            velocities.add(Tensor.zeros(Shape.of(channels), DType.F32));
            buffers.add(Tensor.full(Shape.of(channels), DType.F32, i));
        }
    }

    private Tensor take() {
        return parameters.get(next++);
    }

    private Tensor normalize(Tensor x) {
        Tensor gamma = take();
        Tensor beta = take();
        return Normalization.batchNorm(
                x, gamma, beta, buffers.get(nextBuffer++), buffers.get(nextBuffer++), BatchNormSpec.defaults(), true);
    }

    private Tensor loss() {
        next = 0;
        nextBuffer = 0;
        Tensor x = images;
        for (int block = 0; block < 2; block++) {
            for (int layer = 0; layer < 2; layer++) {
                Tensor weight = take();
                Tensor bias = take();
                x = normalize(Activations.relu(Convolution.conv2d(x, weight, bias, ConvSpec.of(1, 1))));
            }
            x = Dropout.dropout(Pooling.maxPool2d(x, PoolSpec.of(2, 2)), 0.25);
        }
        Tensor weight = take();
        Tensor bias = take();
        x = normalize(Activations.relu(Dense.dense(Reshape.flatten(x), weight, bias)));
        weight = take();
        bias = take();
        return Losses.softmaxCrossEntropy(Dense.dense(x, weight, bias), labels);
    }

    /** One SGD step with momentum; returns the loss before it. */
    double train() {
        Generator.current().beginStep(step++);
        try (var _ = Scope.open("step")) {
            parameters.forEach(Tensor::zeroGrad);
            Tensor loss = loss();
            loss.backward();
            Tensor[] weights = parameters.toArray(Tensor[]::new);
            Tensor[] grads = parameters.stream().map(Tensor::grad).toArray(Tensor[]::new);
            float[] decay = new float[weights.length];
            float[] scale = new float[weights.length];
            Arrays.fill(scale, 1);
            backend.updates()
                    .sgd(weights, grads, velocities.toArray(Tensor[]::new), 0.02f, 0.9f, true, 1, decay, scale);
            return loss.item();
        }
    }

    List<Tensor> parameters() {
        return parameters;
    }
}
