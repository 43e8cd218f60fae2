package tenon.engine.backend.cuda;

import java.util.ArrayList;
import java.util.List;
import tenon.engine.memory.Allocator;
import tenon.engine.memory.CachingAllocator;
import tenon.engine.memory.Storage;

/** Device memory of a recorded step: nothing goes back to the device before the recording is closed, because what was recorded holds the addresses. */
final class RecordingMemory implements CachingAllocator.Source {
    private final DeviceMemory memory;
    private final List<Storage> givenBack = new ArrayList<>();
    private boolean closed;

    RecordingMemory(DeviceMemory memory) {
        this.memory = memory;
    }

    @Override
    public Storage allocate(Allocator owner, long byteSize) {
        return memory.allocate(owner, byteSize);
    }

    @Override
    public synchronized void free(Storage storage) {
        if (closed) {
            memory.free(storage);
        } else {
            givenBack.add(storage);
        }
    }

    synchronized void close() {
        closed = true;
        givenBack.forEach(memory::free);
        givenBack.clear();
    }

    @Override
    public String name() {
        return memory.name();
    }

    @Override
    public String situation() {
        return memory.situation();
    }

    @Override
    public boolean cached() {
        return memory.cached();
    }

    @Override
    public String limitProperty() {
        return memory.limitProperty();
    }
}
