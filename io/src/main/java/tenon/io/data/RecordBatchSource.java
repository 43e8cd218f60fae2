package tenon.io.data;

import java.lang.foreign.MemorySegment;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.IntStream;
import tenon.engine.DType;
import tenon.engine.DTypeException;
import tenon.engine.Scope;
import tenon.engine.Shape;
import tenon.engine.ShapeException;
import tenon.engine.TenonException;
import tenon.engine.backend.Backend;
import tenon.engine.data.BatchIterator;
import tenon.engine.data.BatchSource;
import tenon.io.augment.Augmenter;
import tenon.io.record.LabelKind;
import tenon.io.record.RecordReader;
import tenon.io.record.RecordSchema;

/**
 * Batches from a record file: inputs F32 [N, H, W, C]; targets I32 [N] of class indices (−1 if the file has no labels) or F32 [N, K] of
 * vectors. Worker threads read, decode, augment and normalize ahead of the training thread into a bounded ring of buffers that is allocated once.
 *
 * <pre>{@code
 * try (RecordBatchSource train = RecordBatchSource.of(file)
 *         .batchSize(64).shuffle(true).seed(1).range(0, 55_000).normalize(Normalization.UNIT).open()) {
 *     try (BatchIterator batches = train.iterate(epoch, 0)) { … }
 * }
 * }</pre>
 *
 * The order depends on (seed, epoch) and augmentation on (seed, epoch, sample), never on the threads. One iterator may be open at a time. A
 * sample that cannot be read makes {@link BatchIterator#next} throw at its batch, naming file, number, key and source.
 */
public final class RecordBatchSource implements BatchSource {
    private final RecordReader reader;
    private final boolean ownsReader;
    private final BatchPlan plan;
    private final BatchBuffers buffers;
    private final SampleDecoder[] decoders;
    private final Shape sampleShape;
    private final long seed;
    private final int ring;
    private PrefetchIterator open;
    private boolean closed;

    private RecordBatchSource(Builder options, RecordReader reader, boolean ownsReader) {
        this.reader = reader;
        this.ownsReader = ownsReader;
        RecordSchema schema = reader.schema();
        if (schema.label() == LabelKind.BOXES) {
            throw new DTypeException("batch source: " + reader.path()
                    + " holds boxes, which do not stack into one tensor (read samples with RecordReader)");
        }
        int height = options.height > 0 ? options.height : schema.height();
        int width = options.width > 0 ? options.width : schema.width();
        int channels = options.channels > 0 ? options.channels : schema.channels() > 0 ? schema.channels() : 3;
        if (height == 0) {
            throw new ShapeException(
                    "batch source: the images of " + reader.path() + " differ in size (say resize(height, width))");
        }
        options.normalization.checkChannels(channels);
        Shape shape = Shape.of(height, width, channels);
        for (Augmenter augmenter : options.augmenters) {
            shape = augmenter.outputShape(shape);
        }
        sampleShape = shape;
        seed = options.seed;
        plan = new BatchPlan(options.subset(reader), options.batchSize, options.dropLast, options.shuffle, seed);
        decoders = new SampleDecoder[options.threads];
        for (int i = 0; i < decoders.length; i++) {
            decoders[i] = new SampleDecoder(reader, height, width, channels, options.augmenters, options.normalization);
        }
        // One more than is filled ahead: the training thread holds a slot.
        ring = Math.max(options.prefetch, options.threads) + 1;
        boolean vector = schema.label() == LabelKind.VECTOR;
        Backend backend =
                options.backend != null ? options.backend : Scope.current().backend();
        buffers = new BatchBuffers(
                backend,
                ring,
                plan.batchSize(),
                plan.lastSize(),
                sampleShape,
                vector ? Shape.of(schema.labelSize()) : Shape.scalar(),
                vector ? DType.F32 : DType.I32);
    }

    /** Batches of a file that the source opens, and closes when it closes. */
    public static Builder of(Path file) {
        return new Builder(file, null);
    }

    /** Batches of an open file, which stays open when the source closes; several sources may share it. */
    public static Builder of(RecordReader reader) {
        return new Builder(reader.path(), reader);
    }

    public RecordSchema schema() {
        return reader.schema();
    }

    @Override
    public long sampleCount() {
        return plan.sampleCount();
    }

    @Override
    public int batchSize() {
        return plan.batchSize();
    }

    @Override
    public int batchesPerEpoch() {
        return plan.batchCount();
    }

    @Override
    public Shape sampleShape() {
        return sampleShape;
    }

    @Override
    public BatchIterator iterate(int epoch, int firstBatch) {
        plan.checkFirst(epoch, firstBatch);
        if (closed || open != null) {
            throw new TenonException("batch source: " + reader.path()
                    + (closed
                            ? ": used after it was closed"
                            : ": one iterator at a time (close the previous one first)"));
        }
        int[] order = plan.order(epoch);
        for (SampleDecoder decoder : decoders) {
            decoder.beginEpoch(seed, epoch);
        }
        open = new PrefetchIterator(
                firstBatch,
                plan.batchCount(),
                ring,
                decoders.length,
                (worker, batch, slot, cancelled) -> {
                    int size = plan.size(batch);
                    MemorySegment inputs = buffers.input(slot, size);
                    MemorySegment targets = buffers.target(slot, size);
                    for (int i = 0; i < size && !cancelled.getAsBoolean(); i++) {
                        decoders[worker].decode(order[plan.firstSample(batch) + i], i, inputs, targets);
                    }
                },
                (batch, slot) -> buffers.publish(slot, plan.size(batch), order, plan.firstSample(batch)),
                () -> open = null);
        return open;
    }

    /** Stops an open iterator and frees the buffers: batches handed out become invalid. */
    @Override
    public void close() {
        if (closed) {
            return;
        }
        closed = true;
        if (open != null) {
            open.close();
        }
        buffers.close();
        if (ownsReader) {
            reader.close();
        }
    }

    /** Options of a source; what is not said keeps the default named at the method. */
    public static final class Builder {
        private final Path file;
        private final RecordReader given;
        private Backend backend;
        private int batchSize = 32;
        private long seed;
        private boolean shuffle;
        private boolean dropLast;
        private int[] subset;
        private int from;
        private int to = -1;
        private int limit = Integer.MAX_VALUE;
        private int height;
        private int width;
        private int channels;
        private final List<Augmenter> augmenters = new ArrayList<>();
        private Normalization normalization = Normalization.UNIT;
        private int threads = Math.max(1, Runtime.getRuntime().availableProcessors() / 2);
        private int prefetch = 2;

        private Builder(Path file, RecordReader given) {
            this.file = file;
            this.given = given;
        }

        /** Where batches go; default: the back-end of the scope that is current in {@link #open}. */
        public Builder backend(Backend target) {
            backend = target;
            return this;
        }

        /** Default 32. */
        public Builder batchSize(int size) {
            batchSize = size;
            return this;
        }

        /** Of the order and of augmentation; default 0. */
        public Builder seed(long value) {
            seed = value;
            return this;
        }

        /** A new order every epoch; default: file order. */
        public Builder shuffle(boolean wanted) {
            shuffle = wanted;
            return this;
        }

        /** Leaves a shorter last batch out (after shuffling); default: keeps it. */
        public Builder dropLast(boolean wanted) {
            dropLast = wanted;
            return this;
        }

        /** Only samples from {@code first} to before {@code end} of the file. */
        public Builder range(int first, int end) {
            from = first;
            to = end;
            subset = null;
            return this;
        }

        /** Only the given samples, in this order. */
        public Builder subset(int... samples) {
            subset = samples.clone();
            return this;
        }

        /** Only the first {@code count} samples of the file, range or subset. */
        public Builder limit(int count) {
            limit = count;
            return this;
        }

        /** Squashes every image to this size; needed where the file's images differ in size. */
        public Builder resize(int newHeight, int newWidth) {
            if (newHeight < 1 || newWidth < 1) {
                throw new ShapeException(
                        "batch source: resize needs positive sizes: height=" + newHeight + ", width=" + newWidth);
            }
            height = newHeight;
            width = newWidth;
            return this;
        }

        /** 1 (grey) or 3 (colour); default: as in the file, 3 for encoded images. */
        public Builder channels(int count) {
            channels = count;
            return this;
        }

        /** Adds a random change, after those already added. */
        public Builder augment(Augmenter augmenter) {
            augmenters.add(augmenter);
            return this;
        }

        /** Default {@link Normalization#UNIT}. */
        public Builder normalize(Normalization wanted) {
            normalization = wanted;
            return this;
        }

        /** Worker threads; default: half of the processors, at least 1. Contents do not depend on it. */
        public Builder threads(int count) {
            threads = Math.max(1, count);
            return this;
        }

        /** Batches filled ahead, at least one per thread; default 2. */
        public Builder prefetch(int batches) {
            prefetch = Math.max(1, batches);
            return this;
        }

        private int[] subset(RecordReader reader) {
            int count = reader.sampleCount();
            int end = to < 0 ? count : to;
            if (from < 0 || from > end || end > count) {
                throw new ShapeException("batch source: range must lie in [0, " + count + "): from=" + from + ", to="
                        + end + " in " + reader.path());
            }
            int[] samples = subset != null ? subset : IntStream.range(from, end).toArray();
            for (int sample : samples) {
                if (sample < 0 || sample >= count) {
                    throw new ShapeException("batch source: subset must lie in [0, " + count + "): sample=" + sample
                            + " in " + reader.path());
                }
            }
            return samples.length <= limit
                    ? samples
                    : IntStream.of(samples).limit(limit).toArray();
        }

        /** Opens the file and allocates the buffers on this thread. */
        public RecordBatchSource open() {
            RecordReader reader = given != null ? given : RecordReader.open(file);
            try {
                return new RecordBatchSource(this, reader, given == null);
            } catch (RuntimeException e) {
                if (given == null) {
                    reader.close();
                }
                throw e;
            }
        }
    }
}
