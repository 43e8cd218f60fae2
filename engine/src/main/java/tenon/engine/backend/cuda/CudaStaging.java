package tenon.engine.backend.cuda;

import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.List;
import java.util.TreeMap;
import jcuda.CudaException;
import jcuda.driver.JCudaDriver;
import tenon.engine.Tensor;
import tenon.engine.backend.Staging;

/** Transfers on a stream of their own, held in order with the computation by events. */
final class CudaStaging implements Staging, AutoCloseable {
    private final CudaBackend backend;
    /** By address. */
    private final TreeMap<Long, Pinned> buffers = new TreeMap<>();
    /** Events of marks and transfers that are still open. */
    private final List<Event> events = new ArrayList<>();

    CudaStaging(CudaBackend backend) {
        this.backend = backend;
    }

    @Override
    public MemorySegment hostBuffer(long byteSize) {
        synchronized (backend.lock) {
            backend.checkNotCapturing("hostBuffer");
            backend.enter();
            Pinned buffer = new Pinned(Math.max(1, byteSize));
            buffers.put(buffer.segment().address(), buffer);
            return buffer.segment().asSlice(0, byteSize);
        }
    }

    @Override
    public void free(MemorySegment buffer) {
        synchronized (backend.lock) {
            Pinned pinned = buffers.remove(buffer.address());
            if (pinned != null) {
                backend.enter();
                pinned.close();
            }
        }
    }

    @Override
    public Mark mark() {
        return new EventMark();
    }

    @Override
    public Transfer transfer() {
        return new EventTransfer();
    }

    private Event event() {
        synchronized (backend.lock) {
            backend.checkNotCapturing("staging");
            backend.enter();
            Event event = new Event();
            events.add(event);
            return event;
        }
    }

    private void close(Event event) {
        synchronized (backend.lock) {
            if (events.remove(event)) {
                backend.enter();
                event.close();
            }
        }
    }

    private void checkPinned(String op, MemorySegment host, Tensor tensor) {
        var entry = host.isNative() ? buffers.floorEntry(host.address()) : null;
        if (entry == null
                || host.address() + host.byteSize()
                        > entry.getKey() + entry.getValue().segment().byteSize()) {
            throw new IllegalArgumentException(op + ": the host's memory must be a part of a hostBuffer of this"
                    + " back-end: host=" + host + ", tensor=" + tensor);
        }
        if (host.byteSize() != tensor.byteSize()) {
            throw new IllegalArgumentException(op + ": byte sizes must be equal: host=" + host.byteSize() + ", tensor="
                    + tensor.byteSize() + " (" + tensor + ")");
        }
    }

    private final class EventMark implements Mark {
        final Event event = event();

        @Override
        public void record() {
            synchronized (backend.lock) {
                backend.checkNotCapturing("mark");
                backend.enter();
                event.record(backend.compute);
            }
        }

        @Override
        public void close() {
            CudaStaging.this.close(event);
        }
    }

    private final class EventTransfer implements Transfer {
        /** Behind the computation that the tensor's memory may have served before the transfer was made. */
        private final Event before = event();

        private final Event done = event();

        EventTransfer() {
            synchronized (backend.lock) {
                before.record(backend.compute);
            }
        }

        @Override
        public void upload(MemorySegment from, Tensor to, Mark after) {
            synchronized (backend.lock) {
                backend.checkNotCapturing("upload");
                checkPinned("upload", from, to);
                backend.enter();
                backend.copy.waitFor(after == null ? before : ((EventMark) after).event);
                try {
                    JCudaDriver.cuMemcpyHtoDAsync(
                            Pointers.at(to.address()),
                            Pointers.host(from.address()),
                            from.byteSize(),
                            backend.copy.handle());
                } catch (CudaException e) {
                    throw Driver.failure("cuMemcpyHtoDAsync", e);
                }
                done.record(backend.copy);
            }
        }

        @Override
        public void download(Tensor from, MemorySegment to) {
            synchronized (backend.lock) {
                backend.checkNotCapturing("download");
                checkPinned("download", to, from);
                backend.enter();
                // On the stream that computes: what is asked of it next may overwrite the tensor.
                try {
                    JCudaDriver.cuMemcpyDtoHAsync(
                            Pointers.host(to.address()),
                            Pointers.at(from.storage().blockAddress()),
                            to.byteSize(),
                            backend.compute.handle());
                } catch (CudaException e) {
                    throw Driver.failure("cuMemcpyDtoHAsync", e);
                }
                done.record(backend.compute);
            }
        }

        @Override
        public void awaitOnDevice() {
            synchronized (backend.lock) {
                backend.checkNotCapturing("transfer");
                backend.enter();
                backend.compute.waitFor(done);
            }
        }

        /** Without the lock, so that others go on meanwhile. */
        @Override
        public void awaitOnHost() {
            backend.enter();
            done.synchronize();
        }

        @Override
        public void close() {
            CudaStaging.this.close(before);
            CudaStaging.this.close(done);
        }
    }

    @Override
    public void close() {
        events.forEach(Event::close);
        events.clear();
        buffers.values().forEach(Pinned::close);
        buffers.clear();
    }
}
