package tenon.engine.backend.cpu;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.function.Consumer;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import tenon.engine.DType;
import tenon.engine.GradMode;
import tenon.engine.Rng;
import tenon.engine.Scope;
import tenon.engine.Shape;
import tenon.engine.Tensor;
import tenon.engine.backend.Backend;
import tenon.engine.backend.BackendStatistics;
import tenon.engine.backend.reference.ReferenceBackend;
import tenon.engine.nativelib.DnnlInfo;
import tenon.engine.ops.ConvSpec;
import tenon.engine.ops.Convolution;
import tenon.engine.ops.Dense;
import tenon.engine.ops.Reshape;
import tenon.engine.testing.Tensors;

/** Weights that training keeps in oneDNN's layouts look plain from outside, whatever is done to them, and a warm step converts nothing in vain. */
class WeightFormTest {
    private CpuBackend cpu;
    private Scope scope;

    @BeforeEach
    void open() {
        cpu = CpuBackend.open(2);
        scope = Scope.open("test", cpu);
    }

    @AfterEach
    void close() {
        scope.close();
        cpu.close();
    }

    static Stream<DType> dtypes() {
        return DnnlInfo.hasBf16() ? Stream.of(DType.F32, DType.BF16) : Stream.of(DType.F32);
    }

    /** Three convolutions, whose blocked layouts have padding, and a dense layer, with SGD. */
    private static final class Net {
        private static final int CLASSES = 7;

        final Backend backend;
        final DType dtype;
        final List<Tensor> weights = new ArrayList<>();
        final List<Tensor> velocities = new ArrayList<>();

        Net(Backend backend, DType dtype) {
            this(backend, dtype, 5, 19, 32);
        }

        Net(Backend backend, DType dtype, int first, int second, int third) {
            this.backend = backend;
            this.dtype = dtype;
            parameter(first, 3, 3, 3);
            parameter(first);
            parameter(second, 3, 3, first);
            parameter(second);
            parameter(third, 1, 1, second);
            parameter(third);
            parameter(CLASSES, third * 6 * 6);
            parameter(CLASSES);
        }

        private void parameter(int... dims) {
            Shape shape = Shape.of(dims);
            double fan = Math.max(1, shape.elementCount() / dims[0]);
            weights.add(
                    random(shape, DType.F32, weights.size(), 1 / Math.sqrt(fan)).requireGrad(true));
            velocities.add(Tensor.zeros(shape, DType.F32));
        }

        static Tensor random(Shape shape, DType dtype, int seed, double scale) {
            Rng rng = new Rng(seed, 0, 0);
            double[] values = new double[Math.toIntExact(shape.elementCount())];
            Arrays.setAll(values, _ -> rng.nextUniform(-scale, scale));
            return Tensors.of(dtype, shape, values);
        }

        Tensor forward(int batch) {
            Tensor x = random(Shape.of(batch, 6, 6, 3), dtype, 100 + batch, 1);
            x = Convolution.conv2d(x, weights.get(0), weights.get(1), ConvSpec.of(1, 1));
            x = Convolution.conv2d(x, weights.get(2), weights.get(3), ConvSpec.of(1, 1));
            x = Convolution.conv2d(x, weights.get(4), weights.get(5), ConvSpec.of(1, 0));
            return Dense.dense(Reshape.flatten(x), weights.get(6), weights.get(7));
        }

        float[] infer() {
            try (var _ = Scope.open("inference");
                    var _ = GradMode.noGrad()) {
                return forward(2).toFloatArray();
            }
        }

        void backward(int batch) {
            try (var _ = Scope.open("step")) {
                Tensor output = forward(batch);
                output.backward(random(output.shape(), dtype, 7, 0.1));
            }
        }

        void step(int batch) {
            weights.forEach(Tensor::zeroGrad);
            backward(batch);
            update();
        }

        void update() {
            float[] decay = new float[weights.size()];
            float[] scale = new float[weights.size()];
            Arrays.fill(decay, 1e-3f);
            Arrays.fill(scale, 1);
            backend.updates()
                    .sgd(array(weights), gradients(), array(velocities), 0.05f, 0.9f, false, 1, null, decay, scale);
        }

        Tensor[] gradients() {
            return weights.stream().map(Tensor::grad).toArray(Tensor[]::new);
        }

        private static Tensor[] array(List<Tensor> tensors) {
            return tensors.toArray(Tensor[]::new);
        }

        Stream<Tensor> tensors() {
            return Stream.concat(weights.stream(), velocities.stream());
        }

        float[][] contents() {
            return tensors().map(Tensor::toFloatArray).toArray(float[][]::new);
        }
    }

    private static boolean isPrivate(Tensor tensor) {
        return tensor.storage().form() != null && !tensor.storage().form().isPlain();
    }

    @ParameterizedTest
    @MethodSource("dtypes")
    void trainsAsTheReferenceDoes(DType dtype) {
        float[][] expected;
        try (Backend reference = ReferenceBackend.open();
                var _ = Scope.open("reference", reference)) {
            expected = threeSteps(new Net(reference, dtype));
        }
        Net net = new Net(cpu, dtype);
        float[][] actual = threeSteps(net);
        float tolerance = dtype == DType.F32 ? 1e-5f : 5e-3f;
        for (int i = 0; i < expected.length; i++) {
            assertThat(actual[i]).as("tensor %d", i).containsExactly(expected[i], within(tolerance));
        }
        assertThat(net.weights.subList(0, 6).stream().filter(t -> t.shape().rank() == 4))
                .allMatch(WeightFormTest::isPrivate);
    }

    private static float[][] threeSteps(Net net) {
        for (int i = 0; i < 3; i++) {
            net.step(4);
        }
        return net.contents();
    }

    @ParameterizedTest
    @MethodSource("dtypes")
    void computesTheSameBitsAsWithPlainTensors(DType dtype) {
        assertSameBits(new Net(cpu, dtype), new Net(cpu, dtype));
    }

    /** The update writes the copies of these itself; a tensor that was touched gets them from oneDNN. */
    @ParameterizedTest
    @MethodSource("dtypes")
    void computesTheSameBitsWithWholeBlocks(DType dtype) {
        assertSameBits(new Net(cpu, dtype, 48, 80, 208), new Net(cpu, dtype, 48, 80, 208));
    }

    private static void assertSameBits(Net net, Net touched) {
        for (int batch : new int[] {4, 4, 1, 4, 9, 1, 4}) {
            net.step(batch);
            touched.step(batch);
            touched.tensors().forEach(Tensor::address);
            touched.weights.forEach(weight -> weight.grad().address());
            assertThat(touched.weights).noneMatch(WeightFormTest::isPrivate);
            assertThat(net.infer()).isEqualTo(touched.infer());
        }
        assertThat(net.contents()).isDeepEqualTo(touched.contents());
    }

    @ParameterizedTest
    @MethodSource("dtypes")
    void readingLeavesThePrivateFormAlone(DType dtype) {
        Net net = new Net(cpu, dtype);
        net.step(4);
        net.step(4);
        float[] output = net.infer();
        float[][] first = net.contents();
        assertThat(isPrivate(net.weights.getFirst())).isTrue();
        assertThat(isPrivate(net.velocities.getFirst())).isTrue();
        assertThat(net.weights.getFirst().readableSegment()).isNull();
        try (Arena confined = Arena.ofConfined()) {
            Tensor weight = net.weights.get(2);
            MemorySegment to = confined.allocate(weight.byteSize(), 64);
            weight.download(to);
            assertThat(to.toArray(ValueLayout.JAVA_FLOAT)).isEqualTo(first[2]);
        }
        assertThat(net.contents()).isDeepEqualTo(first);
        assertThat(net.infer()).isEqualTo(output);
    }

    @ParameterizedTest
    @MethodSource("dtypes")
    void writesAreSeen(DType dtype) {
        List<Consumer<Tensor>> writes = List.of(
                tensor -> tensor.fill(0.25),
                tensor -> tensor.upload(
                        Net.random(tensor.shape(), DType.F32, 5, 0.5).toFloatArray()),
                tensor -> tensor.copyFrom(Net.random(tensor.shape(), DType.F32, 6, 0.5)),
                tensor -> tensor.segment().setAtIndex(ValueLayout.JAVA_FLOAT, 3, 4f),
                tensor -> cpu.scale(tensor, 0.5, tensor));
        Net net = new Net(cpu, dtype);
        for (Consumer<Tensor> write : writes) {
            net.step(4);
            net.step(4);
            net.infer();
            net.weights.forEach(write);
            float[] output = net.infer();
            Net fresh = new Net(cpu, dtype);
            for (int i = 0; i < fresh.weights.size(); i++) {
                fresh.weights.get(i).upload(net.weights.get(i).toFloatArray());
            }
            assertThat(output).isEqualTo(fresh.infer());
            net.step(4);
            fresh.weights.forEach(Tensor::zeroGrad);
            fresh.backward(4);
            assertThat(net.weights.getFirst().grad().toFloatArray())
                    .isEqualTo(fresh.weights.getFirst().grad().toFloatArray());
        }
    }

    @ParameterizedTest
    @MethodSource("dtypes")
    void gradientsAccumulateInTheirOwnLayout(DType dtype) {
        Net net = new Net(cpu, dtype);
        net.backward(4);
        float[] once = net.weights.getFirst().grad().toFloatArray();
        net.backward(4);
        assertThat(isPrivate(net.weights.getFirst().grad())).isTrue();
        float[] twice = net.weights.getFirst().grad().toFloatArray();
        for (int i = 0; i < once.length; i++) {
            assertThat(twice[i]).isEqualTo(2 * once[i]);
        }
    }

    @ParameterizedTest
    @MethodSource("dtypes")
    void sumsOfSquaresCountThePaddingAsNothing(DType dtype) {
        Net net = new Net(cpu, dtype);
        net.step(4);
        double expected = 0;
        for (Tensor gradient : net.gradients()) {
            for (double x : gradient.toDoubleArray()) {
                expected += x * x;
            }
        }
        assertThat(cpu.updates().sumOfSquares(net.gradients())).isCloseTo(expected, within(1e-12 * expected));
        assertThat(isPrivate(net.weights.getFirst().grad())).isTrue();
    }

    @ParameterizedTest
    @MethodSource("dtypes")
    void continuesFromPlainContentsAsIfNeverInterrupted(DType dtype) {
        Net net = new Net(cpu, dtype);
        net.step(4);
        net.step(4);
        float[][] saved = net.contents();
        net.step(4);
        net.step(4);
        Net resumed = new Net(cpu, dtype);
        List<Tensor> tensors = resumed.tensors().toList();
        for (int i = 0; i < saved.length; i++) {
            tensors.get(i).upload(MemorySegment.ofArray(saved[i]));
        }
        resumed.step(4);
        resumed.step(4);
        assertThat(resumed.contents()).isDeepEqualTo(net.contents());
    }

    @ParameterizedTest
    @MethodSource("dtypes")
    void aWarmStepCreatesNothingAndAllocatesNothing(DType dtype) {
        Net net = new Net(cpu, dtype);
        net.step(4);
        net.step(4);
        BackendStatistics warm = cpu.statistics();
        long live = cpu.allocator().statistics().liveBytes();
        for (int i = 0; i < 3; i++) {
            net.step(4);
        }
        assertThat(cpu.statistics()).isEqualTo(warm);
        assertThat(cpu.allocator().statistics().liveBytes()).isEqualTo(live);
    }

    @ParameterizedTest
    @MethodSource("dtypes")
    void everyCopyIsFreedWithItsWeight(DType dtype) {
        long[] live = new long[2];
        for (int round = 0; round < 2; round++) {
            try (var _ = Scope.open("model")) {
                Net net = new Net(cpu, dtype);
                net.step(4);
                net.infer();
                net.step(4);
            }
            live[round] = cpu.allocator().statistics().liveBytes();
        }
        assertThat(live[1]).isEqualTo(live[0]);
    }

    @ParameterizedTest
    @MethodSource("dtypes")
    void severalThreadsReadAtOnce(DType dtype) throws Exception {
        Net net = new Net(cpu, dtype);
        net.step(4);
        net.step(4);
        float[][] expected = net.contents();
        float[] output = net.infer();
        try (ExecutorService threads = Executors.newFixedThreadPool(4)) {
            List<Callable<Void>> tasks = new ArrayList<>();
            for (int i = 0; i < 4; i++) {
                boolean reads = i % 2 == 0;
                tasks.add(() -> {
                    try (var _ = Scope.open("thread", cpu)) {
                        for (int round = 0; round < 20; round++) {
                            if (reads) {
                                assertThat(net.contents()).isDeepEqualTo(expected);
                            } else {
                                assertThat(net.infer()).isEqualTo(output);
                            }
                        }
                    }
                    return null;
                });
            }
            for (Future<Void> result : threads.invokeAll(tasks)) {
                result.get();
            }
        }
    }
}
