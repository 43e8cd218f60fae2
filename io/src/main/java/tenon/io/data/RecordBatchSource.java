package tenon.io.data;

import java.lang.foreign.MemorySegment;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.function.BooleanSupplier;
import java.util.stream.IntStream;
import tenon.engine.DType;
import tenon.engine.DTypeException;
import tenon.engine.Scope;
import tenon.engine.Shape;
import tenon.engine.ShapeException;
import tenon.engine.TenonException;
import tenon.engine.Tensor;
import tenon.engine.backend.Backend;
import tenon.engine.data.Batch;
import tenon.engine.data.BatchIterator;
import tenon.engine.data.BatchSource;
import tenon.io.augment.Augmenter;
import tenon.io.jpeg.JpegLibrary;
import tenon.io.record.ImageEncoding;
import tenon.io.record.LabelKind;
import tenon.io.record.RecordException;
import tenon.io.record.RecordSchema;
import tenon.io.record.Records;

/**
 * Batches from record files: inputs F32 or BF16 [N, H, W, C]; targets I32 [N] of class indices (−1 if the files have no labels) or F32 [N, K] of
 * vectors, or of shares of classes with mixup. Worker threads read, decode, augment and normalize ahead of the training thread into a bounded ring of buffers that is allocated once.
 *
 * <pre>{@code
 * try (RecordBatchSource train = RecordBatchSource.of(file)
 *         .batchSize(64).shuffle(true).seed(1).range(0, 55_000).normalize(Normalization.UNIT).open()) {
 *     try (BatchIterator batches = train.iterate(epoch, 0)) { … }
 * }
 * }</pre>
 *
 * The order depends on (seed, epoch) and augmentation on (seed, epoch, sample), never on the threads. One iterator may be open at a time. A
 * sample that cannot be read makes {@link BatchIterator#next} throw at its batch, naming file, number, key and source, unless it is to be skipped.
 */
public final class RecordBatchSource implements BatchSource {
    private final Records records;
    private final boolean ownsRecords;
    private final BatchPlan plan;
    private final Shuffle shuffle;
    private final BatchBuffers buffers;
    private final String finisher;
    private final SampleDecoder[] decoders;
    private final Shape sampleShape;
    private final long seed;
    private final int ring;
    private final Mixup mixup;
    private final OnError onError;
    private final SkippedSamples skipped = new SkippedSamples();
    private final JpegLibrary library;
    private long waitNanos;
    private PrefetchIterator open;
    private boolean closed;

    private RecordBatchSource(Builder options, Records records, boolean ownsRecords) {
        this.records = records;
        this.ownsRecords = ownsRecords;
        RecordSchema schema = records.schema();
        if (schema.label() == LabelKind.BOXES) {
            throw new DTypeException("batch source: " + name()
                    + " holds boxes, which do not stack into one tensor (read samples with Records)");
        }
        if (schema.encoding() == ImageEncoding.RAW_F32) {
            throw new DTypeException("batch source: " + name()
                    + " holds features, not pictures (fit a classifier to them with ./tenon logreg)");
        }
        if (options.dtype != DType.F32 && options.dtype != DType.BF16) {
            throw new DTypeException("batch source: inputs must be F32 or BF16: dtype=" + options.dtype);
        }
        int channels = options.channels > 0 ? options.channels : schema.channels() > 0 ? schema.channels() : 3;
        options.normalization.checkChannels(channels);
        sampleShape = sampleShape(options, schema, channels);
        seed = options.seed;
        shuffle = options.shuffle;
        onError = options.onError;
        library = options.library != null ? options.library : JpegLibrary.preferred();
        plan = new BatchPlan(options.subset(records), options.batchSize, options.dropLast, shuffle, seed);
        // One more than is filled ahead: the training thread holds a slot.
        ring = Math.max(options.prefetch, options.threads) + 1;
        boolean vector = schema.label() == LabelKind.VECTOR;
        int classes = schema.classNames().size();
        if (options.mixup > 0 && (schema.label() != LabelKind.CLASS || classes < 2)) {
            throw new DTypeException("batch source: mixup needs class labels: " + name() + " has labels of kind "
                    + schema.label() + ", classes=" + classes);
        }
        mixup = options.mixup > 0
                ? new Mixup(options.mixup, classes, Math.toIntExact(sampleShape.elementCount()), options.dtype)
                : null;
        Backend backend =
                options.backend != null ? options.backend : Scope.current().backend();
        String obstacle = DeviceFinish.obstacle(backend, options.augmenters, mixup);
        finisher = obstacle == null ? backend.name() : "the host, because " + obstacle;
        BatchBuffers.Sample sample = new BatchBuffers.Sample(
                sampleShape,
                options.dtype,
                mixup != null ? Shape.of(classes) : vector ? Shape.of(schema.labelSize()) : Shape.scalar(),
                mixup != null || vector ? DType.F32 : DType.I32);
        buffers = new BatchBuffers(
                backend,
                ring,
                plan.batchSize(),
                plan.lastSize(),
                sample,
                obstacle == null ? new DeviceFinish(backend, options.normalization, channels) : null);
        SampleDecoder.Steps steps = new SampleDecoder.Steps(
                options.height,
                options.width,
                channels,
                List.copyOf(options.augmenters),
                options.normalization,
                sampleShape,
                obstacle == null ? DType.U8 : options.dtype);
        decoders = new SampleDecoder[options.threads];
        for (int i = 0; i < decoders.length; i++) {
            decoders[i] = new SampleDecoder(records, steps, library);
        }
    }

    /** Shape of an augmented image; where images differ in size, the augmenters must make them equal. */
    private Shape sampleShape(Builder options, RecordSchema schema, int channels) {
        int height = options.height > 0 ? options.height : schema.height();
        int width = options.width > 0 ? options.width : schema.width();
        if (height > 0) {
            return augmented(options.augmenters, Shape.of(height, width, channels));
        }
        Shape ofLarge = augmented(options.augmenters, Shape.of(4096, 4096, channels));
        if (!ofLarge.equals(augmented(options.augmenters, Shape.of(8192, 8191, channels)))) {
            throw new ShapeException("batch source: the images of " + name()
                    + " differ in size (say resize(height, width), or augment with a crop)");
        }
        return ofLarge;
    }

    private static Shape augmented(List<Augmenter> augmenters, Shape shape) {
        Shape result = shape;
        for (Augmenter augmenter : augmenters) {
            result = augmenter.outputShape(result);
        }
        return result;
    }

    /** Batches of files that the source opens as {@link Records#open} does, and closes when it closes. */
    public static Builder of(Path... files) {
        return new Builder(List.of(files), null);
    }

    /** Batches of open files, which stay open when the source closes; several sources may share them. */
    public static Builder of(Records records) {
        return new Builder(List.of(), records);
    }

    private String name() {
        return records.files().size() == 1
                ? records.files().getFirst().toString()
                : records.files().getFirst() + " and " + (records.files().size() - 1) + " more";
    }

    public RecordSchema schema() {
        return records.schema();
    }

    /** What decodes encoded images; see {@link JpegLibrary#description}. */
    public JpegLibrary decoder() {
        return library;
    }

    /** What mirrors, normalizes and casts pictures: the device, which then gets them as bytes, or {@code the host, because …}. */
    public String finisher() {
        return finisher;
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

    /** Samples left out so far because they could not be read or decoded, by number, and why; see {@link OnError#SKIP}. */
    public Map<Integer, String> skipped() {
        return skipped.reasons();
    }

    /** How long the training thread has waited for batches so far, over all iterators that are closed. */
    public long waitNanos() {
        return waitNanos;
    }

    @Override
    public BatchIterator iterate(int epoch, int firstBatch) {
        plan.checkFirst(epoch, firstBatch);
        if (closed || open != null) {
            throw new TenonException("batch source: " + name()
                    + (closed
                            ? ": used after it was closed"
                            : ": one iterator at a time (close the previous one first)"));
        }
        int[] order = plan.order(epoch);
        for (SampleDecoder decoder : decoders) {
            decoder.beginEpoch(seed, epoch);
        }
        ReadAhead ahead = shuffle.isSegmented()
                ? new ReadAhead(records, order, shuffle.windowSize(), plan.firstSample(firstBatch))
                : null;
        open = new PrefetchIterator(
                firstBatch,
                plan.batchCount(),
                ring,
                decoders.length,
                (worker, batch, slot, cancelled) -> {
                    if (ahead != null) {
                        ahead.reach(plan.firstSample(batch));
                    }
                    fill(decoders[worker], order, epoch, batch, slot, cancelled);
                },
                new PrefetchIterator.Publisher() {
                    @Override
                    public Batch publish(int batch, int slot) {
                        return buffers.publish(slot, plan.size(batch));
                    }

                    @Override
                    public void publish(int batch, int slot, Tensor input, Tensor target) {
                        buffers.publish(slot, plan.size(batch), input, target);
                    }
                },
                () -> {
                    if (ahead != null) {
                        ahead.close();
                    }
                    waitNanos += open.waitNanos();
                    open = null;
                });
        return open;
    }

    private void fill(SampleDecoder decoder, int[] order, int epoch, int batch, int slot, BooleanSupplier cancelled) {
        int size = plan.size(batch);
        buffers.awaitFree(slot);
        MemorySegment inputs = buffers.input(slot, size);
        MemorySegment targets = buffers.target(slot, size);
        int[] labels = mixup == null ? null : new int[size];
        MemorySegment labelsOrTargets = mixup == null ? targets : MemorySegment.ofArray(labels);
        int[] samples = buffers.samples(slot);
        for (int i = 0; i < size && !cancelled.getAsBoolean(); i++) {
            samples[i] = decodeOrNext(decoder, order, plan.firstSample(batch) + i, i, inputs, labelsOrTargets);
            buffers.mirror(slot, i, decoder.isMirrored());
        }
        if (mixup != null && !cancelled.getAsBoolean()) {
            mixup.apply(mixup.lambda(seed, epoch, batch), size, inputs, labels, targets);
        }
    }

    /** The sample that takes the place: the one it belongs to, or the next good one. */
    private int decodeOrNext(
            SampleDecoder decoder, int[] order, int place, int position, MemorySegment inputs, MemorySegment targets) {
        RecordException first = null;
        for (int i = 0; i < order.length; i++) {
            int sample = order[(place + i) % order.length];
            try {
                decoder.decode(sample, position, inputs, targets);
                return sample;
            } catch (RecordException e) {
                if (onError == OnError.STOP) {
                    throw e;
                }
                first = first == null ? e : first;
                skipped.add(sample, e);
            }
        }
        throw new RecordException(
                "batch source: not one sample of " + name() + " can be used: " + first.getMessage(), first);
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
        for (SampleDecoder decoder : decoders) {
            decoder.close();
        }
        if (ownsRecords) {
            records.close();
        }
    }

    /** Options of a source; what is not said keeps the default named at the method. */
    public static final class Builder {
        private final List<Path> files;
        private final Records given;
        private Backend backend;
        private int batchSize = 32;
        private long seed;
        private Shuffle shuffle = Shuffle.NONE;
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
        private OnError onError = OnError.STOP;
        private JpegLibrary library;
        private DType dtype = DType.F32;
        private double mixup;

        private Builder(List<Path> files, Records given) {
            this.files = files;
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
            return shuffle(wanted ? Shuffle.FULL : Shuffle.NONE);
        }

        /** How the order of every epoch is mixed. */
        public Builder shuffle(Shuffle wanted) {
            shuffle = wanted;
            return this;
        }

        /** What becomes of samples that cannot be read or decoded; default: {@link OnError#STOP}. */
        public Builder onError(OnError wanted) {
            onError = wanted;
            return this;
        }

        /** What decodes JPEG images; default: {@link JpegLibrary#preferred}. */
        public Builder decoder(JpegLibrary wanted) {
            library = wanted;
            return this;
        }

        /** Element type of inputs, F32 (the default) or BF16. */
        public Builder dtype(DType wanted) {
            dtype = wanted;
            return this;
        }

        /**
         * Mixes the samples of every batch in pairs, λ : 1 − λ with λ from Beta(alpha, alpha) (Zhang et al. 2018); targets become F32 [N, classes] of shares. 0, the
         * default, mixes nothing.
         */
        public Builder mixup(double alpha) {
            if (!(alpha >= 0 && alpha < Double.POSITIVE_INFINITY)) {
                throw new IllegalArgumentException("batch source: mixup must be at least 0: alpha=" + alpha);
            }
            mixup = alpha;
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

        private int[] subset(Records records) {
            int count = records.sampleCount();
            int end = to < 0 ? count : to;
            if (from < 0 || from > end || end > count) {
                throw new ShapeException("batch source: range must lie in [0, " + count + "): from=" + from + ", to="
                        + end + " in " + files(records));
            }
            int[] samples = subset != null ? subset : IntStream.range(from, end).toArray();
            for (int sample : samples) {
                if (sample < 0 || sample >= count) {
                    throw new ShapeException("batch source: subset must lie in [0, " + count + "): sample=" + sample
                            + " in " + files(records));
                }
            }
            return samples.length <= limit
                    ? samples
                    : IntStream.of(samples).limit(limit).toArray();
        }

        private static String files(Records records) {
            return records.files().toString();
        }

        /** Opens the files and allocates the buffers on this thread. */
        public RecordBatchSource open() {
            Records records = given != null ? given : Records.open(files);
            try {
                return new RecordBatchSource(this, records, given == null);
            } catch (RuntimeException e) {
                if (given == null) {
                    records.close();
                }
                throw e;
            }
        }
    }
}
