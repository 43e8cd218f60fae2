package tenon.engine.backend.cuda;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import tenon.engine.DType;
import tenon.engine.Rng;
import tenon.engine.Scope;
import tenon.engine.Shape;
import tenon.engine.Tensor;
import tenon.engine.testing.CudaTesting;
import tenon.engine.testing.TensorAssert;
import tenon.engine.testing.Tensors;
import tenon.simulator.Simulator;

/**
 * Reductions, losses, rankings and updates have the same bits whichever thread and block comes first, and however many multiprocessors there are: a missing barrier would show, and so would a sum whose
 * order follows the device.
 */
class KernelOrderTest {
    private Simulator simulator;

    @BeforeEach
    void reset() {
        simulator = CudaTesting.simulator();
        simulator.reset();
    }

    @AfterEach
    void noWrongCalls() {
        if (simulator != null) {
            assertThat(simulator.violations()).isEmpty();
            simulator.reset();
        }
    }

    @Test
    void resultsDependOnShapesAlone() {
        List<double[]> expected = null;
        for (Simulator.Order order : Simulator.Order.values()) {
            simulator.order(order);
            simulator.multiprocessors(1 + 4 * order.ordinal());
            List<double[]> results = new ArrayList<>();
            try (CudaBackend backend = CudaTesting.open()) {
                for (DType dtype : List.of(DType.F32, DType.BF16)) {
                    try (var _ = Scope.open("test", backend)) {
                        sums(backend, dtype, results);
                        losses(backend, dtype, results);
                        updates(backend, results);
                    }
                }
            }
            expected = expected == null ? results : expected;
            assertThat(results).hasSameSizeAs(expected);
            for (int i = 0; i < results.size(); i++) {
                TensorAssert.assertIdentical(order + ", result " + i, results.get(i), expected.get(i));
            }
        }
    }

    /** A warp that is ahead of the others writes the next row's sum where they have not read the last one's yet. */
    @Test
    void aBlocksSumNeedsItsSecondBarrier(@TempDir Path cache) {
        double[] right = rowSums(CudaTesting.options());
        simulator.order(Simulator.Order.DESCENDING);
        TensorAssert.assertIdentical("in descending order", rowSums(CudaTesting.options()), right);
        simulator.mutate("reduction.cu", "    __syncthreads();\n    return total;", "    return total;");
        assertThat(rowSums(CudaTesting.options().withCache(cache))).isNotEqualTo(right);
    }

    /** Of more rows than there are blocks, each a block's work. */
    private double[] rowSums(CudaOptions options) {
        simulator.multiprocessors(1);
        try (CudaBackend backend = CudaBackend.open(options);
                var _ = Scope.open("test", backend)) {
            Tensor sums = Tensor.empty(Shape.of(40, 1), DType.F32);
            backend.sumTo(random(DType.F32, 1, 40, 5000), sums);
            return sums.toDoubleArray();
        }
    }

    private static Tensor random(DType dtype, int seed, int... dims) {
        Shape shape = Shape.of(dims);
        Rng rng = new Rng(seed, 0, 0);
        double[] values = new double[(int) shape.elementCount()];
        for (int i = 0; i < values.length; i++) {
            values[i] = rng.nextUniform(-3, 3);
        }
        return Tensors.of(dtype, shape, values);
    }

    private static void sums(CudaBackend backend, DType dtype, List<double[]> results) {
        // From, to: everything, columns (vectors, single ones, several stripes), rows (short and long), mixtures.
        int[][][] cases = {
            {{70_001}, {}},
            {{1000, 64}, {64}},
            {{3000, 17}, {17}},
            {{40, 264}, {264}},
            {{33, 100}, {33, 1}},
            {{2, 5000}, {2, 1}},
            {{3, 4, 5, 6}, {1, 4, 1, 6}},
            {{3, 4, 5, 6}, {3, 1, 5, 1}},
        };
        for (int[][] pair : cases) {
            Tensor out = Tensor.empty(Shape.of(pair[1]), dtype);
            backend.sumTo(random(dtype, 1, pair[0]), out);
            results.add(out.toDoubleArray());
        }
        for (int channels : new int[] {1, 17, 64}) {
            Tensor slope = Tensor.empty(Shape.of(channels), DType.F32);
            backend.activation()
                    .preluBackward(
                            random(dtype, 2, 500, channels),
                            random(DType.F32, 3, channels),
                            random(dtype, 4, 500, channels),
                            null,
                            slope);
            results.add(slope.toDoubleArray());
        }
    }

    private static void losses(CudaBackend backend, DType dtype, List<double[]> results) {
        for (int classes : new int[] {3, 40, 2500}) {
            // More than the warps, or the blocks, of a device with one multiprocessor.
            int rows = classes == 3 ? 600 : classes == 40 ? 9 : 35;
            Tensor logits = random(dtype, 5, rows, classes);
            int[] classOf = new int[rows];
            for (int i = 0; i < rows; i++) {
                classOf[i] = i % 3;
            }
            Tensor labels = Tensor.of(classOf, rows);
            Tensor target = random(DType.F32, 6, rows, classes);
            Tensor loss = Tensor.empty(Shape.scalar(), DType.F32);
            Tensor probabilities = Tensor.empty(logits.shape(), DType.F32);
            Tensor gradient = Tensor.empty(logits.shape(), dtype);
            Tensor gradInput = Tensor.empty(logits.shape(), dtype);
            Tensor one = Tensor.full(Shape.scalar(), DType.F32, 1);
            for (Tensor wanted : List.of(labels, target)) {
                backend.losses().softmaxCrossEntropyForward(logits, wanted, 0.1, loss, probabilities);
                backend.losses().softmaxCrossEntropyBackward(probabilities, wanted, 0.1, one, gradient);
                results.add(loss.toDoubleArray());
                results.add(probabilities.toDoubleArray());
                results.add(gradient.toDoubleArray());
            }
            backend.losses().softmaxForward(logits, gradient);
            results.add(gradient.toDoubleArray());
            backend.losses().softmaxBackward(gradient, logits, gradInput);
            results.add(gradInput.toDoubleArray());
            backend.losses().sigmoidCrossEntropyForward(logits, target, loss);
            results.add(loss.toDoubleArray());
            backend.losses().meanSquaredErrorForward(logits, target, loss);
            results.add(loss.toDoubleArray());
            Tensor top = Tensor.empty(Shape.of(rows, 3), DType.I32);
            backend.metrics().topK(logits, 3, top);
            results.add(top.toDoubleArray());
        }
    }

    private static void updates(CudaBackend backend, List<double[]> results) {
        Tensor[] w = {random(DType.F32, 7, 20_001), random(DType.F32, 8, 5)};
        Tensor[] g = {random(DType.F32, 9, 20_001), random(DType.F32, 10, 5)};
        Tensor[] v = {random(DType.F32, 11, 20_001), random(DType.F32, 12, 5)};
        backend.updates().sgd(w, g, v, 0.1f, 0.9f, true, 1, null, new float[] {0.1f, 0}, new float[] {1, 2});
        results.add(w[0].toDoubleArray());
        results.add(v[1].toDoubleArray());
        results.add(new double[] {backend.updates().sumOfSquares(w)});
        Tensor clip = Tensor.empty(Shape.of(2), DType.F32);
        backend.updates().clipFactor(w, 0.3, 1, clip);
        results.add(clip.toDoubleArray());
    }
}
