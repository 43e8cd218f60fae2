package tenon.benchmarks.libtorch;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Random;
import org.bytedeco.javacpp.FloatPointer;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.TensorOptional;
import org.bytedeco.pytorch.TensorOptions;
import org.bytedeco.pytorch.TensorVector;
import org.bytedeco.pytorch.global.torch;
import org.bytedeco.pytorch.global.torch.ScalarType;

/**
 * Networks of torchvision 0.20 in libtorch, written after {@code torchvision.models}, with random weights that are made where a layer first asks for them. They share
 * nothing with the networks and name maps of Tenon.
 */
final class TorchvisionWeights {
    private static final long[] ONE = {1, 1};

    private record Weight(long[] dims, float[] values, Tensor tensor) {}

    private final Random random = new Random(17);
    private final Map<String, Weight> state = new LinkedHashMap<>();

    // ---- networks: images [N, 3, H, W] to logits ----

    Tensor resnet(Tensor images, int[] blocks, boolean bottleneck, int classes) {
        Tensor x = torch.relu(norm("bn1", conv("conv1", images, 64, 7, 2, 3, 1, false)));
        x = torch.max_pool2d(x, new long[] {3, 3}, new long[] {2, 2}, ONE, ONE, false);
        for (int layer = 1; layer <= 4; layer++) {
            int planes = 32 << layer;
            for (int i = 0; i < blocks[layer - 1]; i++) {
                String name = "layer" + layer + "." + i;
                int stride = i == 0 && layer > 1 ? 2 : 1;
                x = bottleneck ? bottleneck(name, x, planes, stride) : basicBlock(name, x, planes, stride);
            }
        }
        return linear("fc", torch.flatten(torch.adaptive_avg_pool2d(x, ONE), 1, -1), classes);
    }

    private Tensor basicBlock(String name, Tensor x, int planes, int stride) {
        Tensor out = torch.relu(norm(name + ".bn1", conv(name + ".conv1", x, planes, 3, stride, 1, 1, false)));
        out = norm(name + ".bn2", conv(name + ".conv2", out, planes, 3, 1, 1, 1, false));
        return torch.relu(out.add(downsample(name, x, planes, stride)));
    }

    private Tensor bottleneck(String name, Tensor x, int planes, int stride) {
        Tensor out = torch.relu(norm(name + ".bn1", conv(name + ".conv1", x, planes, 1, 1, 0, 1, false)));
        out = torch.relu(norm(name + ".bn2", conv(name + ".conv2", out, planes, 3, stride, 1, 1, false)));
        out = norm(name + ".bn3", conv(name + ".conv3", out, 4 * planes, 1, 1, 0, 1, false));
        return torch.relu(out.add(downsample(name, x, 4 * planes, stride)));
    }

    private Tensor downsample(String name, Tensor x, int channels, int stride) {
        return stride == 1 && x.size(1) == channels
                ? x
                : norm(name + ".downsample.1", conv(name + ".downsample.0", x, channels, 1, stride, 0, 1, false));
    }

    Tensor mobilenetV2(Tensor images, int classes) {
        int[][] settings = {
            {1, 16, 1, 1}, {6, 24, 2, 2}, {6, 32, 3, 2}, {6, 64, 4, 2}, {6, 96, 3, 1}, {6, 160, 3, 2}, {6, 320, 1, 1}
        };
        Tensor x = convNormRelu6("features.0", images, 32, 3, 2, 1);
        int feature = 1;
        for (int[] setting : settings) {
            for (int i = 0; i < setting[2]; i++) {
                x = invertedResidual(
                        "features." + feature++ + ".conv", x, setting[0], setting[1], i == 0 ? setting[3] : 1);
            }
        }
        x = convNormRelu6("features." + feature, x, 1280, 1, 1, 1);
        return linear("classifier.1", torch.flatten(torch.adaptive_avg_pool2d(x, ONE), 1, -1), classes);
    }

    private Tensor invertedResidual(String name, Tensor x, int expansion, int channels, int stride) {
        int hidden = (int) x.size(1) * expansion;
        int part = 0;
        Tensor out = x;
        if (expansion != 1) {
            out = convNormRelu6(name + "." + part++, out, hidden, 1, 1, 1);
        }
        out = convNormRelu6(name + "." + part++, out, hidden, 3, stride, hidden);
        out = conv(name + "." + part++, out, channels, 1, 1, 0, 1, false);
        out = norm(name + "." + part, out);
        return stride == 1 && x.size(1) == channels ? x.add(out) : out;
    }

    private Tensor convNormRelu6(String name, Tensor x, int channels, int kernel, int stride, int groups) {
        Tensor sum = conv(name + ".0", x, channels, kernel, stride, (kernel - 1) / 2, groups, false);
        return torch.relu6(norm(name + ".1", sum));
    }

    Tensor squeezenet10(Tensor images, int classes) {
        Tensor x = pool(torch.relu(conv("features.0", images, 96, 7, 2, 0, 1, true)), 3, 2, true);
        x = fire("features.3", x, 16, 64);
        x = fire("features.4", x, 16, 64);
        x = pool(fire("features.5", x, 32, 128), 3, 2, true);
        x = fire("features.7", x, 32, 128);
        x = fire("features.8", x, 48, 192);
        x = fire("features.9", x, 48, 192);
        x = pool(fire("features.10", x, 64, 256), 3, 2, true);
        x = fire("features.12", x, 64, 256);
        x = torch.relu(conv("classifier.1", x, classes, 1, 1, 0, 1, true));
        return torch.flatten(torch.adaptive_avg_pool2d(x, ONE), 1, -1);
    }

    private Tensor fire(String name, Tensor x, int squeeze, int expand) {
        Tensor squeezed = torch.relu(conv(name + ".squeeze", x, squeeze, 1, 1, 0, 1, true));
        return torch.cat(
                new TensorVector(
                        torch.relu(conv(name + ".expand1x1", squeezed, expand, 1, 1, 0, 1, true)),
                        torch.relu(conv(name + ".expand3x3", squeezed, expand, 3, 1, 1, 1, true))),
                1);
    }

    /** Pictures of 64 pixels a side leave a last map of 2×2, which torchvision would average to 7×7 before its dense layers. */
    Tensor vgg16(Tensor images, int classes) {
        int[][] blocks = {{64, 64}, {128, 128}, {256, 256, 256}, {512, 512, 512}, {512, 512, 512}};
        Tensor x = images;
        int feature = 0;
        for (int[] block : blocks) {
            for (int channels : block) {
                x = torch.relu(conv("features." + feature, x, channels, 3, 1, 1, 1, true));
                feature += 2;
            }
            x = pool(x, 2, 2, false);
            feature++;
        }
        x = torch.relu(linear("classifier.0", torch.flatten(x, 1, -1), 4096));
        return linear("classifier.6", torch.relu(linear("classifier.3", x, 4096)), classes);
    }

    private static Tensor pool(Tensor x, int kernel, int stride, boolean ceil) {
        return torch.max_pool2d(
                x, new long[] {kernel, kernel}, new long[] {stride, stride}, new long[] {0, 0}, ONE, ceil);
    }

    // ---- layers ----

    private Tensor conv(
            String name, Tensor x, int channels, int kernel, int stride, int padding, int groups, boolean bias) {
        long in = x.size(1) / groups;
        double deviation = Math.sqrt(2.0 / (in * kernel * kernel));
        Tensor filters = normal(name + ".weight", deviation, channels, in, kernel, kernel);
        TensorOptional biases =
                bias ? new TensorOptional(uniform(name + ".bias", -0.1, 0.1, channels)) : new TensorOptional();
        return torch.conv2d(
                x, filters, biases, new long[] {stride, stride}, new long[] {padding, padding}, ONE, groups);
    }

    private Tensor norm(String name, Tensor x) {
        long channels = x.size(1);
        Tensor gamma = uniform(name + ".weight", 0.5, 1.5, channels);
        Tensor beta = uniform(name + ".bias", -0.5, 0.5, channels);
        Tensor mean = uniform(name + ".running_mean", -0.5, 0.5, channels);
        Tensor variance = uniform(name + ".running_var", 0.5, 1.5, channels);
        return torch.batch_norm(
                x,
                new TensorOptional(gamma),
                new TensorOptional(beta),
                new TensorOptional(mean),
                new TensorOptional(variance),
                false,
                0.1,
                1e-5,
                false);
    }

    private Tensor linear(String name, Tensor x, int outputs) {
        Tensor rows = normal(name + ".weight", Math.sqrt(1.0 / x.size(1)), outputs, x.size(1));
        return torch.linear(x, rows, new TensorOptional(uniform(name + ".bias", -0.1, 0.1, outputs)));
    }

    private Tensor normal(String name, double deviation, long... dims) {
        return weight(name, dims, 0, deviation, true);
    }

    private Tensor uniform(String name, double low, double high, long... dims) {
        return weight(name, dims, low, high - low, false);
    }

    private Tensor weight(String name, long[] dims, double start, double spread, boolean normal) {
        Weight known = state.get(name);
        if (known != null) {
            return known.tensor;
        }
        int count = 1;
        for (long dim : dims) {
            count *= (int) dim;
        }
        float[] values = new float[count];
        for (int i = 0; i < count; i++) {
            values[i] = (float) (start + spread * (normal ? random.nextGaussian() : random.nextDouble()));
        }
        try (FloatPointer memory = new FloatPointer(values);
                Tensor borrowed = torch.from_blob(memory, dims, new TensorOptions(ScalarType.Float))) {
            Tensor tensor = borrowed.clone();
            state.put(name, new Weight(dims, values, tensor));
            return tensor;
        }
    }

    // ---- the file ----

    /** Safetensors by hand: the length of a JSON header, the header, the elements. */
    void write(Path file) throws IOException {
        ObjectNode header = new ObjectMapper().createObjectNode();
        int bytes = 0;
        for (Map.Entry<String, Weight> entry : state.entrySet()) {
            ObjectNode node = header.putObject(entry.getKey()).put("dtype", "F32");
            for (long dim : entry.getValue().dims) {
                node.withArray("shape").add(dim);
            }
            int end = bytes + 4 * entry.getValue().values.length;
            node.putArray("data_offsets").add(bytes).add(end);
            bytes = end;
        }
        byte[] json = new ObjectMapper().writeValueAsBytes(header);
        ByteBuffer all = ByteBuffer.allocate(8 + json.length + bytes)
                .order(ByteOrder.LITTLE_ENDIAN)
                .putLong(json.length)
                .put(json);
        state.values().forEach(weight -> {
            for (float value : weight.values) {
                all.putFloat(value);
            }
        });
        Files.write(file, all.array());
    }
}
