package tenon.io.data;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Map;
import tenon.engine.DType;
import tenon.engine.Device;
import tenon.engine.Scope;
import tenon.engine.Shape;
import tenon.engine.Tensor;
import tenon.engine.backend.Backend;
import tenon.engine.backend.Staging;
import tenon.engine.data.Batch;
import tenon.engine.trace.Trace;

/**
 * The memory of a source's batches, allocated once: a ring of slots to fill, and the tensors that are handed out. On the CPU a slot is the
 * memory of its tensors; elsewhere slots are host memory, uploaded when a batch is handed out: beside the computation, where the back-end can, into the one of two
 * places that the batch before does not use. Where the device finishes the pictures ({@link DeviceFinish}), a slot holds their bytes and which of them are mirrored, and the
 * inputs that are handed out are computed in order with the steps that read them, so there is one tensor of them. The shorter last batch of an epoch has tensors of
 * its own, since a tensor's shape is fixed.
 */
final class BatchBuffers implements AutoCloseable {
    /** What a slot holds, and its order in the arrays below. */
    private static final int INPUT = 0;

    private static final int TARGET = 1;
    private static final int WINDOW = 2;

    private final Backend backend;
    private final boolean host;
    private final int batchSize;
    private final int lastSize;
    /** Bytes of a sample in each part of a slot. */
    private final long[] sampleBytes;

    private final MemorySegment[][] slots;
    private final int[][] samples;
    private final Place[] places;
    private Place lastPlace;
    private final List<Tensor> tensors = new ArrayList<>();
    private final Arena arena = Arena.ofShared();
    /** Null where there is none. */
    private final Staging staging;
    /** Null where slots hold finished inputs. */
    private final DeviceFinish finish;
    /** By back-end that batches were asked for on. */
    private final Map<Backend, FinishElsewhere> finishElsewhere = new IdentityHashMap<>();

    private final Staging.Transfer[][] uploads;
    private final Staging.Mark[] used;
    private int published;

    /**
     * Where a batch arrives.
     *
     * @param parts what the parts of a slot are uploaded to
     */
    private record Place(Batch batch, Tensor... parts) {}

    /**
     * One sample of each part.
     *
     * @param target shape of one sample's target; empty rank for a class index
     */
    record Sample(Shape input, DType inputType, Shape target, DType targetType) {}

    /**
     * @param slotCount slots of the ring
     * @param lastSize samples in the shorter last batch, 0 if there is none
     * @param finish makes inputs of bytes on the device, or null; belongs to this object from here on
     */
    BatchBuffers(Backend backend, int slotCount, int batchSize, int lastSize, Sample sample, DeviceFinish finish) {
        this.backend = Trace.watched(backend);
        this.host = backend.device() instanceof Device.Cpu;
        this.batchSize = batchSize;
        this.lastSize = lastSize;
        this.finish = finish;
        long inputBytes = sample.input().elementCount() * (finish != null ? DType.U8 : sample.inputType()).byteSize();
        long targetBytes = sample.target().elementCount() * sample.targetType().byteSize();
        sampleBytes = finish != null
                ? new long[] {inputBytes, targetBytes, DeviceFinish.WINDOW_BYTES}
                : new long[] {inputBytes, targetBytes};
        slots = new MemorySegment[slotCount][sampleBytes.length];
        samples = new int[slotCount][batchSize];
        staging = backend.staging();
        places = new Place[host ? slotCount : staging != null ? 2 : 1];
        uploads = new Staging.Transfer[staging != null ? slotCount : 0][sampleBytes.length];
        used = new Staging.Mark[staging != null ? 2 : 0];
        try {
            try (Scope scope = Scope.open("batch buffers", backend)) {
                for (int i = 0; i < places.length; i++) {
                    Tensor shared = finish != null && i > 0 ? places[0].batch().input() : null;
                    places[i] = place(scope, batchSize, sample, shared);
                }
                lastPlace = lastSize == 0 ? null : place(scope, lastSize, sample, null);
            }
            for (int i = 0; i < slotCount; i++) {
                for (int part = 0; part < sampleBytes.length; part++) {
                    slots[i][part] =
                            host ? places[i].parts()[part].segment() : hostMemory(batchSize * sampleBytes[part]);
                }
            }
            for (Staging.Transfer[] ofSlot : uploads) {
                for (int part = 0; part < ofSlot.length; part++) {
                    ofSlot[part] = staging.transfer();
                }
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
        for (int part = 0; staging != null && part < sampleBytes.length; part++) {
            uploads[slot][part].awaitOnHost();
        }
    }

    /** @param shared the batch's input if another place has it already */
    private Place place(Scope scope, int size, Sample sample, Tensor shared) {
        Tensor input = shared != null ? shared : tensor(scope, prepend(size, sample.input()), sample.inputType());
        Tensor target = tensor(scope, prepend(size, sample.target()), sample.targetType());
        Batch batch = new Batch(input, target, new long[size]);
        return finish == null
                ? new Place(batch, input, target)
                : new Place(
                        batch,
                        tensor(scope, prepend(size, sample.input()), DType.U8),
                        target,
                        tensor(scope, Shape.of(size, DeviceFinish.WINDOW), DType.I32));
    }

    /** Retained handles belong to no scope: they live until this object closes, across the steps of the training loop. */
    private Tensor tensor(Scope scope, Shape shape, DType dtype) {
        Tensor tensor = Tensor.empty(scope.backend(), shape, dtype).retain();
        tensors.add(tensor);
        return tensor;
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

    private MemorySegment part(int slot, int part, int size) {
        return host && isLast(size) ? lastPlace.parts()[part].segment() : slots[slot][part];
    }

    /** Where the inputs of a batch of {@code size} samples go: sample after sample, as they are handed out or, where the device finishes them, as bytes. */
    MemorySegment input(int slot, int size) {
        return part(slot, INPUT, size);
    }

    MemorySegment target(int slot, int size) {
        return part(slot, TARGET, size);
    }

    /** Says whether the device is to mirror a sample of the slot. */
    void mirror(int slot, int position, boolean mirrored) {
        if (finish != null) {
            finish.mirror(slots[slot][WINDOW], position, mirrored);
        }
    }

    /** Where the numbers of the samples in a slot go. */
    int[] samples(int slot) {
        return samples[slot];
    }

    /** The batch that was written to the slot, on the training thread. Its tensors are valid until the next call. */
    Batch publish(int slot, int size) {
        Place place = arrive(slot, size);
        Batch batch = place.batch();
        if (finish != null) {
            finish.run(place.parts()[INPUT], place.parts()[WINDOW], batch.input());
        }
        for (int i = 0; i < size; i++) {
            batch.keys()[i] = samples[slot][i];
        }
        return batch;
    }

    /** The same in tensors of somebody else, of the batch's shapes. */
    void publish(int slot, int size, Tensor input, Tensor target) {
        if (input.backend() != backend) {
            publishElsewhere(slot, size, input, target);
            return;
        }
        Place place = arrive(slot, size);
        if (finish != null) {
            finish.run(place.parts()[INPUT], place.parts()[WINDOW], input);
        } else {
            input.copyFrom(place.batch().input());
        }
        target.copyFrom(place.batch().target());
    }

    /** From the slot straight to another back-end of the same kind, which has taken it when this returns. */
    private void publishElsewhere(int slot, int size, Tensor input, Tensor target) {
        target.upload(filled(slot, TARGET, size));
        if (finish == null) {
            input.upload(filled(slot, INPUT, size));
            return;
        }
        finishElsewhere
                .computeIfAbsent(input.backend(), other -> new FinishElsewhere(other, finish))
                .run(filled(slot, INPUT, size), filled(slot, WINDOW, size), input);
    }

    /** Brings a slot's parts to where the next batch is. */
    private Place arrive(int slot, int size) {
        int number = host ? slot : published++ % places.length;
        Place place = isLast(size) ? lastPlace : places[number];
        if (staging != null) {
            // Whoever asks for a batch is done with asking for work on the one before, which the mark now stands
            // behind.
            Staging.Mark before = used[1 - number];
            before.record();
            Staging.Mark after = isLast(size) ? before : used[number];
            for (int part = 0; part < sampleBytes.length; part++) {
                upload(uploads[slot][part], filled(slot, part, size), place.parts()[part], after);
            }
        } else if (!host) {
            for (int part = 0; part < sampleBytes.length; part++) {
                place.parts()[part].upload(filled(slot, part, size));
            }
        }
        return place;
    }

    private MemorySegment filled(int slot, int part, int size) {
        return part(slot, part, size).asSlice(0, size * sampleBytes[part]);
    }

    private static void upload(Staging.Transfer transfer, MemorySegment from, Tensor to, Staging.Mark after) {
        transfer.upload(from, to, after);
        transfer.awaitOnDevice();
    }

    @Override
    public void close() {
        for (Staging.Transfer[] ofSlot : uploads) {
            for (Staging.Transfer upload : ofSlot) {
                if (upload != null) {
                    upload.awaitOnHost();
                    upload.close();
                }
            }
        }
        for (Staging.Mark mark : used) {
            if (mark != null) {
                mark.close();
            }
        }
        for (MemorySegment[] slot : slots) {
            for (MemorySegment buffer : slot) {
                if (staging != null && buffer != null) {
                    staging.free(buffer);
                }
            }
        }
        if (finish != null) {
            finish.close();
        }
        finishElsewhere.values().forEach(FinishElsewhere::close);
        tensors.forEach(Tensor::close);
        arena.close();
    }
}
