package tenon.engine.backend.cpu;

import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.List;
import tenon.engine.DType;
import tenon.engine.TenonException;
import tenon.engine.Tensor;
import tenon.engine.memory.PrivateForm;
import tenon.engine.memory.Storage;

/**
 * In which layout a weight, a weight gradient or an optimizer's state lies, with copies of it in the layouts and dtypes that primitives read.
 *
 * <p>The contents start out plain. The first update brings a weight and its states to the layout that the weight gradient has, and there they stay:
 * from then on the gradient is used as the primitive wrote it. The update also renews the copies. {@link Storage#address} and all that rests on it
 * brings the plain contents back.
 *
 * <p>Guarded by the monitor of {@link Dnnl}.
 */
final class WeightForm implements PrivateForm {
    private static final class Copy {
        final WeightLayout layout;
        final Storage block;
        boolean valid;
        /** Read since the last update; one that is not is dropped rather than renewed. */
        boolean used;
        /** Being written by the update that runs. */
        boolean written;
        /** The layout that {@link #blocks} was looked up for. */
        WeightLayout source;
        /** Writes it block by block from there, or null. */
        BlockCopy blocks;

        Copy(WeightLayout layout, Storage block) {
            this.layout = layout;
            this.block = block;
        }
    }

    private final CpuBackend backend;
    private final Storage storage;
    private final List<Copy> copies = new ArrayList<>(2);
    private WeightLayout layout;
    /** True while the contents are plain and no copy is trusted: {@link #restore} has nothing to do. */
    private volatile boolean restored = true;

    private WeightForm(CpuBackend backend, Storage storage, WeightLayout layout) {
        this.backend = backend;
        this.storage = storage;
        this.layout = layout;
    }

    /** The storage's form; a new one, plain, where it has none or one for another geometry. */
    static WeightForm of(CpuBackend backend, Storage storage, WeightGeometry geometry) {
        WeightForm form = (WeightForm) storage.form();
        if (form == null) {
            form = new WeightForm(backend, storage, backend.layouts.plain(geometry));
            storage.attach(form);
        } else if (!form.layout.geometry().equals(geometry)) {
            form.restore();
            form.release();
            form.layout = backend.layouts.plain(geometry);
        }
        return form;
    }

    /** The layout of the storage's own block. */
    WeightLayout layout() {
        return layout;
    }

    /** Address of the contents in a layout: the block itself, or a copy, made now if there is none that is up to date. */
    long read(WeightLayout wanted) {
        if (wanted == layout) {
            return storage.blockAddress();
        }
        Copy copy = copy(wanted);
        if (copy == null) {
            copy = new Copy(wanted, backend.allocator().allocate(wanted.byteSize()));
            copies.add(copy);
        }
        if (!copy.valid) {
            renew(copy);
        }
        copy.used = true;
        return copy.block.blockAddress();
    }

    private Copy copy(WeightLayout wanted) {
        for (int i = 0; i < copies.size(); i++) {
            if (copies.get(i).layout == wanted) {
                return copies.get(i);
            }
        }
        return null;
    }

    private void renew(Copy copy) {
        backend.layouts.convert(layout, storage.blockAddress(), copy.layout, copy.block.blockAddress());
        copy.valid = true;
        restored = false;
    }

    /** Address of a block for new contents in the given layout; the present ones are lost. */
    long overwrite(WeightLayout newLayout) {
        distrust();
        if (storage.capacity() < newLayout.byteSize()) {
            exchange(backend.allocator().allocate(newLayout.byteSize()));
        }
        layout = newLayout;
        restored = layout.plain();
        return storage.blockAddress();
    }

    /** Brings the contents to another layout; copies stay as they are. */
    void move(WeightLayout newLayout) {
        if (newLayout != layout) {
            Storage block = backend.allocator().allocate(newLayout.byteSize());
            backend.layouts.convert(layout, storage.blockAddress(), newLayout, block.blockAddress());
            exchange(block);
            layout = newLayout;
            restored = false;
        }
    }

    private void exchange(Storage block) {
        storage.exchange(block);
        block.release();
    }

    /** An update starts, which writes what {@link #sameOrderCopy} and {@link #writeCopies} ask for; {@link #changed} must follow. */
    void startUpdate() {
        for (int i = 0; i < copies.size(); i++) {
            Copy copy = copies.get(i);
            if (copy.source != layout) {
                copy.source = layout;
                copy.blocks = backend.layouts.blockCopy(layout, copy.layout);
            }
            copy.written = copy.used && (copy.blocks != null || isSameOrder(copy));
        }
    }

    private boolean isSameOrder(Copy copy) {
        return copy.layout.rowMajor() && layout.rowMajor() && copy.layout.dtype() == DType.BF16;
    }

    /** The BF16 copy in the block's own order that the update writes, or null. */
    MemorySegment sameOrderCopy() {
        for (int i = 0; i < copies.size(); i++) {
            Copy copy = copies.get(i);
            if (copy.written && copy.blocks == null) {
                return copy.block.block();
            }
        }
        return null;
    }

    /** Elements to update before {@link #writeCopies}; 0 if there is nothing for it to do. */
    long chunk() {
        long chunk = 0;
        for (int i = 0; i < copies.size(); i++) {
            Copy copy = copies.get(i);
            if (copy.written && copy.blocks != null) {
                chunk = copy.blocks.chunk();
            }
        }
        return chunk;
    }

    /** Whether {@link #writeCopies} needs the new contents in BF16, too. */
    boolean hasBf16Blocks() {
        for (int i = 0; i < copies.size(); i++) {
            Copy copy = copies.get(i);
            if (copy.written && copy.blocks != null && copy.blocks.dtype() == DType.BF16) {
                return true;
            }
        }
        return false;
    }

    /**
     * Writes the elements [from, to), a chunk or the rest that fills none, to the copies in other orders.
     *
     * @param bf16 address of the new contents in BF16, if asked for, of which element {@code start} is the first
     */
    void writeCopies(long bf16, long start, long from, long to) {
        for (int i = 0; i < copies.size(); i++) {
            Copy copy = copies.get(i);
            if (copy.written && copy.blocks != null) {
                boolean isBf16 = copy.blocks.dtype() == DType.BF16;
                copy.blocks.run(
                        isBf16 ? bf16 : storage.blockAddress(),
                        isBf16 ? start : 0,
                        copy.block.blockAddress(),
                        from,
                        to);
            }
        }
    }

    /** The block has new contents in the same layout: copies that were read since the last call are renewed, the others freed. */
    void changed() {
        for (int i = copies.size() - 1; i >= 0; i--) {
            Copy copy = copies.get(i);
            if (copy.used && copy.layout != layout) {
                if (copy.written) {
                    copy.valid = true;
                    restored = false;
                } else {
                    renew(copy);
                }
                copy.used = false;
                copy.written = false;
            } else {
                copies.remove(i);
                copy.block.release();
            }
        }
    }

    /** Writes the plain contents to memory of the tensor's size and leaves everything as it is. */
    void export(long target) {
        WeightLayout plain = backend.layouts.plain(layout.geometry());
        backend.layouts.convert(layout, storage.blockAddress(), plain, target);
    }

    /** accumulator += x for weights or gradients of which at least one is not plain; false, and nothing done, if both are. */
    static boolean add(CpuBackend backend, Tensor accumulator, Tensor x) {
        WeightForm to = (WeightForm) accumulator.storage().form();
        WeightForm from = (WeightForm) x.storage().form();
        WeightForm opaque = to != null && !to.isPlain() ? to : from;
        if (opaque == null || opaque.isPlain()) {
            return false;
        }
        synchronized (backend.dnnl) {
            WeightLayout layout = opaque.layout;
            of(backend, accumulator.storage(), layout.geometry()).move(layout);
            of(backend, x.storage(), layout.geometry()).move(layout);
            MemorySegment sum = accumulator.storage().block();
            MemorySegment other = x.storage().block();
            backend.elementwise(
                    layout.elementCount(),
                    (first, last) -> backend.arithmetic.add(false, sum, other, sum, first, last));
            CpuBackend.form(accumulator).distrust();
        }
        return true;
    }

    @Override
    public void restore() {
        if (restored) {
            return;
        }
        synchronized (backend.dnnl) {
            if (!layout.plain()) {
                if (backend.isClosed()) {
                    throw new TenonException(
                            "weight: the back-end that keeps it in its own layout is closed (read it before closing"
                                    + " the back-end)");
                }
                move(backend.layouts.plain(layout.geometry()));
            }
            distrust();
            restored = true;
        }
    }

    private void distrust() {
        for (int i = 0; i < copies.size(); i++) {
            copies.get(i).valid = false;
        }
    }

    @Override
    public boolean isPlain() {
        return layout.plain();
    }

    @Override
    public void release() {
        for (Copy copy : copies) {
            copy.block.release();
        }
        copies.clear();
    }
}
