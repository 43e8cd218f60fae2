package tenon.layers;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import java.util.Arrays;
import java.util.Random;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import tenon.engine.DType;
import tenon.engine.Generator;
import tenon.engine.Precision;
import tenon.engine.Scope;
import tenon.engine.Shape;
import tenon.engine.Tensor;
import tenon.engine.backend.reference.ReferenceBackend;
import tenon.engine.ops.Activation;
import tenon.engine.ops.BatchNormSpec;
import tenon.engine.ops.Casts;
import tenon.layers.blocks.ConvNorm;
import tenon.layers.blocks.Fire;
import tenon.layers.blocks.Inception;
import tenon.layers.blocks.PostActivationUnit;
import tenon.layers.blocks.PreActivationUnit;

/** The folded form against the network itself, in F64, where a fold that is not exact shows. */
class InferenceFormTest {
    private static final BatchNormSpec NORM = BatchNormSpec.defaults();
    private static final BatchNormSpec NORM_RELU = NORM.withActivation(Activation.RELU);
    private static final BatchNormSpec FROZEN = BatchNormSpec.mxnet();
    private static final Initializer GLOROT = Initializer.glorotUniform();

    private ReferenceBackend backend;
    private Scope scope;

    @BeforeEach
    void open() {
        backend = ReferenceBackend.open();
        scope = Scope.open("test", backend);
        Generator.current().manualSeed(3);
    }

    @AfterEach
    void close() {
        scope.close();
        backend.close();
    }

    @Test
    void foldsNormIntoDense() {
        Dense dense = new Dense(Tensor.of(new float[] {1, 2, 3, 4}, 2, 2), Tensor.of(new float[] {5, -6}, 2));
        BatchNorm norm = new BatchNorm(
                Tensor.of(new float[] {2, 3}, 2),
                Tensor.of(new float[] {0.5f, -1}, 2),
                Tensor.of(new float[] {4, 1}, 2),
                Tensor.of(new float[] {4 - 1e-5f, 9 - 1e-5f}, 2),
                NORM);
        Sequential net = new Sequential().add("fc", dense).add("bn", norm);
        InferenceForm form = InferenceForm.of(net);
        assertThat(form).hasToString("InferenceForm(fc)");
        // (1·10 + 2·20 + 5 − 4)·2/2 + 0.5 and (3·10 + 4·20 − 6 − 1)·3/3 − 1
        float[] output = form.apply(Tensor.of(new float[] {10, 20}, 1, 2)).toFloatArray();
        assertThat(output).containsExactly(new float[] {51.5f, 102}, within(1e-4f));
    }

    @Test
    void foldsOnlyWhatStandsDirectlyBehindTheSum() {
        Sequential net = new Sequential()
                .add("conv1", conv(3, 4))
                .add("bn1", new BatchNorm(4, NORM_RELU))
                .add("bn2", new BatchNorm(4, FROZEN))
                .add("conv2", conv(4, 4))
                .add("elu", ActivationLayer.elu(0.5f))
                .add("bn3", new BatchNorm(4, NORM))
                .add("inner", new Sequential().add("dropout", new Dropout(0.5)).add("conv3", conv(4, 2)))
                .add("dropout", new Dropout(0.5))
                .add("bn4", new BatchNorm(2, FROZEN))
                .add("bn5", new BatchNorm(2, NORM))
                .add("tanh", ActivationLayer.tanh())
                .add("sigmoid", ActivationLayer.sigmoid())
                .add("pool", new MaxPool2d(2, 2))
                .add("flatten", new Flatten())
                .add("fc", new Dense(18, 3))
                .add("bn6", new BatchNorm(3, NORM));
        assertSame(net, Shape.of(2, 6, 6, 3));
        assertThat(InferenceForm.of(net))
                .hasToString("InferenceForm(conv1, bn2, conv2, bn3, inner.conv3, sigmoid, pool, flatten, fc)");
    }

    @Test
    void blocks() {
        Sequential net = new Sequential()
                .add("stem", new ConvNorm(conv(3, 8), NORM_RELU))
                .add("inception", new Inception(8, new Inception.Filters(2, 3, 4, 2, 3, 5), FROZEN, GLOROT))
                .add("fire1", new Fire(14, 3, 4, Activation.elu(0.25f), null, GLOROT))
                .add("fire2", new Fire(8, 3, 4, Activation.RELU, NORM, GLOROT))
                .add("pre1", PreActivationUnit.bottleneck(8, 16, 2, true, NORM, GLOROT))
                .add("pre2", PreActivationUnit.basic(16, 16, 1, false, NORM, GLOROT))
                .add("post1", PostActivationUnit.bottleneck(16, 8, 1, true, NORM, GLOROT))
                .add("post2", PostActivationUnit.basic(8, 8, 1, false, NORM, GLOROT))
                .add("residual", new Residual(new ConvNorm(conv(8, 8), NORM), new PRelu(8), Activation.RELU))
                .add("identity", new Residual(new Sequential()))
                .add("both", new Concat(new ConvNorm(conv(8, 2), NORM), new AvgPool2d(1, 1)))
                .add("average", new GlobalAvgPool2d());
        assertSame(net, Shape.of(2, 9, 9, 3));
    }

    @Test
    void aNetworkOfNothingIsTheIdentity() {
        Tensor input = Tensor.of(new float[] {1, 2}, 1, 2);
        Tensor output = InferenceForm.of(new Sequential().add("dropout", new Dropout(0.5)))
                .apply(input);
        assertThat(output.toFloatArray()).containsExactly(1, 2);
        assertThat(input.isClosed()).isFalse();
    }

    @Test
    void keepsThePrecisionOfTheNetworkAndOfItsParts() {
        Sequential net = new Sequential().add("fc", new Dense(4, 3)).add("bn", new BatchNorm(3, NORM));
        Tensor input = Tensor.of(new float[] {0.1f, -0.2f, 0.3f, 0.4f}, 1, 4);
        float[] full = InferenceForm.of(net).apply(input).toFloatArray();
        net.computeIn(Precision.BF16);
        float[] root = InferenceForm.of(net).apply(input).toFloatArray();
        float[] part =
                InferenceForm.of(new Sequential().add("net", net)).apply(input).toFloatArray();
        assertThat(root).isNotEqualTo(full).containsExactly(full, within(1e-2f));
        assertThat(part).isNotEqualTo(full).containsExactly(full, within(1e-2f));
    }

    private static Conv2d conv(int in, int out) {
        return new Conv2d(in, out, 3, 1, 1);
    }

    private static void assertSame(Module net, Shape input) {
        net.convertTo(DType.F64);
        Random random = new Random(7);
        randomize(net, random);
        double[] pixels = random.doubles(input.elementCount(), -2, 2).toArray();
        Tensor images = Casts.cast(Tensor.of(pixels, input.toArray()), DType.F64);
        net.eval();
        double[] expected = net.apply(images).toDoubleArray();
        double[] actual = InferenceForm.of(net).apply(images).toDoubleArray();
        double largest = Arrays.stream(expected).map(Math::abs).max().orElseThrow();
        assertThat(actual).containsExactly(expected, within(1e-12 * largest));
    }

    /** Parameters and statistics that a fold cannot confuse. */
    private static void randomize(Module net, Random random) {
        net.state().forEach((name, tensor) -> {
            if (!name.endsWith("weight")) {
                boolean positive = name.endsWith("runningVariance") || name.endsWith("gamma");
                double[] values = random.doubles(tensor.elementCount(), positive ? 0.5 : -1, 2)
                        .toArray();
                tensor.copyFrom(Casts.cast(Tensor.of(values, tensor.shape().toArray()), DType.F64));
            }
        });
    }
}
