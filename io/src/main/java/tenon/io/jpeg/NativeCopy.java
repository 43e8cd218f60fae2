package tenon.io.jpeg;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;

/** Native memory that grows to the largest size asked for. */
final class NativeCopy implements AutoCloseable {
    private Arena arena = Arena.ofShared();
    private MemorySegment memory = MemorySegment.NULL;

    /** At least {@code byteSize} bytes, contents undefined. */
    MemorySegment resize(long byteSize) {
        if (memory.byteSize() < byteSize) {
            arena.close();
            arena = Arena.ofShared();
            memory = arena.allocate(Math.max(byteSize, memory.byteSize() * 3 / 2), 64);
        }
        return memory;
    }

    /** The bytes at the front of an array, at the front of the memory. */
    MemorySegment of(byte[] bytes, int length) {
        resize(length);
        MemorySegment.copy(bytes, 0, memory, ValueLayout.JAVA_BYTE, 0, length);
        return memory;
    }

    @Override
    public void close() {
        arena.close();
    }
}
