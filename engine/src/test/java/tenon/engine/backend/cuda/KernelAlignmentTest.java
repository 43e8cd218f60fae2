package tenon.engine.backend.cuda;

import static tenon.engine.testing.TensorAssert.assertIdentical;

import java.util.Arrays;
import java.util.function.BiConsumer;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import tenon.engine.DType;
import tenon.engine.Rng;
import tenon.engine.Scope;
import tenon.engine.Shape;
import tenon.engine.Tensor;
import tenon.engine.testing.CudaTesting;
import tenon.engine.testing.Tensors;

/** Kernels that load 16 bytes at once compute the same where memory does not begin at a multiple of 16 bytes, and on grids that are too small for one pass. */
class KernelAlignmentTest {
    private static final int COUNT = 1003;
    private static final int CHANNELS = 24;
    /** Threads in all; 0 is a grid with a thread for each vector. */
    private static final int[] THREADS = {0, 32, 96};

    private CudaBackend backend;
    private Scope scope;

    @BeforeEach
    void open() {
        backend = CudaTesting.open();
        scope = Scope.open("test", backend);
    }

    @AfterEach
    void close() {
        if (scope != null) {
            scope.close();
            backend.close();
        }
    }

    /** Random values from element {@code offset} on. */
    private static Tensor random(DType dtype, int seed, int offset) {
        Rng rng = new Rng(seed, 0, 0);
        double[] values = new double[COUNT + offset];
        for (int i = offset; i < values.length; i++) {
            values[i] = rng.nextUniform(-2, 2);
        }
        return Tensors.of(dtype, Shape.of(values.length), values);
    }

    /** Compares results of a launch over memory from element 0 on with those over memory further behind, and on smaller grids. */
    private void compare(String file, String name, DType dtype, int operands, BiConsumer<Launch, long[]> arguments) {
        Kernel kernel = backend.kernels.get(file, name + (dtype == DType.F32 ? "_f32" : "_bf16"));
        double[] expected = null;
        for (int offset : new int[] {0, 1, 2, 7}) {
            for (int threads : THREADS) {
                Tensor[] tensors = new Tensor[operands];
                long[] addresses = new long[operands];
                for (int i = 0; i < operands; i++) {
                    // The last one is the result.
                    tensors[i] = random(dtype, i + 1, offset);
                    addresses[i] = tensors[i].address() + (long) offset * dtype.byteSize();
                }
                Launch launch = backend.launch(kernel);
                arguments.accept(launch, addresses);
                start(launch.int64(COUNT), threads);
                double[] all = tensors[operands - 1].toDoubleArray();
                assertIdentical("before the result", Arrays.copyOf(all, offset), new double[offset]);
                double[] result = Arrays.copyOfRange(all, offset, all.length);
                expected = expected == null ? result : expected;
                assertIdentical(name + " in " + dtype + " from " + offset + ", threads " + threads, result, expected);
            }
        }
    }

    private static void start(Launch launch, int threads) {
        if (threads == 0) {
            launch.elements(COUNT);
        } else {
            launch.grid(threads / 32, 1, 1, 32);
        }
    }

    @ParameterizedTest
    @EnumSource(names = {"F32", "BF16"})
    void elementwiseKernelsTakeAnyAddress(DType dtype) {
        compare(
                "activation",
                "elu_forward",
                dtype,
                2,
                (launch, at) -> launch.address(at[0]).address(at[1]).float32(0.5f));
        compare(
                "activation",
                "tanh_backward",
                dtype,
                3,
                (launch, at) ->
                        launch.address(at[0]).address(at[1]).address(at[2]).float32(0));
        compare(
                "activation",
                "leaky_relu_add",
                dtype,
                3,
                (launch, at) ->
                        launch.address(at[0]).address(at[1]).address(at[2]).float32(0.1f));
        compare(
                "arithmetic",
                "scale",
                dtype,
                2,
                (launch, at) -> launch.address(at[0]).float32(0.3f).address(at[1]));
    }

    @ParameterizedTest
    @EnumSource(names = {"F32", "BF16"})
    void kernelsOverRowsTakeAnyAddress(DType dtype) {
        Tensor slope = random(DType.F32, 9, 0);
        Tensor row = random(dtype, 9, 0);
        for (int channels : new int[] {1, 3, CHANNELS, 1000}) {
            compare(
                    "activation",
                    "prelu_forward",
                    dtype,
                    2,
                    (launch, at) -> launch.address(at[0])
                            .address(slope.address())
                            .address(at[1])
                            .int32(channels));
            compare(
                    "activation",
                    "prelu_backward",
                    dtype,
                    3,
                    (launch, at) -> launch.address(at[0])
                            .address(at[1])
                            .address(slope.address())
                            .address(at[2])
                            .int32(channels));
            compare(
                    "arithmetic",
                    "multiply_rows",
                    dtype,
                    2,
                    (launch, at) -> launch.address(at[0])
                            .address(row.address())
                            .address(at[1])
                            .int32(channels));
            // An aligned matrix with a row that is not.
            compare(
                    "arithmetic",
                    "add_rows",
                    dtype,
                    2,
                    (launch, at) -> launch.address(at[0])
                            .address(row.address() + dtype.byteSize())
                            .address(at[1])
                            .int32(channels));
        }
    }

    @ParameterizedTest
    @EnumSource(names = {"F32", "BF16"})
    void dropoutTakesAnyAddress(DType dtype) {
        Tensor step = Tensor.of(new int[] {5}, 1);
        compare(
                "random",
                "dropout",
                dtype,
                2,
                (launch, at) -> launch.address(at[0])
                        .address(at[1])
                        .int32(1 << 22)
                        .float32(1.25f)
                        .int64(77)
                        .int32(3)
                        .address(step.address()));
    }

    @ParameterizedTest
    @EnumSource(names = {"F32", "BF16"})
    void searchesTakeAnyAddress(DType dtype) {
        for (int offset : new int[] {0, 1, 7}) {
            for (int bad : new int[] {-1, 0, 500, COUNT - 1}) {
                double[] values = new double[COUNT + offset];
                if (bad >= 0) {
                    values[offset + bad] = Double.POSITIVE_INFINITY;
                }
                Tensor x = Tensors.of(dtype, Shape.of(values.length), values);
                Tensor flag = Tensor.of(new int[1], 1);
                backend.launch(backend.kernels.get(
                                "arithmetic", "find_non_finite" + (dtype == DType.F32 ? "_f32" : "_bf16")))
                        .address(x.address() + (long) offset * dtype.byteSize())
                        .address(flag.address())
                        .int64(COUNT)
                        .elements(COUNT);
                assertIdentical("flag", flag.toDoubleArray(), new double[] {bad >= 0 ? 1 : 0});
            }
        }
    }

    /** Ranges of rows of 40 elements, in vectors and one by one, on grids that go round. */
    @ParameterizedTest
    @EnumSource(names = {"F32", "BF16"})
    void channelRangesTakeAnyGrid(DType dtype) {
        int rows = 21;
        int wide = 40;
        String type = dtype == DType.F32 ? "_f32" : "_bf16";
        for (int columns : new int[] {8, 16, 24}) {
            Tensor narrow = random(dtype, 1, 0);
            double[] in = narrow.toDoubleArray();
            int offset = wide - columns;
            int count = rows * columns;
            for (int threads : new int[] {32, 96}) {
                for (int vectors = 0; vectors < 2; vectors++) {
                    Tensor to = Tensor.zeros(Shape.of(rows, wide), dtype);
                    backend.launch(backend.kernels.get("channels", "relu_forward" + type))
                            .address(narrow.address())
                            .address(to.address() + (long) offset * dtype.byteSize())
                            .int32(columns)
                            .int64(wide)
                            .float32(0)
                            .int64(count)
                            .int32(vectors)
                            .grid(threads / 32, 1, 1, 32);
                    double[] expected = new double[rows * wide];
                    for (int i = 0; i < count; i++) {
                        expected[i / columns * wide + offset + i % columns] = Math.max(in[i], 0);
                    }
                    double[] joined = to.toDoubleArray();
                    assertIdentical("forward", joined, expected);
                    Tensor back = Tensor.zeros(Shape.of(rows, columns), dtype);
                    backend.launch(backend.kernels.get("channels", "relu_backward" + type))
                            .address(to.address() + (long) offset * dtype.byteSize())
                            .address(to.address() + (long) offset * dtype.byteSize())
                            .int64(wide)
                            .address(back.address())
                            .int32(columns)
                            .float32(0)
                            .int64(count)
                            .int32(vectors)
                            .grid(threads / 32, 1, 1, 32);
                    double[] positive = Arrays.copyOf(in, count);
                    for (int i = 0; i < count; i++) {
                        positive[i] = Math.max(positive[i], 0);
                    }
                    assertIdentical("backward", back.toDoubleArray(), positive);
                }
                Tensor copied = Tensor.zeros(Shape.of(rows, columns), dtype);
                Tensor from = random(dtype, 2, 0);
                double[] source = from.toDoubleArray();
                int unit = 16;
                backend.launch(backend.kernels.get("channels", "copy_" + unit))
                        .address(from.address() + (long) offset * dtype.byteSize())
                        .int64((long) wide * dtype.byteSize() / unit)
                        .address(copied.address())
                        .int64((long) columns * dtype.byteSize() / unit)
                        .int32(columns * dtype.byteSize() / unit)
                        .int64((long) count * dtype.byteSize() / unit)
                        .grid(threads / 32, 1, 1, 32);
                double[] expected = new double[count];
                for (int i = 0; i < count; i++) {
                    expected[i] = source[i / columns * wide + offset + i % columns];
                }
                assertIdentical("copy", copied.toDoubleArray(), expected);
            }
        }
    }
}
