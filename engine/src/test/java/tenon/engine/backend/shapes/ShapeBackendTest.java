package tenon.engine.backend.shapes;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import org.junit.jupiter.api.Test;
import tenon.engine.DType;
import tenon.engine.Device;
import tenon.engine.Scope;
import tenon.engine.Shape;
import tenon.engine.ShapeException;
import tenon.engine.Tensor;
import tenon.engine.ops.Activation;
import tenon.engine.ops.Activations;
import tenon.engine.ops.Arithmetic;
import tenon.engine.ops.BatchNormSpec;
import tenon.engine.ops.Channels;
import tenon.engine.ops.ConvSpec;
import tenon.engine.ops.Convolution;
import tenon.engine.ops.Dense;
import tenon.engine.ops.Dropout;
import tenon.engine.ops.Losses;
import tenon.engine.ops.Metrics;
import tenon.engine.ops.Normalization;
import tenon.engine.ops.PoolSpec;
import tenon.engine.ops.Pooling;
import tenon.engine.ops.Reshape;

class ShapeBackendTest {
    private static Tensor of(int... dims) {
        return Tensor.empty(Shape.of(dims), DType.F32);
    }

    private static Tensor parameter(int... dims) {
        return of(dims).requireGrad(true);
    }

    @Test
    void infersTheShapesOfANetworkAndItsGradientsWithoutMemory() {
        try (ShapeBackend backend = new ShapeBackend();
                Scope _ = Scope.open("step", backend)) {
            Tensor weight = parameter(64, 7, 7, 3);
            Tensor x = Convolution.conv2d(of(32, 224, 224, 3), weight, parameter(64), ConvSpec.of(2, 3));
            assertThat(x.shape()).isEqualTo(Shape.of(32, 112, 112, 64));
            BatchNormSpec norm = BatchNormSpec.defaults().withActivation(Activation.RELU);
            x = Normalization.batchNorm(x, parameter(64), parameter(64), of(64), of(64), norm, true);
            x = Pooling.maxPool2d(x, PoolSpec.of(3, 2, 1));
            assertThat(x.shape()).isEqualTo(Shape.of(32, 56, 56, 64));
            x = Channels.concat(x, Activations.elu(x, 1), Activations.prelu(x, parameter(64)));
            assertThat(x.shape()).isEqualTo(Shape.of(32, 56, 56, 192));
            Tensor[] halves = Channels.split(Dropout.dropout(x, 0.5), 96, 96);
            x = Activations.addActivation(halves[0], halves[1], Activation.RELU);
            x = Reshape.flatten(Pooling.globalAvgPool2d(x));
            x = Dense.dense(x, parameter(1000, 96), parameter(1000));
            assertThat(x.shape()).isEqualTo(Shape.of(32, 1000));
            assertThat(Metrics.topK(x, 5).shape()).isEqualTo(Shape.of(32, 5));
            Tensor labels = Tensor.empty(Shape.of(32), DType.I32);
            Losses.softmaxCrossEntropy(x, labels, 0.1).backward();
            assertThat(weight.grad().shape()).isEqualTo(Shape.of(64, 7, 7, 3));
            assertThat(backend.allocator().statistics().liveBytes()).isZero();
            assertThat(backend.device()).isEqualTo(Device.NONE);
            assertThat(weight.address()).isZero();
        }
    }

    @Test
    void countsForwardMultiplyAdds() {
        try (ShapeBackend backend = new ShapeBackend();
                Scope _ = Scope.open("step", backend)) {
            Convolution.conv2d(
                    of(2, 8, 8, 16), of(32, 3, 3, 4), null, ConvSpec.of(1, 1).withGroups(4));
            long convolution = 2L * 8 * 8 * 32 * 3 * 3 * 4;
            assertThat(backend.multiplyAdds()).isEqualTo(convolution);
            Dense.dense(of(5, 7), of(11, 7), of(11));
            long dense = 5L * 7 * 11;
            assertThat(backend.multiplyAdds()).isEqualTo(convolution + dense);
            Arithmetic.matmul(of(3, 4), of(4, 5));
            assertThat(backend.multiplyAdds()).isEqualTo(convolution + dense + 60);
            Activations.relu(of(100));
            assertThat(backend.multiplyAdds()).isEqualTo(convolution + dense + 60);
        }
    }

    @Test
    void errorsAreThoseOfEveryBackEnd() {
        try (ShapeBackend backend = new ShapeBackend();
                Scope _ = Scope.open("step", backend)) {
            assertThatThrownBy(() -> Dense.dense(of(2, 3), of(4, 5), null))
                    .isInstanceOf(ShapeException.class)
                    .hasMessage("dense: last input dimension must equal the weight's inFeatures: input=[2, 3],"
                            + " inFeatures=5");
            assertThatThrownBy(() -> of(2).segment())
                    .hasMessage("tensor: only host memory can be read directly: device=none, shape=[2] (use"
                            + " toFloatArray or download)");
            assertThat(of(2).toFloatArray()).containsExactly(0, 0);
        }
    }
}
