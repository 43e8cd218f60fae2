package tenon.apps.pretrained;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import tenon.apps.Cli;
import tenon.apps.training.SavedModel;
import tenon.engine.GradMode;
import tenon.engine.Scope;
import tenon.engine.Tensor;
import tenon.engine.backend.Backend;
import tenon.engine.backend.cpu.CpuBackend;
import tenon.layers.Module;

/** A file of MXNet's gives, by command, the logits that plain loops in MXNet's order of dimensions give. */
class MxnetImportTest {
    private static final int SIDE = 8;
    private static final double EPSILON = 1e-3;

    @TempDir
    private Path folder;

    private record Array(int[] dims, float[] values) {}

    private final Random random = new Random(23);
    private final Map<String, Array> arrays = new LinkedHashMap<>();

    /** MiniVGG with two classes; its first dense layer stands behind 64 maps of 2×2. */
    @Test
    void aNetworkWithNumberedLayers() throws IOException {
        double[] image = new double[3 * SIDE * SIDE];
        for (int i = 0; i < image.length; i++) {
            image[i] = (float) random.nextGaussian();
        }
        double[] x = norm(0, relu(convolution(0, image, SIDE, 32)), SIDE);
        x = norm(1, relu(convolution(1, x, SIDE, 32)), SIDE);
        x = pool(x, SIDE);
        x = norm(2, relu(convolution(2, x, SIDE / 2, 64)), SIDE / 2);
        x = norm(3, relu(convolution(3, x, SIDE / 2, 64)), SIDE / 2);
        x = pool(x, SIDE / 2);
        x = norm(4, relu(dense(0, x, 512)), 1);
        double[] expected = dense(1, x, 2);

        Path file = folder.resolve("mini-0010.params");
        write(file);
        Path model = folder.resolve("mini.model");
        Cli.Result imported = Cli.run(
                "import", "minivgg", file, "--input", SIDE + "x" + SIDE + "x3", "--augment", "none", "--out", model);
        assertThat(imported.err()).isEmpty();
        assertThat(imported.out()).contains("Names: mxnet-numbered", "Matched: 32 of 32 tensors", "2 classes");
        try (Backend backend = CpuBackend.open(1);
                Scope _ = Scope.open("model", backend);
                var _ = GradMode.noGrad()) {
            float[] pixels = new float[image.length];
            for (int i = 0; i < pixels.length; i++) {
                pixels[i] = (float) image[i % 3 * SIDE * SIDE + i / 3];
            }
            Module network = SavedModel.read(model).network();
            network.eval();
            double[] logits = network.apply(Tensor.of(pixels, 1, SIDE, SIDE, 3)).toDoubleArray();
            double tolerance = 1e-4 * Math.max(Math.abs(expected[0]), Math.abs(expected[1]));
            assertThat(logits).containsExactly(expected, within(tolerance));
        }
    }

    // ---- layers, on [channels, rows, columns] ----

    private double[] convolution(int number, double[] x, int side, int filters) {
        int channels = x.length / (side * side);
        float[] w = weight(
                "arg:convolution" + number + "_weight", Math.sqrt(2.0 / (9 * channels)), filters, channels, 3, 3);
        float[] bias = weight("arg:convolution" + number + "_bias", 0.1, filters);
        double[] y = new double[filters * side * side];
        for (int i = 0; i < y.length; i++) {
            int filter = i / (side * side);
            double sum = bias[filter];
            for (int c = 0; c < channels; c++) {
                for (int r = 0; r < 3; r++) {
                    for (int s = 0; s < 3; s++) {
                        int row = i / side % side + r - 1;
                        int column = i % side + s - 1;
                        if (row >= 0 && row < side && column >= 0 && column < side) {
                            sum += w[((filter * channels + c) * 3 + r) * 3 + s] * x[(c * side + row) * side + column];
                        }
                    }
                }
            }
            y[i] = sum;
        }
        return y;
    }

    private double[] dense(int number, double[] x, int outputs) {
        float[] w = weight("arg:fullyconnected" + number + "_weight", Math.sqrt(1.0 / x.length), outputs, x.length);
        float[] bias = weight("arg:fullyconnected" + number + "_bias", 0.1, outputs);
        double[] y = new double[outputs];
        for (int o = 0; o < outputs; o++) {
            y[o] = bias[o];
            for (int i = 0; i < x.length; i++) {
                y[o] += w[o * x.length + i] * x[i];
            }
        }
        return y;
    }

    private double[] norm(int number, double[] x, int side) {
        int channels = x.length / (side * side);
        float[] gamma = weight("arg:batchnorm" + number + "_gamma", 0.3, channels);
        float[] beta = weight("arg:batchnorm" + number + "_beta", 0.3, channels);
        float[] mean = weight("aux:batchnorm" + number + "_moving_mean", 0.3, channels);
        float[] variance = weight("aux:batchnorm" + number + "_moving_var", 0.3, channels);
        double[] y = new double[x.length];
        for (int i = 0; i < y.length; i++) {
            int c = i / (side * side);
            y[i] = gamma[c] * (x[i] - mean[c]) / Math.sqrt(variance[c] + EPSILON) + beta[c];
        }
        return y;
    }

    private static double[] relu(double[] x) {
        double[] y = new double[x.length];
        for (int i = 0; i < y.length; i++) {
            y[i] = Math.max(0, x[i]);
        }
        return y;
    }

    private static double[] pool(double[] x, int side) {
        int half = side / 2;
        double[] y = new double[x.length / 4];
        for (int i = 0; i < y.length; i++) {
            int corner = (i / (half * half) * side + i / half % half * 2) * side + i % half * 2;
            y[i] = Math.max(Math.max(x[corner], x[corner + 1]), Math.max(x[corner + side], x[corner + side + 1]));
        }
        return y;
    }

    // ---- the file ----

    /** New values, which the file will hold; variances are positive. */
    private float[] weight(String name, double deviation, int... dims) {
        int count = 1;
        for (int dim : dims) {
            count *= dim;
        }
        float[] values = new float[count];
        for (int i = 0; i < count; i++) {
            double value = deviation * random.nextGaussian();
            values[i] = (float) (name.endsWith("_var") ? 0.5 + Math.abs(value) : value);
        }
        arrays.put(name, new Array(dims, values));
        return values;
    }

    /** As {@code mx.model.save_checkpoint} of MXNet 1.2 and later: a list of dense arrays, then their names. */
    private void write(Path file) throws IOException {
        int bytes = 32;
        for (Map.Entry<String, Array> entry : arrays.entrySet()) {
            Array array = entry.getValue();
            bytes += 24
                    + 8 * array.dims.length
                    + 4 * array.values.length
                    + 8
                    + entry.getKey().length();
        }
        ByteBuffer all = ByteBuffer.allocate(bytes).order(ByteOrder.LITTLE_ENDIAN);
        all.putLong(0x112).putLong(0).putLong(arrays.size());
        for (Array array : arrays.values()) {
            all.putInt(0xF993FAC9).putInt(0).putInt(array.dims.length);
            for (int dim : array.dims) {
                all.putLong(dim);
            }
            // On the CPU, the first; F32.
            all.putInt(1).putInt(0).putInt(0);
            for (float value : array.values) {
                all.putFloat(value);
            }
        }
        all.putLong(arrays.size());
        for (String name : arrays.keySet()) {
            all.putLong(name.length()).put(name.getBytes(StandardCharsets.UTF_8));
        }
        Files.write(file, all.array());
    }
}
