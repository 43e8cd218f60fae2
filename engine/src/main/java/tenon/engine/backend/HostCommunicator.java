package tenon.engine.backend;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.List;
import java.util.stream.IntStream;
import tenon.engine.Tensor;

/**
 * Devices that meet in host memory, whatever they are: each rank downloads its tensors, all ranks add up one range each in the order of ranks, and each
 * uploads the sums. Host memory is kept from call to call.
 */
public final class HostCommunicator extends RankCommunicator {
    private static final long ALIGN = 64;
    /** Floats that are summed over all ranks before the next ones, so that the sum stays in the cache. */
    private static final long BLOCK = 4096;

    private final Group group;

    private HostCommunicator(Group group, int rank) {
        super(rank, group.calls);
        this.group = group;
    }

    /** One communicator per back-end, in their order. */
    public static List<Communicator> group(List<Backend> backends) {
        Group group = new Group(backends.size());
        return IntStream.range(0, backends.size())
                .<Communicator>mapToObj(rank -> new HostCommunicator(group, rank))
                .toList();
    }

    /** What the ranks share. */
    private static final class Group {
        final RankCalls calls;
        /** By rank: its values, one tensor after the other, each at a multiple of {@link #ALIGN} bytes. */
        final MemorySegment[] values;

        final Arena[] arenas;
        MemorySegment sum;
        Arena sumArena;
        int open;

        Group(int size) {
            calls = new RankCalls(size);
            values = new MemorySegment[size];
            arenas = new Arena[size];
            open = size;
        }
    }

    @Override
    public String description() {
        return "host memory";
    }

    @Override
    protected void allReduce(List<Tensor> tensors) {
        download(tensors);
        meet("all-reduce", tensors);
        if (rank == 0) {
            growSum(byteSize(tensors));
        }
        await();
        sumRange(byteSize(tensors) / Float.BYTES);
        await();
        upload(tensors, group.sum);
    }

    @Override
    protected void copyFromFirst(List<Tensor> tensors) {
        if (rank == 0) {
            download(tensors);
        }
        meet("broadcast", tensors);
        if (rank != 0) {
            upload(tensors, group.values[0]);
        }
        await();
    }

    private static long byteSize(List<Tensor> tensors) {
        long bytes = 0;
        for (int i = 0; i < tensors.size(); i++) {
            bytes = end(bytes, tensors.get(i));
        }
        return bytes;
    }

    private static long end(long start, Tensor tensor) {
        return (start + tensor.byteSize() + ALIGN - 1) / ALIGN * ALIGN;
    }

    private void download(List<Tensor> tensors) {
        long bytes = byteSize(tensors);
        if (group.values[rank] == null || group.values[rank].byteSize() < bytes) {
            close(group.arenas[rank]);
            group.arenas[rank] = Arena.ofShared();
            group.values[rank] = group.arenas[rank].allocate(bytes, ALIGN);
        }
        long start = 0;
        for (int i = 0; i < tensors.size(); i++) {
            Tensor tensor = tensors.get(i);
            tensor.download(group.values[rank].asSlice(start, tensor.byteSize()));
            start = end(start, tensor);
        }
    }

    private static void upload(List<Tensor> tensors, MemorySegment from) {
        long start = 0;
        for (int i = 0; i < tensors.size(); i++) {
            Tensor tensor = tensors.get(i);
            tensor.upload(from.asSlice(start, tensor.byteSize()));
            start = end(start, tensor);
        }
    }

    private void growSum(long bytes) {
        if (group.sum == null || group.sum.byteSize() < bytes) {
            close(group.sumArena);
            group.sumArena = Arena.ofShared();
            group.sum = group.sumArena.allocate(bytes, ALIGN);
        }
    }

    /** This rank's part of the sums. */
    private void sumRange(long count) {
        long part = (Math.ceilDiv(count, size()) + ALIGN - 1) / ALIGN * ALIGN;
        long to = Math.min(count, (rank + 1) * part);
        for (long from = rank * part; from < to; from += BLOCK) {
            long bytes = Math.min(BLOCK, to - from) * Float.BYTES;
            MemorySegment sum = group.sum.asSlice(from * Float.BYTES, bytes);
            sum.copyFrom(group.values[0].asSlice(from * Float.BYTES, bytes));
            for (int other = 1; other < size(); other++) {
                add(sum, group.values[other].asSlice(from * Float.BYTES, bytes));
            }
        }
    }

    private static void add(MemorySegment sum, MemorySegment values) {
        long count = sum.byteSize() / Float.BYTES;
        for (long i = 0; i < count; i++) {
            sum.setAtIndex(
                    ValueLayout.JAVA_FLOAT,
                    i,
                    sum.getAtIndex(ValueLayout.JAVA_FLOAT, i) + values.getAtIndex(ValueLayout.JAVA_FLOAT, i));
        }
    }

    /** The last one to close frees the memory, which others may still be reading before. */
    @Override
    public void close() {
        end();
        synchronized (group) {
            if (--group.open == 0) {
                for (Arena arena : group.arenas) {
                    close(arena);
                }
                close(group.sumArena);
            }
        }
    }

    private static void close(Arena arena) {
        if (arena != null) {
            arena.close();
        }
    }
}
