package tenon.engine.backend.cuda;

import static tenon.engine.backend.cuda.Vectors.in;
import static tenon.engine.backend.cuda.Vectors.out;

import java.util.ArrayList;
import java.util.List;
import java.util.stream.IntStream;
import jcuda.CudaException;
import jcuda.driver.JCudaDriver;
import tenon.engine.Tensor;
import tenon.engine.backend.Communicator;
import tenon.engine.backend.RankCalls;
import tenon.engine.memory.Storage;

/**
 * GPUs that copy from each other. A sum goes through a buffer in which the tensors lie one after the other: each rank fetches its part of the buffer from all others, adds in the order of ranks,
 * and fetches the other parts' sums (a reduce-scatter, then an all-gather), so that each sum is computed once, and every device sends and receives as little as with a ring. Where there are more
 * elements than the buffer has, it is filled again and again.
 *
 * <p>The devices wait for each other through events. A rank waits for another one's event only after it is recorded: for that the threads meet.
 */
final class PeerCommunicator extends CudaCommunicator {
    /** Of the buffer, and a multiple of {@link #ALIGN}: 64 MiB. */
    static final long MOST_ELEMENTS = 16L << 20;
    /** Elements that a kernel accesses at once. */
    private static final long ALIGN = 4;

    private static final String FILE = "collectives";

    private final Group group;
    private final long mostElements;
    private final Kernel gather;
    private final Kernel scatter;
    private final Kernel sum;
    /** One per filling of the buffer since the last {@link #join}. */
    private final List<UpdateTable> tables = new ArrayList<>();

    private int fillings;

    /** The tensors lie in the buffer. */
    private final Event packed;
    /** This rank's part of the buffer holds the sums. */
    private final Event summed;
    /** This rank needs nothing of the others any more. */
    private final Event done;

    private Storage buffer;
    /** The others' values of this rank's part. */
    private Storage fetched;

    private static final class Group {
        final PeerCommunicator[] ranks;
        int open;

        Group(int size) {
            ranks = new PeerCommunicator[size];
            open = size;
        }
    }

    private PeerCommunicator(Group group, int rank, CudaBackend backend, RankCalls calls, long mostElements) {
        super(rank, backend, calls);
        this.group = group;
        this.mostElements = mostElements;
        backend.enter();
        gather = backend.kernels.get(FILE, "gather_pieces");
        scatter = backend.kernels.get(FILE, "scatter_pieces");
        sum = backend.kernels.get(FILE, "sum_of_ranks");
        Event[] events = Event.create(3);
        packed = events[0];
        summed = events[1];
        done = events[2];
        group.ranks[rank] = this;
    }

    static List<Communicator> group(List<CudaBackend> backends, long mostElements) {
        PeerAccess.enable(backends);
        Group group = new Group(backends.size());
        RankCalls calls = new RankCalls(backends.size());
        try {
            return IntStream.range(0, backends.size())
                    .<Communicator>mapToObj(
                            rank -> new PeerCommunicator(group, rank, backends.get(rank), calls, mostElements))
                    .toList();
        } catch (RuntimeException e) {
            free(group);
            throw e;
        }
    }

    @Override
    public String description() {
        return "copies between GPUs";
    }

    // ---- sums ----

    @Override
    protected void allReduce(List<Tensor> tensors) {
        meet("all-reduce", tensors);
        UpdateTable table = null;
        long filled = 0;
        for (Tensor tensor : tensors) {
            long count = tensor.elementCount();
            for (long start = 0; start < count; ) {
                if (table == null) {
                    table = table(fillings++);
                    ensureBuffers(tensors);
                }
                long length = Math.min(count - start, mostElements - filled);
                table.add(
                        out(tensor) + start * Float.BYTES,
                        buffer.blockAddress() + filled * Float.BYTES,
                        0,
                        0,
                        0,
                        length,
                        0,
                        0);
                start += length;
                filled += roundUp(length);
                if (filled >= mostElements) {
                    sumBuffer(table, filled);
                    table = null;
                    filled = 0;
                }
            }
        }
        if (table != null) {
            sumBuffer(table, filled);
        }
    }

    /** The tables are free again: what changes them comes after the sums. */
    @Override
    protected void join() {
        super.join();
        fillings = 0;
    }

    private UpdateTable table(int filling) {
        if (filling == tables.size()) {
            tables.add(new UpdateTable(backend, true));
        }
        UpdateTable table = tables.get(filling);
        table.clear();
        return table;
    }

    private static long roundUp(long count) {
        return Math.ceilDiv(count, ALIGN) * ALIGN;
    }

    /** Elements of each rank's part; the last ones may have fewer. */
    private long partOf(long count) {
        return roundUp(Math.ceilDiv(count, size()));
    }

    private void ensureBuffers(List<Tensor> tensors) {
        long all = 0;
        for (Tensor tensor : tensors) {
            all += roundUp(tensor.elementCount());
        }
        long count = Math.min(all, mostElements);
        long others = (size() - 1) * partOf(count);
        buffer = atLeast(buffer, count);
        fetched = atLeast(fetched, Math.max(ALIGN, others));
    }

    private Storage atLeast(Storage storage, long elements) {
        long bytes = elements * Float.BYTES;
        if (storage != null && storage.capacity() >= bytes) {
            return storage;
        }
        Storage larger = backend.general().allocate(bytes);
        if (storage != null) {
            // Whoever is given its memory computes after the sums in it.
            super.join();
            storage.release();
        }
        return larger;
    }

    /** All ranks fill and sum buffers of equal lengths. */
    private void sumBuffer(UpdateTable table, long count) {
        Stream stream;
        synchronized (backend.lock) {
            backend.enter();
            table.send();
            stream = fork();
            move(gather, table, stream);
            packed.record(stream);
        }
        await();
        long part = partOf(count);
        synchronized (backend.lock) {
            backend.enter();
            sumPart(part, count, stream);
            summed.record(stream);
        }
        await();
        synchronized (backend.lock) {
            backend.enter();
            for (int step = 1; step < size(); step++) {
                PeerCommunicator other = other(step);
                stream.waitFor(other.summed);
                long start = other.rank * part;
                fetch(other, other.buffer, start, buffer, start, Math.min(part, count - start), stream);
            }
            done.record(stream);
            move(scatter, table, stream);
        }
        await();
        synchronized (backend.lock) {
            backend.enter();
            // The next work may write the buffer, or be somebody's whom its memory was given to.
            for (int step = 1; step < size(); step++) {
                stream.waitFor(other(step).done);
            }
        }
    }

    private void sumPart(long part, long count, Stream stream) {
        long start = rank * part;
        long length = Math.min(part, count - start);
        if (length <= 0) {
            return;
        }
        for (int step = 1; step < size(); step++) {
            PeerCommunicator other = other(step);
            stream.waitFor(other.packed);
            long place = (other.rank < rank ? other.rank : other.rank - 1) * part;
            fetch(other, other.buffer, start, fetched, place, length, stream);
        }
        backend.launch(sum)
                .on(stream)
                .address(buffer.blockAddress() + start * Float.BYTES)
                .address(fetched.blockAddress())
                .int64(part)
                .int32(rank)
                .int32(size())
                .int64(length)
                .elements(Math.ceilDiv(length, ALIGN));
    }

    private void move(Kernel kernel, UpdateTable table, Stream stream) {
        backend.launch(kernel)
                .on(stream)
                .address(table.records())
                .address(table.chunkNumbers())
                .grid(table.chunks(), 1, 1, Launch.THREADS);
    }

    /** The ranks after this one, each rank's in another order, so that all links are busy. */
    private PeerCommunicator other(int step) {
        return group.ranks[(rank + step) % size()];
    }

    private void fetch(
            PeerCommunicator other, Storage from, long fromStart, Storage to, long toStart, long count, Stream stream) {
        if (count > 0) {
            fetch(
                    other,
                    from.blockAddress() + fromStart * Float.BYTES,
                    to.blockAddress() + toStart * Float.BYTES,
                    count * Float.BYTES,
                    stream);
        }
    }

    private void fetch(PeerCommunicator other, long from, long to, long bytes, Stream stream) {
        try {
            JCudaDriver.cuMemcpyPeerAsync(
                    Pointers.at(to),
                    backend.context.handle(),
                    Pointers.at(from),
                    other.backend.context.handle(),
                    bytes,
                    stream.handle());
        } catch (CudaException e) {
            throw Driver.failure("cuMemcpyPeerAsync", e);
        }
    }

    // ---- copies ----

    @Override
    protected void copyFromFirst(List<Tensor> tensors) {
        if (rank == 0) {
            synchronized (backend.lock) {
                backend.enter();
                packed.record(backend.compute);
            }
        }
        List<Tensor> firsts = meet("broadcast", tensors);
        if (rank != 0) {
            synchronized (backend.lock) {
                backend.enter();
                PeerCommunicator first = group.ranks[0];
                backend.compute.waitFor(first.packed);
                for (int i = 0; i < tensors.size(); i++) {
                    if (tensors.get(i).byteSize() > 0) {
                        fetch(
                                first,
                                in(firsts.get(i)),
                                out(tensors.get(i)),
                                tensors.get(i).byteSize(),
                                backend.compute);
                    }
                }
                done.record(backend.compute);
            }
        }
        await();
        if (rank == 0) {
            synchronized (backend.lock) {
                backend.enter();
                for (int step = 1; step < size(); step++) {
                    backend.compute.waitFor(other(step).done);
                }
            }
        }
    }

    // ---- the end ----

    /** The last one to close frees the memory of all, which the others' devices may be reading before. */
    @Override
    public void close() {
        end();
        synchronized (group) {
            if (--group.open == 0) {
                free(group);
            }
        }
    }

    private static void free(Group group) {
        for (PeerCommunicator rank : group.ranks) {
            if (rank != null && !rank.backend.isClosed()) {
                rank.backend.context.enter();
                rank.drain();
                Driver.runQuietly(() -> JCudaDriver.cuStreamSynchronize(rank.backend.compute.handle()));
            }
        }
        for (PeerCommunicator rank : group.ranks) {
            if (rank != null) {
                rank.free();
            }
        }
    }

    private void free() {
        release(buffer);
        release(fetched);
        synchronized (backend.lock) {
            tables.forEach(UpdateTable::close);
        }
        if (!backend.isClosed()) {
            backend.context.enter();
            packed.close();
            summed.close();
            done.close();
            closeStream();
        }
    }

    private static void release(Storage storage) {
        if (storage != null) {
            storage.release();
        }
    }
}
