package tenon.engine.backend.cuda;

import jcuda.CudaException;
import jcuda.driver.CUdeviceptr;
import jcuda.driver.JCudaDriver;
import tenon.engine.memory.Allocator;
import tenon.engine.memory.CachingAllocator;
import tenon.engine.memory.Storage;

/** The memory of a device, as far as the back-end's limit goes. Several allocators of one back-end may take from it. */
final class DeviceMemory implements CachingAllocator.Source {
    private static final class Block extends CUdeviceptr {
        long address() {
            return getNativePointer();
        }
    }

    private final DeviceContext context;
    /** For tests, and for NVIDIA's compute-sanitizer: an access outside of a tensor is one outside of its allocation, too. */
    private final boolean exact = Boolean.getBoolean("tenon.cuda.memory.exact");

    private final long limitBytes;
    private final Runnable awaitDevice;
    private long heldBytes;
    private long allocations;
    private boolean closing;

    /** @param awaitDevice waits until no work that is queued uses any memory that was given back */
    DeviceMemory(DeviceContext context, long limitBytes, Runnable awaitDevice) {
        this.context = context;
        this.limitBytes = limitBytes;
        this.awaitDevice = awaitDevice;
    }

    @Override
    public synchronized Storage allocate(Allocator owner, long byteSize) {
        if (byteSize > limitBytes - heldBytes) {
            return null;
        }
        context.enter();
        Block block = new Block();
        try {
            JCudaDriver.cuMemAlloc(block, byteSize);
        } catch (CudaException e) {
            if (Driver.isOutOfMemory(e)) {
                return null;
            }
            throw Driver.failure("cuMemAlloc", e);
        }
        heldBytes += byteSize;
        allocations++;
        return new Storage(owner, null, block.address(), byteSize);
    }

    @Override
    public void free(Storage storage) {
        context.enter();
        // Not under this monitor: the back-end's lock comes first, and who holds that may allocate.
        awaitDevice.run();
        synchronized (this) {
            Driver.runQuietly(() -> JCudaDriver.cuMemFree(Pointers.at(storage.blockAddress())));
            heldBytes -= storage.capacity();
            closeWhenUnused();
        }
    }

    /** Gives the context back as soon as the last block is: tensors may outlive their back-end. */
    synchronized void close() {
        closing = true;
        closeWhenUnused();
    }

    private void closeWhenUnused() {
        if (closing && heldBytes == 0) {
            context.close();
        }
    }

    /** Bytes taken from the device. */
    synchronized long heldBytes() {
        return heldBytes;
    }

    /** Blocks ever taken from the device. */
    synchronized long allocations() {
        return allocations;
    }

    @Override
    public String name() {
        return context.toString();
    }

    @Override
    public String situation() {
        long[] memory = context.memory();
        return ", free on the device=" + memory[0] + " of " + memory[1] + ", limit of the back-end="
                + (limitBytes == Long.MAX_VALUE ? "none" : limitBytes);
    }

    @Override
    public boolean cached() {
        return !exact;
    }

    @Override
    public String limitProperty() {
        return "tenon.cuda.memory.limit";
    }
}
