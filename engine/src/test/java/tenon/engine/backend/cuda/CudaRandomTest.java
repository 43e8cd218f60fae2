package tenon.engine.backend.cuda;

import static org.assertj.core.api.Assertions.assertThat;
import static tenon.engine.testing.TensorAssert.assertIdentical;

import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;
import tenon.engine.DType;
import tenon.engine.Rng;
import tenon.engine.Scope;
import tenon.engine.Shape;
import tenon.engine.Tensor;
import tenon.engine.backend.Backend;
import tenon.engine.backend.CapturedStep;
import tenon.engine.backend.StepState;
import tenon.engine.backend.cpu.CpuBackend;
import tenon.engine.testing.CudaTesting;
import tenon.engine.testing.Tensors;

/** The same bits as on the CPU. */
class CudaRandomTest {
    private CudaBackend backend;
    private CpuBackend cpu;

    @BeforeEach
    void open() {
        backend = CudaTesting.open();
        cpu = CpuBackend.open(2);
    }

    @AfterEach
    void close() {
        if (backend != null) {
            backend.close();
        }
        if (cpu != null) {
            cpu.close();
        }
    }

    /** What fills a tensor on a back-end. */
    @FunctionalInterface
    private interface Fill {
        void run(Backend on, Tensor tensor);
    }

    private static double[] filled(Backend on, DType dtype, int size, Fill fill) {
        try (var _ = Scope.open("fill", on)) {
            Tensor tensor = Tensor.empty(Shape.of(size), dtype);
            fill.run(on, tensor);
            return tensor.toDoubleArray();
        }
    }

    /** BF16 is F32 rounded once, and this holds on processors without BF16, too. */
    private void compare(String what, DType dtype, int size, Fill fill) {
        double[] expected = filled(cpu, DType.F32, size, fill);
        if (dtype == DType.BF16) {
            for (int i = 0; i < size; i++) {
                expected[i] = rounded(expected[i]);
            }
        }
        assertIdentical(what + " in " + dtype + ", " + size, filled(backend, dtype, size, fill), expected);
    }

    private static double rounded(double value) {
        return DType.bf16ToFloat(DType.floatToBf16((float) value));
    }

    @ParameterizedTest
    @EnumSource(names = {"F32", "BF16"})
    void dropoutDropsWhatTheCpuDrops(DType dtype) {
        Rng rng = new Rng(0x1234_5678_9ABCL, -7, 1_000_003);
        for (int size : new int[] {0, 1, 3, 7, 8, 9, 31, 1003, 100_003}) {
            double[] values = new double[size];
            for (int i = 0; i < size; i++) {
                values[i] = i % 11 == 0 ? Double.NaN : i % 13 == 0 ? Double.NEGATIVE_INFINITY : rounded(i - 50);
            }
            for (double rate : new double[] {0.1, 0.5, 0.999}) {
                compare("dropout", dtype, size, (on, tensor) -> {
                    Tensors.upload(tensor, values);
                    on.random().dropout(tensor, rate, rng, tensor);
                });
            }
        }
    }

    @ParameterizedTest
    @EnumSource(names = {"F32", "BF16"})
    void uniformIsTheSame(DType dtype) {
        Rng rng = new Rng(-5, 6, 7);
        for (int size : new int[] {0, 1, 1003, 50_001}) {
            compare("uniform", dtype, size, (on, tensor) -> on.random().uniform(tensor, -1.3, 2.9, rng));
        }
    }

    @ParameterizedTest
    @EnumSource(names = {"F32", "BF16"})
    void normalIsTheSame(DType dtype) {
        Rng rng = new Rng(8, 9, 10);
        for (int size : new int[] {0, 1, 1003, 400_000}) {
            compare("normal", dtype, size, (on, tensor) -> on.random().normal(tensor, 0.25, 1.7, rng));
        }
    }

    /** A mean that lies between two floats: every value is a tie, and there are few enough for the list, or too many. */
    @ParameterizedTest
    @ValueSource(ints = {1000, 70_000})
    void normalIsTheSameWhereAllIsDoubtful(int size) {
        Rng rng = new Rng(11, 12, 13);
        CudaTesting.simulator().clearCalls();
        compare("normal", DType.F32, size, (on, tensor) -> on.random().normal(tensor, 1 + 0x1p-24, 0x1p-70, rng));
        // The host's values go to the device one by one, or all at once.
        assertThat(CudaTesting.simulator().calls("cuMemcpyHtoDAsync")).isEqualTo(size == 1000 ? 1000 : 1);
    }

    @Test
    void recordedDropoutDrawsTheReplaysStep() {
        int size = 1003;
        try (var _ = Scope.open("test", backend)) {
            Tensor x = Tensor.full(Shape.of(size), DType.F32, 1);
            Tensor y = Tensor.zeros(Shape.of(size), DType.F32);
            // Compiled before: a recording begins with nothing to wait for.
            backend.random().dropout(x, 0.5, new Rng(1, 2, 3), y);
            try (CapturedStep step = backend.capture()
                    .record(new StepState(0.1, 3, 1), () -> backend.random().dropout(x, 0.5, new Rng(1, 2, 3), y))) {
                for (int now = 3; now < 6; now++) {
                    step.replay(new StepState(0.1, now, now - 2));
                    double[] replayed = y.toDoubleArray();
                    Rng rng = new Rng(1, 2, now);
                    for (int i = 0; i < size; i++) {
                        assertThat(replayed[i])
                                .as("step %d, element %d", now, i)
                                .isEqualTo(rng.uniform(i) < 0.5 ? 0 : 2);
                    }
                }
            }
        }
    }
}
