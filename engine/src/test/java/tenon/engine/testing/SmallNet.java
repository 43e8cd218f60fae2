package tenon.engine.testing;

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
import tenon.engine.ops.Casts;
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
public final class SmallNet {
    private final Backend backend;
    private final List<Tensor> parameters = new ArrayList<>();
    private final List<Tensor> velocities = new ArrayList<>();
    private final List<Tensor> buffers = new ArrayList<>();
    /** The whole batch, and its first half. */
    private final Tensor[] images = new Tensor[2];

    private final Tensor[] labels = new Tensor[2];
    private final int width;
    private int next;
    private int nextBuffer;
    private int step;

    /** Parameters and one batch of noise with random labels, in the current scope. */
    public SmallNet(Backend backend, int batch, int size, int width) {
        this(backend, DType.F32, batch, size, width);
    }

    /** @param dtype of activations and their gradients */
    public SmallNet(Backend backend, DType dtype, int batch, int size, int width) {
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
        float[] pixels = draw(rng, 1, batch * size * size);
        int[] indices = new int[batch];
        for (int i = 0; i < batch; i++) {
            indices[i] = rng.nextInt(10);
        }
        for (int i = 0; i < 2; i++) {
            int count = i == 0 ? batch : batch / 2;
            Tensor input = Tensor.empty(Shape.of(count, size, size, 1), DType.F32);
            input.upload(Arrays.copyOf(pixels, count * size * size));
            images[i] = Casts.cast(input, dtype);
            labels[i] = Tensor.of(Arrays.copyOf(indices, count), count);
        }
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

    private Tensor loss(int batch) {
        next = 0;
        nextBuffer = 0;
        Tensor x = images[batch];
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
        return Losses.softmaxCrossEntropy(Dense.dense(x, weight, bias), labels[batch]);
    }

    /** One SGD step with momentum; returns the loss before it. */
    public double train() {
        return train(0);
    }

    /** The same on the first half of the batch. */
    public double trainOnHalf() {
        return train(1);
    }

    private double train(int batch) {
        Generator.current().beginStep(step++);
        try (var _ = Scope.open("step")) {
            Tensor loss = step(batch);
            return loss.item();
        }
    }

    /** One step without reading its loss back. */
    public Tensor step() {
        return step(0);
    }

    /** Counts steps that were made otherwise. */
    public void skip(int steps) {
        step += steps;
    }

    private Tensor step(int batch) {
        parameters.forEach(Tensor::zeroGrad);
        Tensor loss = loss(batch);
        loss.backward();
        Tensor[] weights = parameters.toArray(Tensor[]::new);
        Tensor[] grads = parameters.stream().map(Tensor::grad).toArray(Tensor[]::new);
        float[] decay = new float[weights.length];
        float[] scale = new float[weights.length];
        Arrays.fill(scale, 1);
        backend.updates()
                .sgd(weights, grads, velocities.toArray(Tensor[]::new), 0.02f, 0.9f, true, 1, null, decay, scale);
        return loss;
    }

    public List<Tensor> parameters() {
        return parameters;
    }
}
