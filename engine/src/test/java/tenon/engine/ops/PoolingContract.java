package tenon.engine.ops;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static tenon.engine.testing.TensorAssert.assertNear;

import java.util.Objects;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import tenon.engine.DType;
import tenon.engine.Rng;
import tenon.engine.Shape;
import tenon.engine.ShapeException;
import tenon.engine.Tensor;
import tenon.engine.backend.OpKind;
import tenon.engine.testing.BackendContract;
import tenon.engine.testing.Input;
import tenon.engine.testing.OpCase;
import tenon.engine.testing.Tensors;

abstract class PoolingContract extends BackendContract {
    record Geometry(String name, Shape input, PoolSpec spec) {
        @Override
        public String toString() {
            return name;
        }
    }

    static Stream<Geometry> small() {
        return Stream.of(
                new Geometry("single element", Shape.of(1, 1, 1, 1), PoolSpec.of(1, 1)),
                new Geometry("2x2", Shape.of(2, 4, 4, 3), PoolSpec.of(2, 2)),
                new Geometry("rest in floor mode", Shape.of(1, 5, 5, 2), PoolSpec.of(2, 2)),
                new Geometry("overlapping", Shape.of(1, 5, 5, 2), PoolSpec.of(3, 2)),
                new Geometry("padded", Shape.of(1, 5, 5, 1), PoolSpec.of(3, 2, 1)),
                new Geometry("ceil", Shape.of(1, 6, 6, 2), PoolSpec.of(3, 2).withCeilMode(true)),
                new Geometry(
                        "ceil, padded",
                        Shape.of(1, 4, 4, 2),
                        PoolSpec.of(3, 2, 1).withCeilMode(true)),
                new Geometry(
                        "ceil, last window dropped",
                        Shape.of(1, 4, 4, 1),
                        PoolSpec.of(2, 3, 1).withCeilMode(true)),
                new Geometry("gaps between windows", Shape.of(1, 7, 7, 1), PoolSpec.of(2, 3)),
                new Geometry(
                        "unequal",
                        Shape.of(1, 5, 8, 2),
                        new PoolSpec(2, 4, 1, 3, new Padding(1, 0, 0, 3), false, false)),
                new Geometry(
                        "asymmetric, ceil",
                        Shape.of(1, 6, 5, 1),
                        new PoolSpec(3, 3, 2, 2, new Padding(0, 1, 2, 0), true, false)));
    }

    static Stream<Geometry> ugly() {
        return Stream.of(
                new Geometry("33 channels", Shape.of(3, 9, 9, 33), PoolSpec.of(3, 2, 1)),
                new Geometry(
                        "31 channels, ceil",
                        Shape.of(1, 12, 12, 31),
                        PoolSpec.of(3, 2).withCeilMode(true)),
                new Geometry("32 channels", Shape.of(2, 13, 13, 32), PoolSpec.of(3, 1, 1)),
                new Geometry("17 channels, global", Shape.of(2, 7, 7, 17), PoolSpec.of(7, 1)),
                new Geometry("one row", Shape.of(1, 1, 65, 3), new PoolSpec(1, 3, 1, 2, Padding.NONE, false, false)),
                new Geometry(
                        "GoogLeNet", Shape.of(1, 28, 28, 16), PoolSpec.of(3, 2).withCeilMode(true)));
    }

    /** Whatever sizes come up; a failure names its geometry. */
    static Stream<Geometry> drawn() {
        Rng rng = new Rng(2024, Rng.stream("pooling"), 0);
        return Stream.generate(() -> draw(rng)).filter(Objects::nonNull).limit(40);
    }

    private static Geometry draw(Rng rng) {
        int kernelH = 1 + rng.nextInt(5);
        int kernelW = 1 + rng.nextInt(5);
        Shape input = Shape.of(1 + rng.nextInt(2), 1 + rng.nextInt(12), 1 + rng.nextInt(12), 1 + rng.nextInt(33));
        Padding padding =
                new Padding(rng.nextInt(kernelH), rng.nextInt(kernelH), rng.nextInt(kernelW), rng.nextInt(kernelW));
        PoolSpec spec = new PoolSpec(
                kernelH, kernelW, 1 + rng.nextInt(4), 1 + rng.nextInt(4), padding, rng.nextInt(2) == 1, false);
        boolean fits = input.dim(1) + padding.top() + padding.bottom() >= kernelH
                && input.dim(2) + padding.left() + padding.right() >= kernelW;
        return fits ? new Geometry(input + ", " + spec, input, spec) : null;
    }

    @ParameterizedTest
    @MethodSource("drawn")
    void drawnSizesAreRight(Geometry geometry) {
        compare(max(geometry));
        compare(average(geometry, false));
        compare(average(geometry, true));
    }

    private static OpCase max(Geometry geometry) {
        return new OpCase(
                OpKind.MAX_POOL, 9, in -> Pooling.maxPool2d(in[0], geometry.spec()), Input.random(geometry.input()));
    }

    private static OpCase average(Geometry geometry, boolean countPadding) {
        PoolSpec spec = geometry.spec().withCountPadding(countPadding);
        return new OpCase(
                OpKind.AVG_POOL,
                (long) spec.kernelH() * spec.kernelW(),
                in -> Pooling.avgPool2d(in[0], spec),
                Input.random(geometry.input()));
    }

    @ParameterizedTest
    @MethodSource("small")
    void maxIsRight(Geometry geometry) {
        verify(max(geometry));
    }

    @ParameterizedTest
    @MethodSource("ugly")
    void maxOfUglySizesIsRight(Geometry geometry) {
        compare(max(geometry));
    }

    @ParameterizedTest
    @MethodSource("small")
    void averageIsRight(Geometry geometry) {
        verify(average(geometry, false));
        verify(average(geometry, true));
    }

    @ParameterizedTest
    @MethodSource("ugly")
    void averageOfUglySizesIsRight(Geometry geometry) {
        compare(average(geometry, false));
        compare(average(geometry, true));
    }

    @Test
    void globalAverageIsRight() {
        verify(new OpCase(OpKind.AVG_POOL, 12, in -> Pooling.globalAvgPool2d(in[0]), Input.random(2, 3, 4, 5)));
        compare(new OpCase(OpKind.AVG_POOL, 49, in -> Pooling.globalAvgPool2d(in[0]), Input.random(2, 7, 7, 33)));
    }

    @Test
    void maxByHand() {
        Tensor input = Tensors.leaf(new double[] {1, 2, 3, 4, 5, 6, 7, 8, 9}, 1, 3, 3, 1);
        Tensor output = Pooling.maxPool2d(input, PoolSpec.of(2, 1));
        output.backward(Tensor.of(new float[] {1, 2, 3, 4}, 1, 2, 2, 1));
        assertNear(output, 5, 6, 8, 9);
        assertNear(input.grad(), 0, 0, 0, 0, 1, 2, 0, 3, 4);
    }

    @Test
    void overlappingWindowsAddUpAtOneWinner() {
        Tensor input = Tensors.leaf(new double[] {0, 9, 0}, 1, 1, 3, 1);
        Tensor output = Pooling.maxPool2d(input, new PoolSpec(1, 2, 1, 1, Padding.NONE, false, false));
        output.backward(Tensor.of(new float[] {1, 10}, 1, 1, 2, 1));
        assertNear(input.grad(), 0, 11, 0);
    }

    @Test
    void firstOfEqualsWins() {
        Tensor input = Tensors.leaf(new double[] {7, 7, 7, 7}, 1, 2, 2, 1);
        Pooling.maxPool2d(input, PoolSpec.of(2, 2)).backward(Tensor.of(new float[] {3}, 1, 1, 1, 1));
        assertNear(input.grad(), 3, 0, 0, 0);
    }

    @Test
    void paddingNeverWinsAMaximum() {
        Tensor input = Tensors.leaf(new double[] {-5, -6, -7, -8}, 1, 2, 2, 1);
        assertNear(Pooling.maxPool2d(input, PoolSpec.of(2, 1, 1)), -5, -5, -6, -5, -5, -6, -7, -7, -8);
    }

    @Test
    void ceilModeKeepsTheRest() {
        Tensor input = Tensor.of(new float[] {1, 2, 3, 4, 5, 6, 7, 8, 9}, 1, 3, 3, 1);
        PoolSpec ceil = PoolSpec.of(2, 2).withCeilMode(true);
        assertNear(Pooling.maxPool2d(input, ceil), 5, 6, 8, 9);
        assertNear(Pooling.avgPool2d(input, ceil), 3, 4.5, 7.5, 9);
        assertNear(Pooling.avgPool2d(input, ceil.withCountPadding(true)), 3, 4.5, 7.5, 9);
        assertNear(Pooling.avgPool2d(input, PoolSpec.of(2, 2)), 3);
    }

    @Test
    void ceilModeDropsAWindowThatWouldStartInThePadding() {
        Shape input = Shape.of(1, 2, 2, 1);
        assertThat(PoolSpec.of(1, 2).withCeilMode(true).outputShape("pool", input))
                .isEqualTo(Shape.of(1, 1, 1, 1));
        assertThat(PoolSpec.of(2, 3, 1).withCeilMode(true).outputShape("pool", Shape.of(1, 4, 4, 1)))
                .isEqualTo(Shape.of(1, 2, 2, 1));
    }

    @Test
    void averageCountsPaddingOnRequest() {
        Tensor input = Tensor.of(new float[] {1, 2, 3, 4}, 1, 2, 2, 1);
        PoolSpec spec = PoolSpec.of(2, 1, 1);
        assertNear(Pooling.avgPool2d(input, spec), 1, 1.5, 2, 2, 2.5, 3, 3, 3.5, 4);
        assertNear(Pooling.avgPool2d(input, spec.withCountPadding(true)), 0.25, 0.75, 0.5, 1, 2.5, 1.5, 0.75, 1.75, 1);
    }

    @Test
    void countedPaddingEndsWhereThePaddingEnds() {
        Tensor row = Tensor.of(new float[] {1, 2, 3, 4}, 1, 1, 4, 1);
        PoolSpec spec = new PoolSpec(1, 3, 1, 2, Padding.of(0, 1), true, false);
        assertNear(Pooling.avgPool2d(row, spec), 1.5, 3, 4);
        assertNear(Pooling.avgPool2d(row, spec.withCountPadding(true)), 1, 3, 2);
    }

    @Test
    void averageSpreadsItsGradient() {
        Tensor input = Tensors.leaf(new double[] {1, 2, 3, 4}, 1, 2, 2, 1);
        Pooling.globalAvgPool2d(input).backward(Tensor.of(new float[] {8}, 1, 1, 1, 1));
        assertNear(input.grad(), 2, 2, 2, 2);
    }

    @Test
    void emptyBatchGivesEmptyResult() {
        Tensor input = Tensors.leaf(new double[0], 0, 4, 4, 3);
        Tensor output = Pooling.maxPool2d(input, PoolSpec.of(2, 2));
        assertThat(output.shape()).isEqualTo(Shape.of(0, 2, 2, 3));
        output.backward(Tensor.of(new float[0], 0, 2, 2, 3));
        assertThat(Pooling.avgPool2d(input, PoolSpec.of(2, 2)).shape()).isEqualTo(Shape.of(0, 2, 2, 3));
    }

    @Test
    void wrongSettingsSayWhatMustHold() {
        assertThatThrownBy(() -> PoolSpec.of(0, 1))
                .isInstanceOf(ShapeException.class)
                .hasMessage("pool2d: kernel and stride must be at least 1: kernel=0x0, stride=1x1");
        assertThatThrownBy(() -> PoolSpec.of(2, 2, 2))
                .isInstanceOf(ShapeException.class)
                .hasMessage("pool2d: padding must be smaller than the kernel, or a window could lie in padding only:"
                        + " kernel=2x2, padding=Padding[top=2, bottom=2, left=2, right=2]");
        Tensor flat = Tensor.zeros(Shape.of(4, 4), DType.F32);
        assertThatThrownBy(() -> Pooling.maxPool2d(flat, PoolSpec.of(2, 2)))
                .isInstanceOf(ShapeException.class)
                .hasMessage("max_pool2d: input must be [N, H, W, C]: input=[4, 4]");
        assertThatThrownBy(() -> Pooling.globalAvgPool2d(flat))
                .hasMessage("global_avg_pool2d: input must be [N, H, W, C]: input=[4, 4]");
        Tensor tiny = Tensor.zeros(Shape.of(1, 2, 2, 1), DType.F32);
        assertThatThrownBy(() -> Pooling.avgPool2d(tiny, PoolSpec.of(3, 1)))
                .isInstanceOf(ShapeException.class)
                .hasMessage("avg_pool2d: the padded input must be at least as large as the window: input=[1, 2, 2, 1],"
                        + " kernel=3x3, padding=Padding[top=0, bottom=0, left=0, right=0]");
    }
}
