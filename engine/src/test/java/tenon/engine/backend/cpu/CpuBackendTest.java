package tenon.engine.backend.cpu;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.List;
import org.junit.jupiter.api.Test;
import tenon.engine.DType;
import tenon.engine.DTypeException;
import tenon.engine.OutOfMemoryException;
import tenon.engine.Rng;
import tenon.engine.Scope;
import tenon.engine.Shape;
import tenon.engine.TenonException;
import tenon.engine.Tensor;
import tenon.engine.backend.BackendStatistics;
import tenon.engine.nativelib.DnnlInfo;
import tenon.engine.ops.Activation;
import tenon.engine.ops.Activations;
import tenon.engine.ops.ConvSpec;
import tenon.engine.ops.Convolution;
import tenon.engine.ops.PoolSpec;
import tenon.engine.ops.Pooling;

class CpuBackendTest {
    @Test
    void saysWhyADTypeIsMissing() {
        try (CpuBackend cpu = CpuBackend.open(1)) {
            assertThat(cpu.whyNo(DType.F32)).isNull();
            assertThat(cpu.whyNo(DType.F64)).isEqualTo("the cpu back-end computes in F32 and BF16, not in F64");
            assertThat(cpu.whyNo(DType.BF16))
                    .isEqualTo(
                            DnnlInfo.hasBf16()
                                    ? null
                                    : "bf16 is not available: oneDNN has no bf16 kernels on "
                                            + DnnlInfo.read().instructionSet());
        }
    }

    @Test
    void refusesOtherDTypes() {
        try (CpuBackend cpu = CpuBackend.open(1);
                var _ = Scope.open("test", cpu)) {
            Tensor f64 = Tensor.zeros(Shape.of(2, 2), DType.F64);
            assertThatThrownBy(() -> cpu.gemm(false, false, 1, f64, f64, 0, f64))
                    .isInstanceOf(DTypeException.class);
            assertThatThrownBy(() -> cpu.dense().forward(f64, f64, null, Activation.NONE, f64))
                    .isInstanceOf(DTypeException.class);
        }
    }

    @Test
    void aRefusedPrimitiveIsAnExceptionThatNamesCallAndStatus() {
        try (CpuBackend cpu = CpuBackend.open(1);
                var _ = Scope.open("test", cpu)) {
            Tensor input = Tensor.zeros(Shape.of(1, 4, 4, 1), DType.F32);
            Tensor weight = Tensor.zeros(Shape.of(1, 3, 3, 1), DType.F32);
            Tensor wrong = Tensor.zeros(Shape.of(1, 9, 9, 1), DType.F32);
            assertThatThrownBy(() ->
                            cpu.convolution().forward(ConvSpec.of(1, 0), input, weight, null, Activation.NONE, wrong))
                    .isInstanceOf(TenonException.class)
                    .hasMessageContaining("conv2d FORWARD")
                    .hasMessageContaining("dnnl_convolution_forward_primitive_desc_create")
                    .hasMessageContaining("status=invalid_arguments");
            assertThat(cpu.primitiveReport()).isEmpty();
        }
    }

    @Test
    void compilesOncePerShape() {
        try (CpuBackend cpu = CpuBackend.open(1);
                var _ = Scope.open("test", cpu)) {
            Tensor weight = Tensor.zeros(Shape.of(4, 3, 3, 1), DType.F32);
            Tensor small = Tensor.zeros(Shape.of(1, 4, 4, 1), DType.F32);
            Tensor large = Tensor.zeros(Shape.of(2, 4, 4, 1), DType.F32);
            Convolution.conv2d(small, weight, null, ConvSpec.of(1, 1));
            BackendStatistics first = cpu.statistics();
            Convolution.conv2d(
                    small, weight, null, new ConvSpec(1, 1, ConvSpec.of(1, 1).padding(), 1, 1, 1));
            assertThat(cpu.statistics().primitives()).isEqualTo(first.primitives());
            Convolution.conv2d(large, weight, null, ConvSpec.of(1, 1));
            assertThat(cpu.statistics().primitives()).isGreaterThan(first.primitives());
        }
    }

    @Test
    void emptyBatchesWork() {
        try (CpuBackend cpu = CpuBackend.open(1);
                var _ = Scope.open("test", cpu)) {
            Tensor input = Tensor.zeros(Shape.of(0, 4, 4, 2), DType.F32).requireGrad(true);
            Tensor weight = Tensor.full(Shape.of(3, 3, 3, 2), DType.F32, 1).requireGrad(true);
            Tensor bias = Tensor.full(Shape.of(3), DType.F32, 1).requireGrad(true);
            Tensor output =
                    Pooling.maxPool2d(Convolution.conv2d(input, weight, bias, ConvSpec.of(1, 1)), PoolSpec.of(2, 2));
            assertThat(output.shape()).isEqualTo(Shape.of(0, 2, 2, 3));
            output.backward(Tensor.zeros(output.shape(), DType.F32));
            assertThat(weight.grad().toFloatArray()).containsOnly(0f);
            assertThat(bias.grad().toFloatArray()).containsOnly(0f);
        }
    }

    @Test
    void dropoutUsesDrawIForElementI() {
        try (CpuBackend cpu = CpuBackend.open(2);
                var _ = Scope.open("test", cpu)) {
            int count = 10_007;
            Tensor ones = Tensor.full(Shape.of(count), DType.F32, 1);
            Tensor output = Tensor.empty(ones.shape(), DType.F32);
            Rng rng = new Rng(0x1234_5678_9ABCL, 3, 4);
            for (double rate : new double[] {0.25, 0.5, 1 / 3.0}) {
                cpu.random().dropout(ones, rate, rng, output);
                float[] values = output.toFloatArray();
                for (int i = 0; i < count; i++) {
                    float expected = rng.uniform(i) < rate ? 0 : (float) (1 / (1 - rate));
                    assertThat(values[i]).as("element %d at rate %s", i, rate).isEqualTo(expected);
                }
            }
        }
    }

    @Test
    void losesNoNaN() {
        try (CpuBackend cpu = CpuBackend.open(1);
                var _ = Scope.open("test", cpu)) {
            Tensor input = Tensor.full(Shape.of(1, 4, 4, 17), DType.F32, Double.NaN);
            List<Activation> activations =
                    List.of(Activation.RELU, Activation.RELU6, Activation.elu(1), Activation.SIGMOID, Activation.TANH);
            for (Activation activation : activations) {
                assertThat(Activations.activate(input, activation).toFloatArray())
                        .as(activation.opName())
                        .containsOnly(Float.NaN);
            }
            assertThat(Pooling.maxPool2d(input, PoolSpec.of(2, 2)).toFloatArray())
                    .containsOnly(Float.NaN);
            assertThat(Pooling.avgPool2d(input, PoolSpec.of(2, 2)).toFloatArray())
                    .containsOnly(Float.NaN);
            Tensor low = Tensor.full(Shape.of(1, 4, 4, 17), DType.F32, Double.NEGATIVE_INFINITY);
            assertThat(Pooling.maxPool2d(low, PoolSpec.of(2, 2)).toFloatArray()).containsOnly(Float.NEGATIVE_INFINITY);
        }
    }

    @Test
    void keepsToTheMemoryLimit() {
        try (CpuBackend cpu = CpuBackend.open(new CpuOptions(1, 1 << 20));
                var _ = Scope.open("test", cpu)) {
            assertThatThrownBy(() -> Tensor.zeros(Shape.of(1 << 20), DType.F32))
                    .isInstanceOf(OutOfMemoryException.class);
        }
    }

    @Test
    void closesTwice() {
        CpuBackend cpu = CpuBackend.open(1);
        cpu.close();
        cpu.close();
        assertThat(cpu.allocator().statistics().liveBytes()).isZero();
    }
}
