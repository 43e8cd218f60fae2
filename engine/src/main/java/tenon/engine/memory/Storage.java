package tenon.engine.memory;

import java.lang.foreign.MemorySegment;

/**
 * One block of back-end memory with a count of the tensors that share it. Blocks are pooled: the allocator hands a freed block out again,
 * so only {@link tenon.engine.Tensor}, which knows whether it is closed, may hold one.
 */
public final class Storage {
    private final Allocator allocator;
    private final MemorySegment segment;
    private final long address;
    private final long capacity;
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

    public MemorySegment segment() {
        return segment;
    }

    public long address() {
        return address;
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
            allocator.free(this);
        }
    }
}
