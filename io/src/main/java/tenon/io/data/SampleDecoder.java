package tenon.io.data;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.List;
import tenon.engine.DType;
import tenon.engine.Rng;
import tenon.engine.Shape;
import tenon.engine.TenonException;
import tenon.io.augment.Augmenter;
import tenon.io.augment.AugmenterChain;
import tenon.io.augment.FloatImage;
import tenon.io.image.ImageException;
import tenon.io.jpeg.JpegLibrary;
import tenon.io.record.LabelKind;
import tenon.io.record.RecordException;
import tenon.io.record.RecordSchema;
import tenon.io.record.Records;
import tenon.io.record.SampleBuffer;

/**
 * One worker's way from a sample in a file to numbers in a batch, with its reusable memory. Confined to a thread.
 *
 * <p>Crops and mirrorings alone are followed on paper ({@link CropWindow}) and done together with normalization and cast, in one pass over the decoded
 * bytes. Any other augmenter makes a chain that goes step by step over images of floats. Both ways give the same bits.
 */
final class SampleDecoder implements AutoCloseable {
    /** Random numbers set aside for one sample. */
    private static final long DRAWS_PER_SAMPLE = 1L << 20;

    private final Records records;
    private final List<Augmenter> augmenters;
    private final boolean fused;
    private final Normalization normalization;
    private final int sampleSize;
    private final Shape sampleShape;
    private final DType dtype;
    private final SampleBuffer buffer = new SampleBuffer();
    private final SamplePixels pixels;
    private final CropWindow window = new CropWindow();
    private final CropPass pass;
    private final FloatImage image = new FloatImage();
    private final AugmenterChain chain;
    private Rng rng = new Rng(0, 0, 0);

    /**
     * What becomes of every image.
     *
     * @param height rows that images are resized to before they are augmented, 0 to keep their size; likewise width
     * @param channels 1, 3, or as many as raw images have
     * @param result [H, W, C] after augmentation
     * @param dtype F32 or BF16; U8 where the device finishes what crops and mirrorings leave
     */
    record Steps(
            int height,
            int width,
            int channels,
            List<Augmenter> augmenters,
            Normalization normalization,
            Shape result,
            DType dtype) {}

    SampleDecoder(Records records, Steps steps, JpegLibrary library) {
        this.records = records;
        augmenters = steps.augmenters();
        chain = new AugmenterChain(augmenters);
        fused = CropWindow.follows(augmenters);
        normalization = steps.normalization();
        sampleShape = steps.result();
        sampleSize = Math.toIntExact(sampleShape.elementCount());
        dtype = steps.dtype();
        pass = new CropPass(fused ? normalization : Normalization.NONE, steps.channels(), fused ? dtype : DType.F32);
        RecordSchema schema = records.schema();
        pixels = new SamplePixels(schema, steps.height(), steps.width(), steps.channels(), library);
    }

    void beginEpoch(long seed, int epoch) {
        rng = new Rng(seed, Rng.stream("augment"), epoch);
    }

    /**
     * Writes input and target of {@code sample} to place {@code position} of a batch.
     *
     * @throws RecordException when it cannot be read, decoded or changed as asked; names file, number, key and source
     */
    void decode(int sample, int position, MemorySegment inputs, MemorySegment targets) {
        records.read(sample, buffer);
        long at = (long) position * sampleSize * dtype.byteSize();
        try {
            rng.position(sample * DRAWS_PER_SAMPLE);
            pixels.open(buffer);
            if (fused) {
                window.draw(pixels.height(), pixels.width(), augmenters, rng);
                checkShape(window.height(), window.width());
                pixels.decode(window.firstRow(), window.firstColumn(), window.endRow(), window.endColumn());
                pass.write(pixels, window, inputs, at);
            } else {
                pixels.decode(0, 0, pixels.height(), pixels.width());
                write(augment(), inputs, at);
            }
        } catch (RuntimeException e) {
            String message = e instanceof TenonException ? e.getMessage() : e.toString();
            throw new RecordException(records.describe(sample) + message, e);
        }
        if (records.schema().label() == LabelKind.VECTOR) {
            records.copyVector(buffer, targets, (long) position * buffer.labelBytes());
        } else {
            targets.setAtIndex(ValueLayout.JAVA_INT, position, records.classIndex(sample));
        }
    }

    /** Whether the last sample, written as bytes, has still to be mirrored. */
    boolean isMirrored() {
        return window.mirrored();
    }

    private void checkShape(int height, int width) {
        if (height != sampleShape.dim(0) || width != sampleShape.dim(1)) {
            throw new ImageException("image data: is " + height + "×" + width + " where the batch has " + sampleShape
                    + " (say resize(height, width), or crop)");
        }
    }

    private FloatImage augment() {
        image.resize(pixels.height(), pixels.width(), pixels.channels());
        pass.write(pixels, image.values());
        FloatImage augmented = chain.apply(image, rng);
        checkShape(augmented.height(), augmented.width());
        return augmented;
    }

    private void write(FloatImage augmented, MemorySegment inputs, long at) {
        float[] values = augmented.values();
        int channels = augmented.channels();
        for (int c = 0; c < channels; c++) {
            float mean = normalization.mean(c);
            float std = normalization.std(c);
            for (int i = c; i < sampleSize; i += channels) {
                values[i] = (values[i] - mean) / std;
            }
        }
        if (dtype == DType.F32) {
            MemorySegment.copy(values, 0, inputs, ValueLayout.JAVA_FLOAT, at, sampleSize);
            return;
        }
        for (int i = 0; i < sampleSize; i++) {
            inputs.set(ValueLayout.JAVA_SHORT, at + (long) i * Short.BYTES, DType.floatToBf16(values[i]));
        }
    }

    @Override
    public void close() {
        pixels.close();
    }
}
