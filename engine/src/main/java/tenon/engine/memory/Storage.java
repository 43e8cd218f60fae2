package tenon.engine.memory;

import java.lang.foreign.MemorySegment;

/**
 * One block of back-end memory with a count of the tensors that share it. Blocks are pooled: the allocator hands a freed block out again,
 * so only {@link tenon.engine.Tensor}, which knows whether it is closed, may hold one.
 */
public final class Storage {
    private final Allocator allocator;
    private MemorySegment segment;
    private long address;
    private long capacity;
    private PrivateForm form;
    int references;

    /**
     * @param segment host view of the whole block, or null for device memory
     * @param address native address, 0 where there is no memory
     * @param capacity usable bytes
     */
    public Storage(Allocator allocator, MemorySegment segment, long address, long capacity) {
        this.allocator = allocator;
        this.segment = segment;
        this.address = address;
        this.capacity = capacity;
    }

    /** The memory with its plain contents; null for device memory. */
    public MemorySegment segment() {
        restore();
        return segment;
    }

    /** Native address of the plain contents, 0 where there is no memory. */
    public long address() {
        restore();
        return address;
    }

    private void restore() {
        if (form != null) {
            form.restore();
        }
    }

    /** The memory as it is, in whatever order a private form keeps it: for the back-end that attached the form. */
    public MemorySegment block() {
        return segment;
    }

    /** Address of {@link #block}. */
    public long blockAddress() {
        return address;
    }

    /** The back-end's private form, or null. */
    public PrivateForm form() {
        return form;
    }

    /** Attaches a private form to a storage that has none. */
    public void attach(PrivateForm newForm) {
        if (form != null) {
            throw new IllegalStateException("storage: it has a private form already");
        }
        form = newForm;
    }

    /** Swaps the memory of two storages of one allocator; references and forms stay where they are. */
    public void exchange(Storage other) {
        MemorySegment itsSegment = other.segment;
        long itsAddress = other.address;
        long itsCapacity = other.capacity;
        other.segment = segment;
        other.address = address;
        other.capacity = capacity;
        segment = itsSegment;
        address = itsAddress;
        capacity = itsCapacity;
    }

    public long capacity() {
        return capacity;
    }

    public boolean isShared() {
        return references > 1;
    }

    public void retain() {
        references++;
    }

    /** Gives one reference back; the last one returns the block to its allocator. */
    public void release() {
        if (references <= 0) {
            throw new IllegalStateException("storage released more often than retained");
        }
        if (--references == 0) {
            if (form != null) {
                form.release();
                form = null;
            }
            allocator.free(this);
        }
    }
}
