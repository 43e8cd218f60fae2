package tenon.io.data;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.List;
import tenon.engine.DType;
import tenon.engine.Device;
import tenon.engine.Scope;
import tenon.engine.Shape;
import tenon.engine.Tensor;
import tenon.engine.backend.Backend;
import tenon.engine.backend.Staging;
import tenon.engine.data.Batch;

/**
 * The memory of a source's batches, allocated once: a ring of slots to fill, and the tensors that are handed out. On the CPU a slot is the
 * memory of its tensors; elsewhere slots are host memory, uploaded when a batch is handed out: beside the computation, where the back-end can, into the one of two
 * places that the batch before does not use. The shorter last batch of an epoch has tensors of its own, since a tensor's shape is fixed.
 */
final class BatchBuffers implements AutoCloseable {
    private final boolean host;
    private final int batchSize;
    private final int lastSize;
    private final long sampleBytes;
    private final long targetBytes;
    private final MemorySegment[] inputs;
    private final MemorySegment[] targets;
    private final int[][] samples;
    private final Batch[] batches;
    private final Batch lastBatch;
    private final List<Tensor> tensors = new ArrayList<>();
    private final Arena arena = Arena.ofShared();
    /** Null where there is none. */
    private final Staging staging;

    private final Staging.Transfer[][] uploads;
    private final Staging.Mark[] used;
    private int published;

    /**
     * @param lastSize samples in the shorter last batch, 0 if there is none
     * @param target shape of one sample's target; empty rank for a class index
     */
    BatchBuffers(
            Backend backend,
            int slots,
            int batchSize,
            int lastSize,
            Shape sample,
            DType sampleType,
            Shape target,
            DType targetType) {
        this.host = backend.device() instanceof Device.Cpu;
        this.batchSize = batchSize;
        this.lastSize = lastSize;
        sampleBytes = sample.elementCount() * sampleType.byteSize();
        targetBytes = target.elementCount() * targetType.byteSize();
        inputs = new MemorySegment[slots];
        targets = new MemorySegment[slots];
        samples = new int[slots][batchSize];
        staging = backend.staging();
        batches = new Batch[host ? slots : staging != null ? 2 : 1];
        uploads = new Staging.Transfer[staging != null ? slots : 0][];
        used = new Staging.Mark[staging != null ? 2 : 0];
        try (Scope scope = Scope.open("batch buffers", backend)) {
            for (int i = 0; i < batches.length; i++) {
                batches[i] = batch(scope, batchSize, sample, sampleType, target, targetType);
            }
            lastBatch = lastSize == 0 ? null : batch(scope, lastSize, sample, sampleType, target, targetType);
        } catch (RuntimeException e) {
            close();
            throw e;
        }
        try {
            for (int i = 0; i < slots; i++) {
                inputs[i] = host ? batches[i].input().segment() : hostMemory(batchSize * sampleBytes);
                targets[i] = host ? batches[i].target().segment() : hostMemory(batchSize * targetBytes);
            }
            for (int i = 0; i < uploads.length; i++) {
                uploads[i] = new Staging.Transfer[] {staging.transfer(), staging.transfer()};
            }
            for (int i = 0; i < used.length; i++) {
                used[i] = staging.mark();
            }
        } catch (RuntimeException e) {
            close();
            throw e;
        }
    }

    private MemorySegment hostMemory(long byteSize) {
        return staging != null ? staging.hostBuffer(byteSize) : arena.allocate(byteSize, 64);
    }

    /** Waits until the slot may be written to; on the thread that fills it. */
    void awaitFree(int slot) {
        if (staging != null) {
            uploads[slot][0].awaitOnHost();
            uploads[slot][1].awaitOnHost();
        }
    }

    /** Retained handles belong to no scope: they live until this object closes, across the steps of the training loop. */
    private Batch batch(Scope scope, int size, Shape sample, DType sampleType, Shape target, DType targetType) {
        Tensor input =
                Tensor.empty(scope.backend(), prepend(size, sample), sampleType).retain();
        tensors.add(input);
        Tensor labels =
                Tensor.empty(scope.backend(), prepend(size, target), targetType).retain();
        tensors.add(labels);
        return new Batch(input, labels, new long[size]);
    }

    private static Shape prepend(int size, Shape shape) {
        int[] dims = new int[shape.rank() + 1];
        dims[0] = size;
        for (int i = 0; i < shape.rank(); i++) {
            dims[i + 1] = shape.dim(i);
        }
        return Shape.of(dims);
    }

    private boolean isLast(int size) {
        return size != batchSize && size == lastSize;
    }

    /** Where the inputs of a batch of {@code size} samples go: sample i at byte i·sampleBytes. */
    MemorySegment input(int slot, int size) {
        return host && isLast(size) ? lastBatch.input().segment() : inputs[slot];
    }

    MemorySegment target(int slot, int size) {
        return host && isLast(size) ? lastBatch.target().segment() : targets[slot];
    }

    /** Where the numbers of the samples in a slot go. */
    int[] samples(int slot) {
        return samples[slot];
    }

    /** The batch that was written to the slot, on the training thread. Its tensors are valid until the next call. */
    Batch publish(int slot, int size) {
        int place = host ? slot : published++ % batches.length;
        Batch batch = isLast(size) ? lastBatch : batches[place];
        MemorySegment input = inputs[slot].asSlice(0, size * sampleBytes);
        MemorySegment target = targets[slot].asSlice(0, size * targetBytes);
        if (staging != null) {
            // Whoever asks for a batch is done with asking for work on the one before, which the mark now stands
            // behind.
            Staging.Mark before = used[1 - place];
            before.record();
            Staging.Mark after = isLast(size) ? before : used[place];
            upload(uploads[slot][0], input, batch.input(), after);
            upload(uploads[slot][1], target, batch.target(), after);
        } else if (!host) {
            batch.input().upload(input);
            batch.target().upload(target);
        }
        for (int i = 0; i < size; i++) {
            batch.keys()[i] = samples[slot][i];
        }
        return batch;
    }

    private static void upload(Staging.Transfer transfer, MemorySegment from, Tensor to, Staging.Mark after) {
        transfer.upload(from, to, after);
        transfer.awaitOnDevice();
    }

    @Override
    public void close() {
        for (Staging.Transfer[] pair : uploads) {
            for (int i = 0; pair != null && i < pair.length; i++) {
                pair[i].awaitOnHost();
                pair[i].close();
            }
        }
        for (Staging.Mark mark : used) {
            if (mark != null) {
                mark.close();
            }
        }
        for (int i = 0; staging != null && i < inputs.length; i++) {
            free(inputs[i]);
            free(targets[i]);
        }
        tensors.forEach(Tensor::close);
        arena.close();
    }

    private void free(MemorySegment buffer) {
        if (buffer != null) {
            staging.free(buffer);
        }
    }
}
