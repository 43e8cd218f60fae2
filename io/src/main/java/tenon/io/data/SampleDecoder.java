package tenon.io.data;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.Arrays;
import java.util.List;
import tenon.engine.Rng;
import tenon.engine.TenonException;
import tenon.io.augment.Augmenter;
import tenon.io.augment.FloatImage;
import tenon.io.image.Filter;
import tenon.io.image.Image;
import tenon.io.image.ImageCodec;
import tenon.io.image.Resize;
import tenon.io.record.ImageEncoding;
import tenon.io.record.LabelKind;
import tenon.io.record.RecordException;
import tenon.io.record.RecordReader;
import tenon.io.record.SampleBuffer;

/** One worker's way from a sample in a file to floats in a batch, with its reusable memory. Confined to a thread. */
final class SampleDecoder {
    /** Random numbers set aside for one sample. */
    private static final long DRAWS_PER_SAMPLE = 1L << 20;

    private final RecordReader reader;
    private final int height;
    private final int width;
    private final int channels;
    private final List<Augmenter> augmenters;
    private final Normalization normalization;
    private final float[] table;
    private final SampleBuffer buffer = new SampleBuffer();
    private FloatImage image = new FloatImage();
    private FloatImage spare = new FloatImage();
    private Rng rng;

    /** @param height rows of the image before augmentation; likewise width and channels */
    SampleDecoder(
            RecordReader reader,
            int height,
            int width,
            int channels,
            List<Augmenter> augmenters,
            Normalization normalization) {
        this.reader = reader;
        this.height = height;
        this.width = width;
        this.channels = channels;
        this.augmenters = augmenters;
        this.normalization = normalization;
        this.table = augmenters.isEmpty() ? normalization.table(channels) : Normalization.NONE.table(channels);
    }

    void beginEpoch(long seed, int epoch) {
        rng = new Rng(seed, Rng.stream("augment"), epoch);
    }

    /** Writes input and target of {@code sample} to place {@code position} of a batch. */
    void decode(int sample, int position, MemorySegment inputs, MemorySegment targets) {
        reader.read(sample, buffer);
        try {
            decodeImage();
            if (!augmenters.isEmpty()) {
                augment(sample);
            }
        } catch (RuntimeException e) {
            String message = e instanceof TenonException ? e.getMessage() : e.toString();
            throw new RecordException(reader.describe(sample) + message, e);
        }
        int size = image.size();
        MemorySegment.copy(
                image.values(), 0, inputs, ValueLayout.JAVA_FLOAT, (long) position * size * Float.BYTES, size);
        if (reader.schema().label() == LabelKind.VECTOR) {
            reader.copyVector(buffer, targets, (long) position * buffer.labelBytes());
        } else {
            targets.setAtIndex(ValueLayout.JAVA_INT, position, reader.classIndex(sample));
        }
    }

    private void decodeImage() {
        boolean raw = reader.schema().encoding() == ImageEncoding.RAW_U8;
        boolean direct = raw
                && reader.schema().height() == height
                && reader.schema().width() == width
                && reader.schema().channels() == channels;
        byte[] pixels = direct ? buffer.bytes() : resized(raw).pixels();
        float[] values = image.resize(height, width, channels).values();
        int size = image.size();
        if (channels == 1) {
            for (int i = 0; i < size; i++) {
                values[i] = table[pixels[i] & 0xFF];
            }
        } else {
            for (int i = 0; i < size; i += channels) {
                for (int c = 0; c < channels; c++) {
                    values[i + c] = table[c << 8 | pixels[i + c] & 0xFF];
                }
            }
        }
    }

    private Image resized(boolean raw) {
        Image decoded = raw
                ? new Image(
                        reader.schema().width(),
                        reader.schema().height(),
                        reader.schema().channels(),
                        Arrays.copyOf(buffer.bytes(), buffer.imageBytes()))
                : ImageCodec.decode(buffer.bytes(), buffer.imageBytes(), "data");
        return Resize.exact(decoded.withChannels(channels), width, height, Filter.BILINEAR);
    }

    private void augment(int sample) {
        rng.position(sample * DRAWS_PER_SAMPLE);
        for (Augmenter augmenter : augmenters) {
            augmenter.apply(image, spare, rng);
            FloatImage swap = image;
            image = spare;
            spare = swap;
        }
        float[] values = image.values();
        int size = image.size();
        for (int c = 0; c < channels; c++) {
            float mean = normalization.mean(c);
            float std = normalization.std(c);
            for (int i = c; i < size; i += channels) {
                values[i] = (values[i] - mean) / std;
            }
        }
    }
}
