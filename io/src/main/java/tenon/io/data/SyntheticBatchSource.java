package tenon.io.data;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.IdentityHashMap;
import java.util.Map;
import java.util.NoSuchElementException;
import java.util.stream.IntStream;
import tenon.engine.ClosedException;
import tenon.engine.DType;
import tenon.engine.Rng;
import tenon.engine.Scope;
import tenon.engine.Shape;
import tenon.engine.ShapeException;
import tenon.engine.Tensor;
import tenon.engine.backend.Backend;
import tenon.engine.data.Batch;
import tenon.engine.data.BatchIterator;
import tenon.engine.data.BatchSource;

/**
 * Random pictures with random labels and no files: one batch, drawn once from the seed and handed out again and again, so that what is measured is the network
 * alone. Inputs are F32 [N, H, W, C], uniform with mean 0 and deviation 1; targets I32 [N]. A network learns the batch by heart.
 */
public final class SyntheticBatchSource implements BatchSource {
    private final BatchPlan plan;
    private final BatchBuffers buffers;
    private final Shape sampleShape;
    private final int classes;
    private final long seed;
    private final Batch whole;
    private final Batch last;
    private final Map<Backend, Map<Batch, Batch>> elsewhere = new IdentityHashMap<>();
    private boolean closed;

    /**
     * @param samples pictures that an epoch counts
     * @param dropLast whether a shorter last batch is left out
     */
    public SyntheticBatchSource(
            Backend backend, int samples, int batchSize, boolean dropLast, Shape sample, int classes, long seed) {
        if (classes < 1) {
            throw new ShapeException("synthetic batches: there must be a class: classes=" + classes);
        }
        sampleShape = sample;
        this.classes = classes;
        this.seed = seed;
        plan = new BatchPlan(IntStream.range(0, samples).toArray(), batchSize, dropLast, Shuffle.NONE, seed);
        buffers = new BatchBuffers(
                backend,
                1,
                plan.batchSize(),
                plan.lastSize(),
                new BatchBuffers.Sample(sample, DType.F32, Shape.scalar(), DType.I32),
                null);
        int full = Math.min(samples, plan.batchSize());
        last = plan.lastSize() == 0 ? null : publish(plan.lastSize());
        whole = full == plan.batchSize() ? publish(full) : last;
    }

    private record Drawn(float[] pictures, int[] labels) {}

    private Drawn draw(int size) {
        Rng pixels = new Rng(seed, Rng.stream("synthetic pictures"), 0);
        Rng truth = new Rng(seed, Rng.stream("synthetic labels"), 0);
        float[] pictures = new float[Math.toIntExact(size * sampleShape.elementCount())];
        float range = (float) Math.sqrt(12);
        for (int i = 0; i < pictures.length; i++) {
            pictures[i] = range * (pixels.uniform(i) - 0.5f);
        }
        int[] labels = new int[size];
        for (int i = 0; i < size; i++) {
            labels[i] = truth.nextInt(classes);
        }
        return new Drawn(pictures, labels);
    }

    private Batch publish(int size) {
        Drawn drawn = draw(size);
        buffers.awaitFree(0);
        for (int i = 0; i < size; i++) {
            buffers.samples(0)[i] = i;
        }
        MemorySegment.copy(drawn.pictures, 0, buffers.input(0, size), ValueLayout.JAVA_FLOAT, 0, drawn.pictures.length);
        MemorySegment.copy(drawn.labels, 0, buffers.target(0, size), ValueLayout.JAVA_INT, 0, size);
        return buffers.publish(0, size);
    }

    /** The batch in a further device's memory, where it comes from the host once. */
    private Batch elsewhere(Backend other, Batch batch) {
        return elsewhere.computeIfAbsent(other, _ -> new IdentityHashMap<>()).computeIfAbsent(batch, _ -> {
            Drawn drawn = draw(batch.size());
            try (var _ = Scope.openLocal("synthetic batch")) {
                Tensor input =
                        Tensor.empty(other, batch.input().shape(), DType.F32).retain();
                Tensor target =
                        Tensor.empty(other, batch.target().shape(), DType.I32).retain();
                input.upload(MemorySegment.ofArray(drawn.pictures));
                target.upload(MemorySegment.ofArray(drawn.labels));
                return new Batch(input, target, batch.keys());
            }
        });
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
        if (closed) {
            throw new ClosedException("synthetic batches: used after they were closed");
        }
        return new BatchIterator() {
            private int batch = firstBatch;

            @Override
            public boolean hasNext() {
                return batch < plan.batchCount();
            }

            @Override
            public Batch next() {
                if (!hasNext()) {
                    throw new NoSuchElementException(
                            "synthetic batches: the epoch has " + plan.batchCount() + " batches");
                }
                return plan.size(batch++) == plan.batchSize() ? whole : last;
            }

            @Override
            public void next(Tensor input, Tensor target) {
                Batch first = next();
                Batch there = input.backend() == first.input().backend() ? first : elsewhere(input.backend(), first);
                input.copyFrom(there.input());
                target.copyFrom(there.target());
            }

            @Override
            public void close() {
                batch = plan.batchCount();
            }
        };
    }

    @Override
    public void close() {
        if (!closed) {
            closed = true;
            buffers.close();
            elsewhere
                    .values()
                    .forEach(ofDevice -> ofDevice.values().forEach(batch -> {
                        batch.input().close();
                        batch.target().close();
                    }));
        }
    }
}
