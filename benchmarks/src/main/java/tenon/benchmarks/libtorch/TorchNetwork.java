package tenon.benchmarks.libtorch;

import java.util.LinkedHashMap;
import java.util.Map;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.TensorVector;
import tenon.engine.Shape;
import tenon.layers.Module;

/**
 * A Tenon network in libtorch, input [N, C, H, W], layer by layer and with its weights: filters change from [K, R, S, C] to [K, C, R, S], and the
 * columns of the first dense layer behind an image from the order row, column, channel to channel, row, column.
 *
 * <p>Native objects belong to JavaCPP's {@code PointerScope} that is open when the network is built.
 */
public final class TorchNetwork {
    /** Part of a network; it may overwrite x where libtorch's own networks do, after convolutions, dense layers and batch norm. */
    interface Layer {
        Tensor apply(Tensor x, boolean training);
    }

    /** @param shape of the Tenon tensor; of a dense weight behind an image, [O, H, W, C] */
    record State(Tensor tensor, Shape shape, boolean trained) {}

    private final Map<String, State> state = new LinkedHashMap<>();
    private final TorchOptions options;
    private final Layer root;

    /**
     * @param source gives layers and weights
     * @param input [H, W, C] of one image
     */
    public TorchNetwork(Module source, Shape input, TorchOptions options) {
        this.options = options;
        root = new TorchTranslation(input, options, state).translate(source);
        if (!state.keySet().equals(source.state().keySet())) {
            throw new IllegalStateException("libtorch: every weight must have been taken: wanted="
                    + source.state().keySet() + ", taken=" + state.keySet());
        }
    }

    /** Images, or filters, [N, H, W, C] as this network's tensors. */
    public Tensor image(double[] values, int n, int h, int w, int c) {
        return TorchTensors.image(values, options.type(), options.format(), n, h, w, c);
    }

    /** Logits [N, classes]. */
    public Tensor forward(Tensor images, boolean training) {
        return root.apply(images, training);
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
