package tenon.benchmarks.libtorch;

import java.util.ArrayList;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.TensorOptional;
import org.bytedeco.pytorch.TensorVector;
import org.bytedeco.pytorch.global.torch;
import org.bytedeco.pytorch.global.torch.MemoryFormat;
import tenon.engine.Shape;
import tenon.layers.Module;

/**
 * A chain of layers in libtorch, input [N, C, H, W], that starts with the weights of a Tenon network. Each layer names the Tenon layer whose weights
 * it copies and states its own size, so that a network built differently is an error and not a wrong comparison. Filters change from [K, R, S, C] to
 * [K, C, R, S], and the columns of the first dense layer behind an image from the order row, column, channel to channel, row, column.
 *
 * <p>Native objects belong to JavaCPP's {@code PointerScope} that is open when the network is built.
 */
public final class TorchNetwork {
    private interface Layer {
        Tensor apply(Tensor x, boolean training);
    }

    /** @param shape of the Tenon tensor; of a dense weight behind an image, [O, H, W, C] */
    private record State(Tensor tensor, Shape shape, boolean trained) {}

    private final Map<String, tenon.engine.Tensor> source;
    private final Map<String, State> state = new LinkedHashMap<>();
    private final List<Layer> layers = new ArrayList<>();
    private final TorchOptions options;
    private int height;
    private int width;
    private int channels;

    /**
     * @param source gives the weights
     * @param input [H, W, C] of one image
     */
    public TorchNetwork(Module source, Shape input, TorchOptions options) {
        this.source = source.state();
        this.options = options;
        height = input.dim(0);
        width = input.dim(1);
        channels = input.dim(2);
    }

    // ---- building ----

    /** 3×3, stride 1, padding 1, with bias. */
    public TorchNetwork conv3x3(String name, int filters) {
        Shape shape = Shape.of(filters, 3, 3, channels);
        double[] values = take(name + ".weight", shape);
        Tensor weight = learn(name + ".weight", image(values, filters, 3, 3, channels), shape);
        TensorOptional bias = new TensorOptional(vector(name + ".bias", filters, true));
        long[] one = {1, 1};
        layers.add((x, _) -> torch.conv2d(x, weight, bias, one, one, one, 1));
        channels = filters;
        return this;
    }

    public TorchNetwork relu() {
        layers.add((x, _) -> torch.relu(x));
        return this;
    }

    public TorchNetwork sigmoid() {
        layers.add((x, _) -> torch.sigmoid(x));
        return this;
    }

    /** @param momentum weight of the new batch; the running variance is the unbiased one */
    public TorchNetwork batchNorm(String name, double epsilon, double momentum) {
        TensorOptional gamma = new TensorOptional(vector(name + ".gamma", channels, true));
        TensorOptional beta = new TensorOptional(vector(name + ".beta", channels, true));
        TensorOptional mean = new TensorOptional(vector(name + ".runningMean", channels, false));
        TensorOptional variance = new TensorOptional(vector(name + ".runningVariance", channels, false));
        layers.add(
                (x, training) -> torch.batch_norm(x, gamma, beta, mean, variance, training, momentum, epsilon, false));
        return this;
    }

    /** 2×2, stride 2. */
    public TorchNetwork maxPool2x2() {
        long[] two = {2, 2};
        long[] none = {0, 0};
        long[] one = {1, 1};
        layers.add((x, _) -> torch.max_pool2d(x, two, two, none, one, false));
        height /= 2;
        width /= 2;
        return this;
    }

    public TorchNetwork dropout(double rate) {
        if (options.dropout()) {
            layers.add((x, training) -> torch.dropout(x, rate, training));
        }
        return this;
    }

    public TorchNetwork flatten() {
        layers.add((x, _) -> torch.flatten(x, 1, -1));
        return this;
    }

    /** With bias; behind an image, after {@link #flatten}. */
    public TorchNetwork dense(String name, int outputs) {
        Shape shape = Shape.of(outputs, height, width, channels);
        double[] values = take(name + ".weight", Shape.of(outputs, height * width * channels));
        Tensor filters =
                TorchTensors.image(values, options.type(), MemoryFormat.Contiguous, outputs, height, width, channels);
        Tensor weight = learn(name + ".weight", filters.view(outputs, -1), shape);
        TensorOptional bias = new TensorOptional(vector(name + ".bias", outputs, true));
        layers.add((x, _) -> torch.linear(x, weight, bias));
        height = 1;
        width = 1;
        channels = outputs;
        return this;
    }

    /** Ends the building; throws when the Tenon network has weights that no layer took. */
    public TorchNetwork complete() {
        Set<String> left = new HashSet<>(source.keySet());
        left.removeAll(state.keySet());
        if (!left.isEmpty()) {
            throw new IllegalArgumentException(
                    "libtorch: every weight of the Tenon network must be taken by a layer: left=" + left);
        }
        return this;
    }

    private double[] take(String name, Shape shape) {
        tenon.engine.Tensor tensor = source.get(name);
        if (tensor == null || !tensor.shape().equals(shape)) {
            throw new IllegalArgumentException("libtorch: the Tenon network must have " + name + " " + shape + ": "
                    + (tensor == null ? "its names are " + source.keySet() : "it is " + tensor.shape()));
        }
        return tensor.toDoubleArray();
    }

    private Tensor vector(String name, int length, boolean trained) {
        Shape shape = Shape.of(length);
        Tensor tensor = TorchTensors.plain(take(name, shape), options.type(), length);
        if (trained) {
            return learn(name, tensor, shape);
        }
        state.put(name, new State(tensor, shape, false));
        return tensor;
    }

    private Tensor learn(String name, Tensor tensor, Shape shape) {
        tensor.requires_grad_(true);
        state.put(name, new State(tensor, shape, true));
        return tensor;
    }

    // ---- running ----

    /** Images, or filters, [N, H, W, C] as this network's tensors. */
    public Tensor image(double[] values, int n, int h, int w, int c) {
        return TorchTensors.image(values, options.type(), options.format(), n, h, w, c);
    }

    /** Logits [N, classes]. */
    public Tensor forward(Tensor images, boolean training) {
        Tensor x = images;
        for (Layer layer : layers) {
            x = layer.apply(x, training);
        }
        return x;
    }

    /** What an optimizer changes. */
    public TensorVector parameters() {
        return new TensorVector(state.values().stream()
                .filter(State::trained)
                .map(State::tensor)
                .toArray(Tensor[]::new));
    }

    /** Parameters and running statistics by Tenon's names, elements in Tenon's order. */
    public Map<String, double[]> state() {
        Map<String, double[]> values = new LinkedHashMap<>();
        state.forEach((name, entry) -> values.put(name, inTenonOrder(entry)));
        return values;
    }

    private static double[] inTenonOrder(State entry) {
        Shape shape = entry.shape();
        if (shape.rank() == 1) {
            return TorchTensors.toArray(entry.tensor());
        }
        try (Tensor detached = entry.tensor().detach();
                Tensor filters = detached.reshape(shape.dim(0), shape.dim(3), shape.dim(1), shape.dim(2))) {
            return TorchTensors.toChannelsLastArray(filters);
        }
    }
}
