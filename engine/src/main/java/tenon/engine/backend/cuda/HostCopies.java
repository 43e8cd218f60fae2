package tenon.engine.backend.cuda;

import java.lang.foreign.MemorySegment;
import jcuda.CudaException;
import jcuda.driver.JCudaDriver;

/**
 * Copies between any host memory and the device, in the order of the compute stream, through two pinned buffers: while one is on the wire, the other is filled or emptied. An upload returns
 * when the source may change, a download when the target is there.
 */
final class HostCopies implements AutoCloseable {
    private static final int BUFFERS = 2;
    private static final long CHUNK = 4L << 20;

    private final CudaBackend backend;
    private final Pinned[] buffers = new Pinned[BUFFERS];
    private final Event[] done = new Event[BUFFERS];
    private int next;

    HostCopies(CudaBackend backend) {
        this.backend = backend;
    }

    /** The next buffer, when nothing uses it any more. */
    private int buffer() {
        int buffer = next;
        next = (next + 1) % BUFFERS;
        if (done[buffer] == null) {
            done[buffer] = new Event();
        }
        if (buffers[buffer] == null) {
            buffers[buffer] = new Pinned(CHUNK);
        }
        done[buffer].synchronize();
        return buffer;
    }

    void upload(MemorySegment from, long to) {
        synchronized (backend.lock) {
            backend.enter();
            for (long start = 0; start < from.byteSize(); start += CHUNK) {
                long length = Math.min(CHUNK, from.byteSize() - start);
                int buffer = buffer();
                MemorySegment.copy(from, start, buffers[buffer].segment(), 0, length);
                try {
                    JCudaDriver.cuMemcpyHtoDAsync(
                            Pointers.at(to + start), buffers[buffer].at(0), length, backend.compute.handle());
                } catch (CudaException e) {
                    throw Driver.failure("cuMemcpyHtoDAsync", e);
                }
                done[buffer].record(backend.compute);
            }
        }
    }

    void download(long from, MemorySegment to) {
        synchronized (backend.lock) {
            backend.enter();
            long arrived = 0;
            int before = -1;
            for (long start = 0; start < to.byteSize(); start += CHUNK) {
                int buffer = buffer();
                try {
                    JCudaDriver.cuMemcpyDtoHAsync(
                            buffers[buffer].at(0),
                            Pointers.at(from + start),
                            Math.min(CHUNK, to.byteSize() - start),
                            backend.compute.handle());
                } catch (CudaException e) {
                    throw Driver.failure("cuMemcpyDtoHAsync", e);
                }
                done[buffer].record(backend.compute);
                if (before >= 0) {
                    arrived += take(before, to, arrived);
                }
                before = buffer;
            }
            if (before >= 0) {
                take(before, to, arrived);
            }
        }
    }

    private long take(int buffer, MemorySegment to, long offset) {
        done[buffer].synchronize();
        long length = Math.min(CHUNK, to.byteSize() - offset);
        MemorySegment.copy(buffers[buffer].segment(), 0, to, offset, length);
        return length;
    }

    @Override
    public void close() {
        for (int i = 0; i < BUFFERS; i++) {
            if (buffers[i] != null) {
                buffers[i].close();
            }
            if (done[i] != null) {
                done[i].close();
            }
        }
    }
}
