package tenon.io.data;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.NoSuchElementException;
import java.util.stream.IntStream;
import tenon.engine.ClosedException;
import tenon.engine.DType;
import tenon.engine.Shape;
import tenon.engine.ShapeException;
import tenon.engine.Tensor;
import tenon.engine.backend.Backend;
import tenon.engine.data.Batch;
import tenon.engine.data.BatchIterator;
import tenon.engine.data.BatchSource;

/** Batches from arrays, for tests and small data sets. Inputs F32 [N, …]; targets I32 [N] or F32 [N, …]. Batches are copied as they are asked for. */
public final class InMemoryBatchSource implements BatchSource {
    private final BatchPlan plan;
    private final BatchBuffers buffers;
    private final Shape sampleShape;
    private final MemorySegment inputs;
    private final MemorySegment targets;
    private final int targetBytes;
    private boolean closed;

    /**
     * How an epoch is cut.
     *
     * @param shuffle whether every epoch has an order of its own, from the seed
     * @param dropLast whether a shorter last batch is left out
     */
    public record Order(int batchSize, boolean shuffle, long seed, boolean dropLast) {
        public static Order sequential(int batchSize) {
            return new Order(batchSize, false, 0, false);
        }

        public static Order shuffled(int batchSize, long seed) {
            return new Order(batchSize, true, seed, false);
        }
    }

    private InMemoryBatchSource(
            Backend backend,
            float[] inputs,
            Shape sampleShape,
            MemorySegment targets,
            int sampleCount,
            Shape targetShape,
            DType targetType,
            Order order) {
        if (inputs.length != sampleCount * sampleShape.elementCount()) {
            throw new ShapeException("in-memory batches: inputs must have samples·shape values: samples=" + sampleCount
                    + ", shape=" + sampleShape + ", values=" + inputs.length);
        }
        this.sampleShape = sampleShape;
        this.inputs = MemorySegment.ofArray(inputs);
        this.targets = targets;
        targetBytes = Math.toIntExact(targetShape.elementCount() * targetType.byteSize());
        int[] all = IntStream.range(0, sampleCount).toArray();
        plan = new BatchPlan(
                all, order.batchSize(), order.dropLast(), order.shuffle() ? Shuffle.FULL : Shuffle.NONE, order.seed());
        buffers = new BatchBuffers(
                backend,
                1,
                plan.batchSize(),
                plan.lastSize(),
                new BatchBuffers.Sample(sampleShape, DType.F32, targetShape, targetType),
                null);
    }

    /**
     * Samples with class indices.
     *
     * @param inputs samples one after the other; not copied
     * @param classes one per sample; not copied
     */
    public static InMemoryBatchSource ofClasses(
            Backend backend, float[] inputs, Shape sampleShape, int[] classes, Order order) {
        return new InMemoryBatchSource(
                backend,
                inputs,
                sampleShape,
                MemorySegment.ofArray(classes),
                classes.length,
                Shape.scalar(),
                DType.I32,
                order);
    }

    /** Samples with float targets of one shape; arrays are not copied. */
    public static InMemoryBatchSource ofTargets(
            Backend backend, float[] inputs, Shape sampleShape, float[] targets, Shape targetShape, Order order) {
        int sampleCount = Math.toIntExact(targets.length / targetShape.elementCount());
        if (sampleCount * targetShape.elementCount() != targets.length) {
            throw new ShapeException("in-memory batches: targets must be whole samples: shape=" + targetShape
                    + ", values=" + targets.length);
        }
        return new InMemoryBatchSource(
                backend,
                inputs,
                sampleShape,
                MemorySegment.ofArray(targets),
                sampleCount,
                targetShape,
                DType.F32,
                order);
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
        checkOpen();
        return new Epoch(plan.order(epoch).clone(), firstBatch);
    }

    private void checkOpen() {
        if (closed) {
            throw new ClosedException("in-memory batches: used after they were closed");
        }
    }

    private final class Epoch implements BatchIterator {
        private final int[] order;
        private int batch;

        Epoch(int[] order, int batch) {
            this.order = order;
            this.batch = batch;
        }

        @Override
        public boolean hasNext() {
            return batch < plan.batchCount();
        }

        @Override
        public Batch next() {
            return buffers.publish(0, fill());
        }

        /** On another device they come from host memory, not from the first one. */
        @Override
        public void next(Tensor input, Tensor target) {
            buffers.publish(0, fill(), input, target);
        }

        /** Puts the next batch into the slot, and returns how many samples it has. */
        private int fill() {
            checkOpen();
            if (!hasNext()) {
                throw new NoSuchElementException("in-memory batches: the epoch has " + plan.batchCount() + " batches");
            }
            int size = plan.size(batch);
            int first = plan.firstSample(batch);
            buffers.awaitFree(0);
            for (int i = 0; i < size; i++) {
                copy(inputs, order[first + i], buffers.input(0, size), i, sampleShape.elementCount() * Float.BYTES);
                copy(targets, order[first + i], buffers.target(0, size), i, targetBytes);
            }
            System.arraycopy(order, first, buffers.samples(0), 0, size);
            batch++;
            return size;
        }

        @Override
        public void close() {
            batch = plan.batchCount();
        }
    }

    /** Both sides are 4-byte elements in the platform's byte order. */
    private static void copy(MemorySegment from, long sample, MemorySegment to, long place, long byteSize) {
        MemorySegment.copy(
                from,
                ValueLayout.JAVA_INT_UNALIGNED,
                sample * byteSize,
                to,
                ValueLayout.JAVA_INT_UNALIGNED,
                place * byteSize,
                byteSize / Integer.BYTES);
    }

    @Override
    public void close() {
        if (!closed) {
            closed = true;
            buffers.close();
        }
    }
}
