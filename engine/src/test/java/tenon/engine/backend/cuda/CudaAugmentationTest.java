package tenon.engine.backend.cuda;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.lang.foreign.MemorySegment;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import tenon.engine.DType;
import tenon.engine.DTypeException;
import tenon.engine.Rng;
import tenon.engine.Scope;
import tenon.engine.Shape;
import tenon.engine.ShapeException;
import tenon.engine.Tensor;
import tenon.engine.testing.CudaTesting;
import tenon.engine.testing.TensorAssert;

/** Against plain loops, bit for bit. */
class CudaAugmentationTest {
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

    /** Height, width and channels of the images, then of the result. */
    @ParameterizedTest
    @CsvSource({"8,9,3,8,9", "7,5,3,4,3", "12,17,1,16,16", "5,6,4,9,2", "33,41,3,32,32", "1,1,3,1,1", "3,700,3,2,683"})
    void cutsMirrorsAndNormalizes(int height, int width, int channels, int cropHeight, int cropWidth) {
        int images = 5;
        Rng rng = new Rng(1, 2, 3);
        byte[] pixels = new byte[images * height * width * channels];
        for (int i = 0; i < pixels.length; i++) {
            pixels[i] = (byte) rng.nextInt(256);
        }
        int[] places = new int[3 * images];
        for (int n = 0; n < images; n++) {
            // From far outside on one side to partly outside on the other.
            places[3 * n] = rng.nextInt(height + cropHeight + 2) - cropHeight - 1;
            places[3 * n + 1] = rng.nextInt(width + cropWidth + 2) - cropWidth - 1;
            places[3 * n + 2] = n % 2;
        }
        places[0] = (height - cropHeight) / 2;
        places[1] = (width - cropWidth) / 2;
        float[] mean = new float[channels];
        float[] deviation = new float[channels];
        for (int c = 0; c < channels; c++) {
            mean[c] = 123.675f - c;
            deviation[c] = 58.395f + c;
        }
        Tensor source = Tensor.empty(Shape.of(images, height, width, channels), DType.U8);
        source.upload(MemorySegment.ofArray(pixels));
        for (DType dtype : new DType[] {DType.F32, DType.BF16}) {
            Tensor output = Tensor.empty(Shape.of(images, cropHeight, cropWidth, channels), dtype);
            backend.augmentation()
                    .cropMirrorNormalize(
                            source,
                            Tensor.of(places, images, 3),
                            Tensor.of(mean, channels),
                            Tensor.of(deviation, channels),
                            output);
            double[] expected = new double[(int) output.elementCount()];
            for (int i = 0; i < expected.length; i++) {
                int c = i % channels;
                int q = i / channels % cropWidth;
                int p = i / channels / cropWidth % cropHeight;
                int n = i / channels / cropWidth / cropHeight;
                int y = places[3 * n] + p;
                int x = places[3 * n + 1] + (places[3 * n + 2] != 0 ? cropWidth - 1 - q : q);
                boolean inside = y >= 0 && y < height && x >= 0 && x < width;
                int pixel = inside ? pixels[((n * height + y) * width + x) * channels + c] & 0xFF : 0;
                float value = (pixel - mean[c]) / deviation[c];
                expected[i] = dtype == DType.BF16 ? DType.bf16ToFloat(DType.floatToBf16(value)) : value;
            }
            TensorAssert.assertIdentical(dtype.toString(), output.toDoubleArray(), expected);
        }
    }

    @Test
    void emptyBatchesAreNothing() {
        Tensor output = Tensor.empty(Shape.of(0, 2, 2, 3), DType.F32);
        backend.augmentation()
                .cropMirrorNormalize(
                        Tensor.empty(Shape.of(0, 4, 4, 3), DType.U8),
                        Tensor.empty(Shape.of(0, 3), DType.I32),
                        Tensor.of(new float[3], 3),
                        Tensor.of(new float[3], 3),
                        output);
        assertThat(output.toFloatArray()).isEmpty();
    }

    @Test
    void wrongArgumentsSayWhatMustHold() {
        Tensor images = Tensor.empty(Shape.of(2, 4, 4, 3), DType.U8);
        Tensor places = Tensor.empty(Shape.of(2, 3), DType.I32);
        Tensor three = Tensor.of(new float[3], 3);
        Tensor output = Tensor.empty(Shape.of(2, 2, 2, 1), DType.F32);
        assertThatThrownBy(() -> backend.augmentation().cropMirrorNormalize(images, places, three, three, output))
                .isInstanceOf(ShapeException.class)
                .hasMessage("crop_mirror_normalize: images must be [N, H, W, C], places [N, 3], mean and deviation [C],"
                        + " output [N, P, Q, C]: images=[2, 4, 4, 3], places=[2, 3], mean=[3], deviation=[3],"
                        + " output=[2, 2, 2, 1]");
        assertThatThrownBy(() -> backend.augmentation().cropMirrorNormalize(output, places, three, three, output))
                .isInstanceOf(DTypeException.class)
                .hasMessageStartingWith("crop_mirror_normalize: images must be U8 and places I32");
    }
}
