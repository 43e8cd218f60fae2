package tenon.engine.trace;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import tenon.engine.DType;
import tenon.engine.DTypeException;
import tenon.engine.Scope;
import tenon.engine.Shape;
import tenon.engine.Tensor;
import tenon.engine.backend.Backend;
import tenon.engine.backend.cpu.CpuBackend;
import tenon.engine.backend.reference.ReferenceBackend;
import tenon.engine.ops.Arithmetic;
import tenon.engine.ops.ConvSpec;
import tenon.engine.ops.Convolution;
import tenon.engine.ops.Dense;
import tenon.engine.ops.PoolSpec;
import tenon.engine.ops.Pooling;

class TracedBackendTest {
    private record Seen(String kernel, long flops, long bytes, Shape largest) {}

    private final List<Seen> seen = new ArrayList<>();

    private Backend traced(Backend backend) {
        return TracedBackend.of(
                backend,
                call -> seen.add(new Seen(
                        call.kernel().name(),
                        call.flops(),
                        call.bytes(),
                        call.largest().shape())));
    }

    @Test
    void reportsTheArithmeticAndTheTrafficOfEveryCall() {
        try (Backend backend = ReferenceBackend.open();
                var _ = Scope.open("test", traced(backend))) {
            Tensor image = Tensor.of(new float[2 * 4 * 4 * 3], 2, 4, 4, 3);
            Tensor filters = Tensor.of(new float[5 * 3 * 3 * 3], 5, 3, 3, 3).requireGrad(true);
            Tensor features = Convolution.conv2d(image, filters, null, ConvSpec.of(1, 1));
            seen.clear();
            features.backward(Tensor.full(features.shape(), DType.F32, 1));
            // 2 images × 16 positions × 5 filters × 27 taps, a multiply and an add each; image, gradient and filters
            // once.
            assertThat(seen)
                    .contains(new Seen(
                            "convolution.backwardWeight",
                            2 * 2 * 16 * 5 * 27,
                            4 * (2 * 16 * 3 + 2 * 16 * 5 + 5 * 27),
                            features.shape()));

            seen.clear();
            Pooling.maxPool2d(features, PoolSpec.of(2, 2));
            assertThat(seen).extracting(Seen::kernel).containsExactly("pooling.maxForward");

            seen.clear();
            Tensor a = Tensor.of(new float[6], 2, 3);
            Tensor w = Tensor.of(new float[12], 4, 3);
            Dense.dense(a, w, null);
            assertThat(seen.getLast())
                    .isEqualTo(new Seen("dense.forward", 2 * 2 * 3 * 4, 4 * (6 + 12 + 8), Shape.of(4, 3)));

            seen.clear();
            Arithmetic.add(a, a);
            assertThat(seen.getLast()).isEqualTo(new Seen("add", 0, 4 * 3 * 6, Shape.of(2, 3)));
        }
    }

    @Test
    void weightsAndStateOfAnUpdateAreReadAndWritten() {
        try (Backend backend = ReferenceBackend.open();
                var _ = Scope.open("test", traced(backend))) {
            Tensor[] weight = {Tensor.of(new float[100], 100)};
            Tensor[] grad = {Tensor.of(new float[100], 100)};
            Tensor[] velocity = {Tensor.of(new float[100], 100)};
            float[] one = {1};
            weight[0].backend().updates().sgd(weight, grad, velocity, 0.1f, 0.9f, false, 1, null, one, one);
            assertThat(seen.getLast()).isEqualTo(new Seen("updates.sgd", 0, 5 * 400, Shape.of(100)));
        }
    }

    @Test
    void passesExceptionsOnAsTheyAre() {
        try (Backend plain = CpuBackend.open(1)) {
            Backend backend = traced(plain);
            try (var _ = Scope.open("test", backend)) {
                Tensor doubles = Tensor.zeros(Shape.of(2), DType.F64);
                seen.clear();
                assertThatThrownBy(() -> backend.add(doubles, doubles, doubles)).isInstanceOf(DTypeException.class);
                assertThat(seen).isEmpty();
            }
        }
    }
}
