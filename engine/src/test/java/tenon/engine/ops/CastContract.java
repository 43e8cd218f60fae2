package tenon.engine.ops;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static tenon.engine.testing.TensorAssert.assertIdentical;
import static tenon.engine.testing.TensorAssert.assertValues;

import java.lang.foreign.MemorySegment;
import java.util.Arrays;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;
import tenon.engine.DType;
import tenon.engine.DTypeException;
import tenon.engine.Shape;
import tenon.engine.ShapeException;
import tenon.engine.Tensor;
import tenon.engine.testing.BackendContract;
import tenon.engine.testing.Tensors;

/** Conversions, and moving contents in and out. */
abstract class CastContract extends BackendContract {
    @ParameterizedTest
    @ValueSource(ints = {1, 15, 16, 17, 31, 32, 33, 1003, 70_001})
    void roundsToNearestEvenAndBack(int size) {
        float[] values = new float[size];
        double[] rounded = new double[size];
        for (int i = 0; i < size; i++) {
            // Covers exact values, ties in both directions and everything between.
            values[i] = Float.intBitsToFloat(0x3F800000 + i * 0x2000) * (i % 2 == 0 ? 1 : -1);
            rounded[i] = DType.bf16ToFloat(DType.floatToBf16(values[i]));
        }
        Tensor half = Casts.cast(Tensor.of(values, size), DType.BF16);
        assertThat(half.dtype()).isEqualTo(DType.BF16);
        assertIdentical("BF16", half.toDoubleArray(), rounded);
        assertIdentical("F32", Casts.cast(half, DType.F32).toDoubleArray(), rounded);
    }

    @Test
    void specialValuesSurvive() {
        float infinity = Float.POSITIVE_INFINITY;
        Tensor x = Tensor.of(new float[] {infinity, -infinity, -0.0f, Float.MAX_VALUE, Float.NaN}, 5);
        double[] half = Casts.cast(x, DType.BF16).toDoubleArray();
        assertThat(half[0]).isEqualTo(Double.POSITIVE_INFINITY);
        assertThat(half[1]).isEqualTo(Double.NEGATIVE_INFINITY);
        assertThat(half[2]).isEqualTo(-0.0);
        assertThat(half[3]).isEqualTo(Double.POSITIVE_INFINITY);
        assertThat(half[4]).isNaN();
    }

    @ParameterizedTest
    @EnumSource(names = {"F32", "BF16"})
    void bytesAndIntegersBecomeFloating(DType to) {
        double[] bytes = new double[256];
        for (int i = 0; i < bytes.length; i++) {
            bytes[i] = i;
        }
        assertValues(Casts.cast(Tensors.of(DType.U8, Shape.of(256), bytes), to), bytes);
        double[] integers = {0, 1, -1, 255, -256, 1 << 20};
        assertValues(Casts.cast(Tensors.of(DType.I32, Shape.of(6), integers), to), integers);
    }

    @Test
    void gradientIsCastBack() {
        Tensor x = Tensors.leaf(new double[] {1.001, 2}, 2);
        Tensor half = Casts.cast(x, DType.BF16);
        Tensor back = Casts.cast(half, DType.F32);
        back.backward(Tensor.of(new float[] {3, 1.001f}, 2));
        assertThat(x.grad().dtype()).isEqualTo(DType.F32);
        assertValues(x.grad(), 3, 1);
    }

    @Test
    void sameTypeIsTheInput() {
        Tensor x = Tensor.zeros(Shape.of(2), DType.F32);
        assertThat(Casts.cast(x, DType.F32)).isSameAs(x);
    }

    @Test
    void refusesIntegerResults() {
        Tensor x = Tensor.zeros(Shape.of(2), DType.F32);
        assertThatThrownBy(() -> Casts.cast(x, DType.I32))
                .isInstanceOf(DTypeException.class)
                .hasMessage("cast: the result must have a floating dtype: from=F32, to=I32");
    }

    @ParameterizedTest
    @EnumSource(
            value = DType.class,
            names = {"F32", "BF16", "U8", "I32"})
    void fillsAndCopies(DType dtype) {
        for (int size : new int[] {0, 1, 31, 33, 1003}) {
            Tensor a = Tensor.full(Shape.of(size), dtype, 200);
            double[] expected = new double[size];
            Arrays.fill(expected, 200);
            assertValues(a, expected);
            Tensor b = Tensor.zeros(Shape.of(size), dtype);
            assertValues(b, new double[size]);
            b.copyFrom(a);
            assertValues(b, expected);
        }
    }

    @Test
    void uploadAndDownloadAreRawBytes() {
        float[] values = {1, -2, Float.NaN, Float.MIN_VALUE};
        Tensor x = Tensor.of(values, 2, 2);
        float[] out = new float[4];
        x.download(MemorySegment.ofArray(out));
        assertThat(out).containsExactly(values);
        x.upload(new float[] {5, 6, 7, 8});
        assertValues(x, 5, 6, 7, 8);
    }

    @Test
    void wrongSizesSayWhatMustHold() {
        Tensor x = Tensor.zeros(Shape.of(2, 2), DType.F32);
        assertThatThrownBy(() -> x.upload(new float[3]))
                .isInstanceOf(ShapeException.class)
                .hasMessage("upload: byte sizes must be equal: tensor=16 (shape=[2, 2], dtype=F32), given=12");
        assertThatThrownBy(() -> x.download(MemorySegment.ofArray(new byte[17])))
                .isInstanceOf(ShapeException.class)
                .hasMessage("download: byte sizes must be equal: tensor=16 (shape=[2, 2], dtype=F32), given=17");
        Tensor y = Tensor.zeros(Shape.of(4), DType.F32);
        assertThatThrownBy(() -> x.copyFrom(y))
                .isInstanceOf(ShapeException.class)
                .hasMessage("copyFrom: shape, dtype and back-end must be equal: from=" + y + ", to=" + x);
    }
}
