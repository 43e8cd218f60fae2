package tenon.layers.blocks;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import java.util.Random;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import tenon.engine.Generator;
import tenon.engine.Scope;
import tenon.engine.Shape;
import tenon.engine.Tensor;
import tenon.engine.backend.reference.ReferenceBackend;
import tenon.engine.ops.Activation;
import tenon.engine.ops.BatchNormSpec;
import tenon.layers.Initializer;
import tenon.layers.Module;

/** What the papers say of the blocks, on the reference back-end. */
class BlocksTest {
    private static final BatchNormSpec NORM = BatchNormSpec.defaults();
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

    private static Tensor noise(int... dims) {
        Random random = new Random(5);
        float[] values = new float[(int) Shape.of(dims).elementCount()];
        for (int i = 0; i < values.length; i++) {
            values[i] = 4 * random.nextFloat() - 2;
        }
        return Tensor.of(values, dims);
    }

    private static void zero(Module module, String weight) {
        module.namedParameters().get(weight).value().fill(0);
    }

    @Test
    void anIdentityShortcutPassesTheRawInputAndNothingFollowsTheSum() {
        PreActivationUnit unit = PreActivationUnit.bottleneck(8, 8, 1, false, NORM, GLOROT);
        zero(unit, "conv3.weight");
        Tensor input = noise(2, 5, 5, 8);
        assertThat(unit.apply(input).toFloatArray()).containsExactly(input.toFloatArray());
    }

    @Test
    void aProjectionReadsTheActivatedInput() {
        PreActivationUnit unit = PreActivationUnit.bottleneck(8, 16, 2, true, NORM, GLOROT);
        zero(unit, "conv3.weight");
        unit.eval();
        Tensor input = noise(2, 5, 5, 8);
        Tensor expected = unit.module("projection").apply(unit.module("bn1").apply(input));
        assertThat(expected.shape()).isEqualTo(Shape.of(2, 3, 3, 16));
        assertThat(unit.apply(input).toFloatArray()).containsExactly(expected.toFloatArray(), within(1e-6f));
    }

    @Test
    void postActivationEndsInReLU() {
        PostActivationUnit unit = PostActivationUnit.bottleneck(8, 8, 1, false, NORM, GLOROT);
        zero(unit, "bn3.gamma");
        Tensor input = noise(2, 5, 5, 8);
        float[] expected = input.toFloatArray();
        for (int i = 0; i < expected.length; i++) {
            expected[i] = Math.max(0, expected[i]);
        }
        assertThat(unit.apply(input).toFloatArray()).containsExactly(expected, within(1e-6f));
    }

    @Test
    void withoutProjectionTheShapeMustStay() {
        assertThatThrownBy(() -> PreActivationUnit.basic(8, 16, 1, false, NORM, GLOROT))
                .hasMessage("PreActivationUnit: without projection the output must have the input's shape: channels=8,"
                        + " filters=16, stride=1");
        assertThatThrownBy(() -> PostActivationUnit.basic(8, 8, 2, false, NORM, GLOROT))
                .hasMessageStartingWith("PostActivationUnit: without projection");
    }

    @Test
    void fireJoinsThe1x1BranchAndThe3x3BranchInThisOrder() {
        Fire fire = new Fire(6, 3, 4, Activation.RELU, null, GLOROT);
        fire.eval();
        Tensor input = noise(2, 5, 7, 6);
        Tensor squeezed = fire.module("squeeze").apply(input);
        Tensor output = fire.apply(input);
        assertThat(output.shape()).isEqualTo(Shape.of(2, 5, 7, 8));
        assertChannels(output, 0, fire.module("expand1x1").apply(squeezed));
        assertChannels(output, 4, fire.module("expand3x3").apply(squeezed));
    }

    @Test
    void inceptionJoinsItsBranchesInThePapersOrder() {
        BatchNormSpec norm = BatchNormSpec.mxnet().withActivation(Activation.RELU);
        Inception inception = new Inception(6, new Inception.Filters(2, 3, 4, 2, 3, 5), norm, GLOROT);
        inception.eval();
        Tensor input = noise(2, 5, 7, 6);
        Tensor output = inception.apply(input);
        assertThat(output.shape()).isEqualTo(Shape.of(2, 5, 7, 14));
        assertChannels(output, 0, inception.module("conv1x1").apply(input));
        assertChannels(
                output,
                2,
                inception.module("conv3x3").apply(inception.module("reduce3x3").apply(input)));
        assertChannels(
                output,
                6,
                inception.module("conv5x5").apply(inception.module("reduce5x5").apply(input)));
        assertChannels(
                output,
                9,
                inception.module("projection").apply(inception.module("pool").apply(input)));
    }

    private static void assertChannels(Tensor output, int from, Tensor branch) {
        int all = output.shape().dim(-1);
        int count = branch.shape().dim(-1);
        float[] actual = output.toFloatArray();
        float[] expected = branch.toFloatArray();
        for (int i = 0; i < expected.length; i++) {
            assertThat(actual[i / count * all + from + i % count])
                    .as("channel %d of pixel %d", from + i % count, i / count)
                    .isCloseTo(expected[i], within(1e-5f));
        }
    }
}
