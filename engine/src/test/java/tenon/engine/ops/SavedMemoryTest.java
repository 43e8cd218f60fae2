package tenon.engine.ops;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.function.Supplier;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import tenon.engine.DType;
import tenon.engine.Scope;
import tenon.engine.Shape;
import tenon.engine.Tensor;
import tenon.engine.backend.reference.ReferenceBackend;

/** What each op keeps alive for its backward pass: no more than its rule reads. Bytes of F32 tensors, except where noted. */
class SavedMemoryTest {
    private ReferenceBackend backend;
    private Scope scope;

    @BeforeEach
    void open() {
        backend = ReferenceBackend.open();
        scope = Scope.open("test", backend);
    }

    @AfterEach
    void close() {
        scope.close();
        backend.close();
    }

    private static Tensor leaf(int... dims) {
        return constant(dims).requireGrad(true);
    }

    private static Tensor constant(int... dims) {
        return Tensor.full(Shape.of(dims), DType.F32, 1);
    }

    private static long saved(Supplier<Tensor> op) {
        try (Scope step = Scope.open("step")) {
            op.get();
            return step.savedBytes();
        }
    }

    @Test
    void convolutionAndDenseSaveWhatTheirTrainedPartsNeed() {
        ConvSpec spec = ConvSpec.of(1, 1);
        Tensor x = leaf(1, 10, 10, 2);
        Tensor w = leaf(4, 3, 3, 2);
        Tensor b = leaf(4);
        long input = 200 * 4;
        long weight = 72 * 4;
        assertThat(saved(() -> Convolution.conv2d(x, w, b, spec))).isEqualTo(input + weight);
        assertThat(saved(() -> Convolution.conv2d(x.detach(), w, b, spec))).isEqualTo(input);
        assertThat(saved(() -> Convolution.conv2d(x, w.detach(), null, spec))).isEqualTo(weight);
        assertThat(saved(() -> Convolution.conv2d(x.detach(), w.detach(), b.detach(), spec)))
                .isZero();
        Tensor features = leaf(5, 7);
        Tensor matrix = leaf(3, 7);
        assertThat(saved(() -> Dense.dense(features, matrix, null))).isEqualTo((35 + 21) * 4);
        assertThat(saved(() -> Dense.dense(features, matrix.detach(), null))).isEqualTo(21 * 4);
    }

    @Test
    void productsSaveTheOtherFactor() {
        Tensor a = leaf(4, 5);
        Tensor b = leaf(5, 6);
        assertThat(saved(() -> Arithmetic.matmul(a, b))).isEqualTo((20 + 30) * 4);
        assertThat(saved(() -> Arithmetic.matmul(a, b.detach()))).isEqualTo(30 * 4);
        assertThat(saved(() -> Arithmetic.mul(a, constant(5)))).isEqualTo(5 * 4);
        assertThat(saved(() -> Arithmetic.mul(a, a))).isEqualTo(2 * 20 * 4);
    }

    @Test
    void linearOpsSaveNothing() {
        Tensor x = leaf(2, 4, 4, 3);
        assertThat(saved(() -> Arithmetic.add(x, x))).isZero();
        assertThat(saved(() -> Arithmetic.scale(x, 2))).isZero();
        assertThat(saved(() -> Arithmetic.mean(x))).isZero();
        assertThat(saved(() -> Channels.concat(x, x))).isZero();
        assertThat(saved(() -> Channels.split(x, 1, 2)[0])).isZero();
        assertThat(saved(() -> Reshape.flatten(x))).isZero();
        assertThat(saved(() -> Casts.cast(x, DType.BF16))).isZero();
        assertThat(saved(() -> Dropout.dropout(x, 0.5))).isZero();
        assertThat(saved(() -> Pooling.avgPool2d(x, PoolSpec.of(2, 2)))).isZero();
        assertThat(saved(() -> Activations.addActivation(x, x, Activation.NONE)))
                .isZero();
    }

    @Test
    void activationsSaveTheirOutputWhichTheNextOpSavesTooForNothing() {
        Tensor x = leaf(100);
        assertThat(saved(() -> Activations.relu(x))).isEqualTo(400);
        assertThat(saved(() -> Activations.addActivation(x, x, Activation.RELU)))
                .isEqualTo(400);
        assertThat(saved(() -> Activations.prelu(x.view(Shape.of(25, 4)), leaf(4))))
                .isEqualTo(400 + 16);
        long live = backend.allocator().statistics().liveBytes();
        Tensor hidden = Activations.relu(x);
        Tensor output = Dense.dense(Reshape.reshape(hidden, Shape.of(1, 100)), leaf(1, 100), null);
        assertThat(output.requiresGrad()).isTrue();
        // One block for the hidden activation, the weight and the result; the saved handles share them.
        assertThat(backend.allocator().statistics().liveBytes() - live).isEqualTo(416 + 416 + 64);
    }

    @Test
    void maxPoolingSavesItsWinnersOnly() {
        Tensor x = leaf(1, 8, 8, 2);
        long winners = 4 * 4 * 2 * 4; // I32
        assertThat(saved(() -> Pooling.maxPool2d(x, PoolSpec.of(2, 2)))).isEqualTo(winners);
        assertThat(saved(() -> Pooling.maxPool2d(x.detach(), PoolSpec.of(2, 2))))
                .isZero();
    }

    @Test
    void batchNormSavesItsInputAndWhatIsPerChannel() {
        Tensor x = leaf(10, 4);
        BatchNormSpec plain = BatchNormSpec.defaults();
        BatchNormSpec fused = plain.withActivation(Activation.RELU);
        Tensor gamma = leaf(4);
        Tensor beta = leaf(4);
        Tensor mean = constant(4);
        Tensor variance = constant(4);
        long perChannel = 4 * 4;
        assertThat(saved(() -> Normalization.batchNorm(x, gamma, beta, mean, variance, plain, true)))
                .isEqualTo(160 + 3 * perChannel);
        assertThat(saved(() -> Normalization.batchNorm(x, gamma, beta, mean, variance, fused, true)))
                .isEqualTo(160 + 4 * perChannel);
    }

    @Test
    void lossesSaveProbabilitiesOrTheirArguments() {
        Tensor x = leaf(5, 3);
        Tensor labels = Tensor.of(new int[] {0, 1, 2, 0, 1}, 5);
        assertThat(saved(() -> Losses.softmaxCrossEntropy(x, labels))).isEqualTo(60 + 20);
        assertThat(saved(() -> Losses.meanSquaredError(x, constant(5, 3)))).isEqualTo(120);
        assertThat(saved(() -> Losses.softmax(x))).isEqualTo(60);
    }
}
