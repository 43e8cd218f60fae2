package tenon.engine.backend.cuda;

import static tenon.engine.backend.cuda.Vectors.out;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import java.util.function.Supplier;
import java.util.stream.IntStream;
import tenon.engine.DeviceException;
import tenon.engine.Tensor;
import tenon.engine.backend.Communicator;
import tenon.engine.backend.RankCalls;

/**
 * GPUs that compute together through NCCL. All tensors of a call are one group of NCCL's calls, and so one launch: sums on a stream beside the computation, copies on the compute stream.
 *
 * <p>NCCL allows one thread at a time at a communicator, and none while it is aborted: {@link #lock} sees to that. The threads meet before each call, so that no device waits for one whose
 * thread has failed before.
 */
final class NcclCommunicator extends CudaCommunicator {
    private static final long END_SECONDS = 30;
    private static final long BEGIN_SECONDS = 120;
    private static final long MOST_NAP_NANOS = TimeUnit.MILLISECONDS.toNanos(1);

    private final Group group;
    private final Object lock = new Object();
    /** Where NCCL says how it is getting on. Under {@link #lock}. */
    private final MemorySegment state = Arena.ofAuto().allocate(ValueLayout.JAVA_INT);
    /** NCCL's, 0 after its end. Under {@link #lock}. */
    private long handle;

    private static final class Group {
        final Nccl nccl;
        final String description;
        final NcclCommunicator[] ranks;
        int open;

        Group(Nccl nccl, int size) {
            this.nccl = nccl;
            description = "NCCL " + nccl.version();
            ranks = new NcclCommunicator[size];
            open = size;
        }
    }

    private NcclCommunicator(Group group, int rank, CudaBackend backend, RankCalls calls, long handle) {
        super(rank, backend, calls);
        this.group = group;
        this.handle = handle;
        group.ranks[rank] = this;
    }

    /** @throws DeviceException with what NCCL says */
    static List<Communicator> group(List<CudaBackend> backends, Nccl nccl) {
        Group group = new Group(nccl, backends.size());
        RankCalls calls = new RankCalls(backends.size());
        try (Arena arena = Arena.ofConfined()) {
            long[] handles = nccl.begin(arena, backends, backends.size());
            List<Communicator> made = IntStream.range(0, handles.length)
                    .<Communicator>mapToObj(
                            rank -> new NcclCommunicator(group, rank, backends.get(rank), calls, handles[rank]))
                    .toList();
            awaitReady(group);
            return made;
        }
    }

    private static void awaitReady(Group group) {
        try {
            long end = System.nanoTime() + TimeUnit.SECONDS.toNanos(BEGIN_SECONDS);
            for (NcclCommunicator rank : group.ranks) {
                rank.finish("ncclCommInitRankConfig", end);
            }
        } catch (RuntimeException e) {
            group.ranks[0].abort(e);
            throw e;
        }
    }

    @Override
    public String description() {
        return group.description;
    }

    @Override
    protected void allReduce(List<Tensor> tensors) {
        meet("all-reduce", tensors);
        issue(
                "ncclAllReduce",
                tensors,
                this::fork,
                (tensor, stream) -> group.nccl.allReduceSum(handle, out(tensor), tensor.elementCount(), stream));
    }

    @Override
    protected void copyFromFirst(List<Tensor> tensors) {
        meet("broadcast", tensors);
        issue(
                "ncclBroadcast",
                tensors,
                () -> backend.compute,
                (tensor, stream) -> group.nccl.broadcast(handle, out(tensor), tensor.byteSize(), stream));
    }

    private interface TensorCall {
        void run(Tensor tensor, Stream stream);
    }

    private void issue(String function, List<Tensor> tensors, Supplier<Stream> streams, TensorCall call) {
        if (tensors.stream().allMatch(tensor -> tensor.elementCount() == 0)) {
            return;
        }
        Stream stream;
        synchronized (lock) {
            checkAlive();
            synchronized (backend.lock) {
                backend.enter();
                stream = streams.get();
                group.nccl.group(() -> {
                    for (Tensor tensor : tensors) {
                        if (tensor.elementCount() > 0) {
                            call.run(tensor, stream);
                        }
                    }
                });
            }
        }
        finish(function, Long.MAX_VALUE);
        backend.launched(function, stream);
    }

    /** Waits until NCCL has put on the stream what it was asked for: what is queued later must come later. */
    private void finish(String function, long endNanos) {
        for (long nap = 1000; ; nap = Math.min(2 * nap, MOST_NAP_NANOS)) {
            synchronized (lock) {
                checkAlive();
                int now = group.nccl.state(handle, state);
                group.nccl.check(function, now);
                if (now == Nccl.SUCCESS) {
                    return;
                }
            }
            if (System.nanoTime() - endNanos > 0 && endNanos != Long.MAX_VALUE) {
                throw new DeviceException(function + ": NCCL does not get ready: rank=" + rank
                        + " (-Dtenon.cuda.collectives=peer does without NCCL)");
            }
            LockSupport.parkNanos(nap);
        }
    }

    /** Under {@link #lock}. */
    private void checkAlive() {
        if (handle == 0) {
            check();
            throw new IllegalStateException("communicator: it has ended without a cause: rank=" + rank);
        }
    }

    /** At all ranks: the devices of those that called wait for the one that did not. */
    @Override
    protected void stop() {
        for (NcclCommunicator each : group.ranks) {
            synchronized (each.lock) {
                long ended = each.handle;
                each.handle = 0;
                group.nccl.abort(ended);
            }
        }
    }

    /** The last one to close ends all of NCCL's communicators, which do that together. */
    @Override
    public void close() {
        end();
        synchronized (group) {
            if (--group.open > 0) {
                return;
            }
        }
        try {
            destroy();
        } catch (RuntimeException e) {
            abort(e);
        }
        for (NcclCommunicator each : group.ranks) {
            each.drain();
            each.closeStream();
        }
    }

    private void destroy() {
        long end = System.nanoTime() + TimeUnit.SECONDS.toNanos(END_SECONDS);
        if (group.ranks[0].handle == 0) {
            return;
        }
        for (NcclCommunicator each : group.ranks) {
            each.finish("ncclCommFinalize", end);
        }
        group.nccl.group(() -> {
            for (NcclCommunicator each : group.ranks) {
                group.nccl.finalize(each.handle);
            }
        });
        for (NcclCommunicator each : group.ranks) {
            each.finish("ncclCommFinalize", end);
        }
        for (NcclCommunicator each : group.ranks) {
            synchronized (each.lock) {
                long ended = each.handle;
                each.handle = 0;
                group.nccl.destroy(ended);
            }
        }
    }
}
