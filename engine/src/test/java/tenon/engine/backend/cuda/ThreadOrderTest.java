package tenon.engine.backend.cuda;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import tenon.engine.DType;
import tenon.engine.Rng;
import tenon.engine.Scope;
import tenon.engine.Shape;
import tenon.engine.Tensor;
import tenon.engine.ops.Activation;
import tenon.engine.ops.BatchNormSpec;
import tenon.engine.ops.Padding;
import tenon.engine.ops.PoolSpec;
import tenon.engine.testing.CudaTesting;
import tenon.simulator.Simulator;

/** The kernels of normalization, pooling and bias compute the same bits whichever thread and block comes first: a missing barrier would show. */
class ThreadOrderTest {
    private Simulator simulator;

    @BeforeEach
    void reset() {
        simulator = CudaTesting.simulator();
        simulator.reset();
    }

    @AfterEach
    void noWrongCalls() {
        assertThat(simulator.violations()).isEmpty();
        simulator.reset();
    }

    @Test
    void resultsDoNotDependOnTheOrderOfThreads() {
        try (CudaBackend backend = CudaTesting.open()) {
            List<float[]> expected = null;
            for (Simulator.Order order : Simulator.Order.values()) {
                simulator.order(order);
                List<float[]> results = new ArrayList<>();
                for (DType dtype : List.of(DType.F32, DType.BF16)) {
                    // Vectors and whole blocks; single channels and blocks with idle threads; several chunks of rows.
                    for (Shape shape : List.of(
                            Shape.of(4, 9, 9, 32),
                            Shape.of(3, 5, 7, 17),
                            Shape.of(2, 40, 40, 3),
                            Shape.of(2, 5, 5, 264))) {
                        try (Scope _ = Scope.open("test", backend)) {
                            normalize(backend, shape, dtype, results);
                            pool(backend, shape, dtype, results);
                            bias(backend, shape, dtype, results);
                        }
                    }
                }
                if (expected == null) {
                    expected = results;
                }
                for (int i = 0; i < results.size(); i++) {
                    assertThat(results.get(i)).as("%s, result %d", order, i).isEqualTo(expected.get(i));
                }
            }
        }
    }

    private static Tensor random(int seed, Shape shape, DType dtype) {
        Rng rng = new Rng(seed, Rng.stream("orders"), 0);
        float[] values = new float[Math.toIntExact(shape.elementCount())];
        for (int i = 0; i < values.length; i++) {
            values[i] = (float) rng.nextUniform(-1, 1);
        }
        Tensor floats = Tensor.of(values, shape.toArray());
        if (dtype == DType.F32) {
            return floats;
        }
        Tensor tensor = Tensor.empty(shape, dtype);
        tensor.backend().cast(floats, tensor);
        return tensor;
    }

    private static void normalize(CudaBackend backend, Shape shape, DType dtype, List<float[]> results) {
        BatchNormSpec spec = BatchNormSpec.defaults().withActivation(Activation.RELU);
        Shape channels = Shape.of(shape.dim(-1));
        Tensor input = random(1, shape, dtype);
        Tensor shortcut = random(2, shape, dtype);
        Tensor gamma = random(3, channels, DType.F32);
        Tensor beta = random(4, channels, DType.F32);
        Tensor runningMean = Tensor.zeros(channels, DType.F32);
        Tensor runningVariance = Tensor.full(channels, DType.F32, 1);
        Tensor mean = Tensor.empty(channels, DType.F32);
        Tensor variance = Tensor.empty(channels, DType.F32);
        Tensor output = Tensor.empty(shape, dtype);
        backend.normalization.trainForward(
                spec, input, gamma, beta, runningMean, runningVariance, shortcut, output, 0, mean, variance);
        Tensor gradInput = Tensor.empty(shape, dtype);
        Tensor gradShortcut = Tensor.empty(shape, dtype);
        Tensor gradGamma = Tensor.empty(channels, DType.F32);
        Tensor gradBeta = Tensor.empty(channels, DType.F32);
        backend.normalization.backward(
                spec,
                input,
                gamma,
                beta,
                mean,
                variance,
                false,
                output,
                random(5, shape, dtype),
                0,
                gradInput,
                gradShortcut,
                gradGamma,
                gradBeta);
        for (Tensor tensor : List.of(
                output, mean, variance, runningMean, runningVariance, gradInput, gradShortcut, gradGamma, gradBeta)) {
            results.add(tensor.toFloatArray());
        }
    }

    private static void pool(CudaBackend backend, Shape shape, DType dtype, List<float[]> results) {
        PoolSpec spec = new PoolSpec(3, 2, 2, 2, new Padding(1, 0, 0, 1), true, true);
        Shape pooled = spec.outputShape("test", shape);
        Tensor input = random(6, shape, dtype);
        Tensor output = Tensor.empty(pooled, dtype);
        Tensor average = Tensor.empty(pooled, dtype);
        Tensor winners = Tensor.empty(backend.pooling.workspaceShape(spec, shape, pooled), DType.U8);
        Tensor gradOutput = random(7, pooled, dtype);
        Tensor gradMax = Tensor.empty(shape, dtype);
        Tensor gradAverage = Tensor.empty(shape, dtype);
        backend.pooling.maxForward(spec, input, output, winners);
        backend.pooling.maxBackward(spec, gradOutput, winners, gradMax);
        backend.pooling.averageForward(spec, input, average);
        backend.pooling.averageBackward(spec, gradOutput, gradAverage);
        for (Tensor tensor : List.of(output, average, gradMax, gradAverage)) {
            results.add(tensor.toFloatArray());
        }
    }

    private static void bias(CudaBackend backend, Shape shape, DType dtype, List<float[]> results) {
        Tensor input = random(8, shape, dtype);
        Tensor output = Tensor.empty(shape, dtype);
        int channels = shape.dim(-1);
        Tensor bias = random(9, Shape.of(channels), DType.F32);
        Tensor gradBias = Tensor.empty(bias.shape(), DType.F32);
        backend.bias.add(
                input.address(),
                dtype,
                bias.address(),
                Activation.elu(0.25f),
                channels,
                output.address(),
                dtype,
                shape.elementCount());
        backend.bias.gradient(output, gradBias);
        results.add(output.toFloatArray());
        results.add(gradBias.toFloatArray());
    }
}
