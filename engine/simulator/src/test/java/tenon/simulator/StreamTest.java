package tenon.simulator;

import static org.assertj.core.api.Assertions.assertThat;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import org.junit.jupiter.api.AutoClose;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import tenon.simulator.Simulator.Streams;

/** Streams run late and against each other; a program that orders them as it must does not notice, one that does not is found out. */
class StreamTest {
    private static final int NOT_READY = 600;
    private static final int ILLEGAL_STATE = 401;
    private static final int CAPTURE_UNSUPPORTED = 900;
    private static final int CAPTURE_INVALIDATED = 901;
    private static final int CAPTURE_UNJOINED = 904;
    private static final int CAPTURE_ISOLATION = 905;
    private static final int CAPTURE_IMPLICIT = 906;
    private static final int CAPTURED_EVENT = 907;
    private static final int GLOBAL = 0;
    private static final int THREAD_LOCAL = 1;
    private static final int RELAXED = 2;

    @AutoClose
    private final Cuda cuda = Cuda.withContext();

    private void fill(long address, float value, long stream) {
        cuda.check("cuMemsetD32Async", address, Float.floatToIntBits(value), 1L, stream);
    }

    private void copy(long to, long from, long stream) {
        cuda.check("cuMemcpyDtoDAsync_v2", to, from, 4L, stream);
    }

    /** Fills x on one stream and copies it on another one, with or without the event between them. */
    private float twoStreams(boolean ordered, long seed) {
        cuda.simulator.seed(seed);
        long x = cuda.upload(0);
        long y = cuda.upload(0);
        long first = cuda.stream();
        long second = cuda.stream();
        long event = cuda.event();
        fill(x, 1, first);
        if (ordered) {
            cuda.check("cuEventRecord", event, first);
            cuda.check("cuStreamWaitEvent", second, event, 0);
        }
        copy(y, x, second);
        cuda.check("cuStreamSynchronize", second);
        return cuda.download(y, 1)[0];
    }

    @ParameterizedTest
    @EnumSource(Streams.class)
    void orderedStreamsAreRightInEveryOrder(Streams order) {
        cuda.simulator.streams(order);
        for (int seed = 1; seed <= 20; seed++) {
            assertThat(twoStreams(true, seed)).isEqualTo(1);
        }
        assertThat(cuda.simulator.violations()).isEmpty();
    }

    @Test
    void aMissingEventIsFoundOut() {
        cuda.simulator.streams(Streams.LAZY);
        assertThat(twoStreams(false, 1)).isZero();
        cuda.simulator.streams(Streams.RANDOM);
        int wrong = 0;
        for (int seed = 1; seed <= 20; seed++) {
            wrong += twoStreams(false, seed) == 0 ? 1 : 0;
        }
        assertThat(wrong).isBetween(3, 19);
    }

    @Test
    void anEventThatIsRecordedAgainStandsForTheLaterPoint() {
        cuda.simulator.streams(Streams.LAZY);
        long x = cuda.upload(0);
        long y = cuda.upload(0);
        long first = cuda.stream();
        long second = cuda.stream();
        long event = cuda.event();
        cuda.check("cuEventRecord", event, first);
        fill(x, 1, first);
        cuda.check("cuEventRecord", event, first);
        cuda.check("cuStreamWaitEvent", second, event, 0);
        copy(y, x, second);
        cuda.check("cuStreamSynchronize", second);
        assertThat(cuda.download(y, 1)).containsExactly(1);
    }

    @Test
    void pinnedMemoryIsReadWhenTheCopyRuns() {
        cuda.simulator.streams(Streams.LAZY);
        long x = cuda.upload(0);
        long y = cuda.upload(0);
        MemorySegment pinned = cuda.pinned(1);
        MemorySegment pageable = cuda.host(1);
        pinned.set(ValueLayout.JAVA_FLOAT, 0, 1);
        long stream = cuda.stream();
        cuda.check("cuMemcpyHtoDAsync_v2", x, pinned, 4L, stream);
        cuda.check("cuMemcpyHtoDAsync_v2", y, pageable, 4L, stream);
        pinned.set(ValueLayout.JAVA_FLOAT, 0, 2);
        pageable.set(ValueLayout.JAVA_FLOAT, 0, 2);
        assertThat(cuda.download(x, 1)).containsExactly(2);
        assertThat(cuda.download(y, 1)).containsExactly(1);
    }

    @Test
    void copiesToPinnedMemoryArriveLate() {
        cuda.simulator.streams(Streams.LAZY);
        long x = cuda.upload(1);
        long stream = cuda.stream();
        MemorySegment pinned = cuda.pinned(1);
        MemorySegment pageable = cuda.host(0);
        cuda.check("cuMemcpyDtoHAsync_v2", pageable, x, 4L, stream);
        assertThat(pageable.get(ValueLayout.JAVA_FLOAT, 0)).isEqualTo(1);
        cuda.check("cuMemcpyDtoHAsync_v2", pinned, x, 4L, stream);
        assertThat(pinned.get(ValueLayout.JAVA_FLOAT, 0)).isNaN();
        cuda.check("cuStreamSynchronize", stream);
        assertThat(pinned.get(ValueLayout.JAVA_FLOAT, 0)).isEqualTo(1);
    }

    @Test
    void theDefaultStreamWaitsForThoseThatWaitForIt() {
        cuda.simulator.streams(Streams.LAZY);
        long x = cuda.upload(0, 0);
        long blocking = cuda.make("cuStreamCreate", 0);
        long other = cuda.stream();
        fill(x, 1, blocking);
        fill(x + 4, 1, other);
        MemorySegment host = cuda.host(5, 5);
        cuda.check("cuMemcpyDtoH_v2", host, x, 8L);
        assertThat(host.toArray(ValueLayout.JAVA_FLOAT)).containsExactly(1, 0);
        fill(x, 2, 0);
        copy(x + 4, x, blocking);
        cuda.check("cuStreamSynchronize", blocking);
        assertThat(cuda.download(x, 1)).containsExactly(2);
    }

    @Test
    void queriesSeeProgress() {
        cuda.simulator.streams(Streams.LAZY);
        long x = cuda.upload(0);
        long stream = cuda.stream();
        long event = cuda.event();
        fill(x, 1, stream);
        fill(x, 2, stream);
        cuda.check("cuEventRecord", event, stream);
        assertThat(cuda.call("cuEventQuery", event)).isEqualTo(NOT_READY);
        assertThat(cuda.call("cuStreamQuery", stream)).isEqualTo(NOT_READY);
        cuda.call("cuStreamQuery", stream);
        assertThat(cuda.call("cuEventQuery", event)).isEqualTo(Cuda.SUCCESS);
    }

    @Test
    void eventsMeasureTime() {
        long stream = cuda.stream();
        long start = cuda.event();
        long end = cuda.event();
        MemorySegment milliseconds = cuda.arena.allocate(4);
        cuda.check("cuEventRecord", start, stream);
        cuda.check("cuEventRecord", end, stream);
        cuda.check("cuStreamSynchronize", stream);
        cuda.check("cuEventElapsedTime", milliseconds, start, end);
        assertThat(milliseconds.get(ValueLayout.JAVA_FLOAT, 0)).isGreaterThanOrEqualTo(0);
        long untimed = cuda.make("cuEventCreate", 2);
        cuda.check("cuEventRecord", untimed, stream);
        assertThat(cuda.call("cuEventElapsedTime", milliseconds, start, untimed))
                .isEqualTo(400);
    }

    // ---- Capture ----

    private long endCapture(long stream) {
        MemorySegment graph = cuda.arena.allocate(8);
        cuda.check("cuStreamEndCapture", stream, graph);
        return graph.get(ValueLayout.JAVA_LONG, 0);
    }

    @ParameterizedTest
    @EnumSource(Streams.class)
    void aCapturedStepIsReplayed(Streams order) {
        cuda.simulator.streams(order);
        long kernel = cuda.kernel("TENON_KERNEL(add, float *x, float a) { x[threadIdx.x] += a; }", "add");
        long x = cuda.upload(1, 2, 3, 4);
        long y = cuda.upload(0, 0, 0, 0);
        long stream = cuda.stream();
        long side = cuda.stream();
        long fork = cuda.event();
        long join = cuda.event();
        cuda.check("cuStreamBeginCapture_v2", stream, THREAD_LOCAL);
        assertThat(cuda.launch(kernel, 1, 4, stream, x, 1f)).isEqualTo(Cuda.SUCCESS);
        cuda.check("cuEventRecord", fork, stream);
        cuda.check("cuStreamWaitEvent", side, fork, 0);
        cuda.check("cuMemcpyDtoDAsync_v2", y, x, 16L, side);
        cuda.check("cuEventRecord", join, side);
        cuda.check("cuStreamWaitEvent", stream, join, 0);
        assertThat(cuda.launch(kernel, 1, 4, stream, x, 10f)).isEqualTo(Cuda.SUCCESS);
        long graph = endCapture(stream);
        MemorySegment count = cuda.arena.allocate(8);
        cuda.check("cuGraphGetNodes", graph, null, count);
        assertThat(count.get(ValueLayout.JAVA_LONG, 0)).isEqualTo(3);
        long exec = cuda.make("cuGraphInstantiateWithFlags", graph, 0L);
        cuda.check("cuGraphDestroy", graph);
        assertThat(cuda.download(x, 4)).as("nothing runs during the capture").containsExactly(1, 2, 3, 4);

        cuda.check("cuGraphLaunch", exec, stream);
        cuda.check("cuGraphLaunch", exec, stream);
        cuda.check("cuStreamSynchronize", stream);
        assertThat(cuda.download(x, 4)).containsExactly(23, 24, 25, 26);
        assertThat(cuda.download(y, 4)).containsExactly(13, 14, 15, 16);
        cuda.check("cuGraphExecDestroy", exec);
        assertThat(cuda.simulator.violations()).isEmpty();
        assertThat(cuda.simulator.live("graph") + cuda.simulator.live("graphExec"))
                .isZero();
    }

    @Test
    void waitingEndsACapture() {
        long stream = cuda.stream();
        cuda.check("cuStreamBeginCapture_v2", stream, THREAD_LOCAL);
        assertThat(cuda.call("cuStreamSynchronize", stream)).isEqualTo(CAPTURE_UNSUPPORTED);
        MemorySegment graph = cuda.arena.allocate(8);
        assertThat(cuda.call("cuStreamEndCapture", stream, graph)).isEqualTo(CAPTURE_INVALIDATED);
        assertThat(graph.get(ValueLayout.JAVA_LONG, 0)).isZero();
        assertThat(cuda.call("cuStreamEndCapture", stream, graph)).isEqualTo(ILLEGAL_STATE);
        cuda.check("cuStreamBeginCapture_v2", stream, THREAD_LOCAL);
        assertThat(cuda.call("cuCtxSynchronize")).isEqualTo(CAPTURE_UNSUPPORTED);
        assertThat(cuda.call("cuStreamEndCapture", stream, graph)).isEqualTo(CAPTURE_INVALIDATED);
    }

    @Test
    void memoryIsAllocatedInRelaxedCapturesOnly() {
        long stream = cuda.stream();
        MemorySegment place = cuda.arena.allocate(8);
        for (int mode : new int[] {GLOBAL, THREAD_LOCAL}) {
            cuda.check("cuStreamBeginCapture_v2", stream, mode);
            assertThat(cuda.call("cuMemAlloc_v2", place, 4L)).isEqualTo(CAPTURE_UNSUPPORTED);
            assertThat(cuda.call("cuStreamEndCapture", stream, place)).isEqualTo(CAPTURE_INVALIDATED);
        }
        cuda.check("cuStreamBeginCapture_v2", stream, RELAXED);
        cuda.allocate(4);
        cuda.check("cuGraphDestroy", endCapture(stream));
    }

    @Test
    void otherThreadsAreDisturbedByGlobalCapturesOnly() throws InterruptedException {
        long stream = cuda.stream();
        long context = cuda.make("cuCtxGetCurrent");
        int[] status = new int[1];
        for (int mode : new int[] {GLOBAL, THREAD_LOCAL}) {
            cuda.check("cuStreamBeginCapture_v2", stream, mode);
            Thread thread = new Thread(() -> {
                cuda.check("cuCtxSetCurrent", context);
                status[0] = cuda.call("cuMemAlloc_v2", cuda.arena.allocate(8), 4L);
            });
            thread.start();
            thread.join();
            assertThat(status[0]).isEqualTo(mode == GLOBAL ? CAPTURE_UNSUPPORTED : Cuda.SUCCESS);
            MemorySegment graph = cuda.arena.allocate(8);
            if (cuda.call("cuStreamEndCapture", stream, graph) == Cuda.SUCCESS) {
                cuda.check("cuGraphDestroy", graph.get(ValueLayout.JAVA_LONG, 0));
            }
        }
    }

    @Test
    void capturesKeepToThemselves() {
        long stream = cuda.stream();
        long other = cuda.stream();
        long before = cuda.event();
        long inside = cuda.event();
        MemorySegment graph = cuda.arena.allocate(8);
        cuda.check("cuEventRecord", before, other);

        cuda.check("cuStreamBeginCapture_v2", stream, THREAD_LOCAL);
        assertThat(cuda.call("cuStreamWaitEvent", stream, before, 0)).isEqualTo(CAPTURE_ISOLATION);
        assertThat(cuda.call("cuStreamEndCapture", stream, graph)).isEqualTo(CAPTURE_INVALIDATED);

        cuda.check("cuStreamBeginCapture_v2", stream, THREAD_LOCAL);
        cuda.check("cuEventRecord", inside, stream);
        assertThat(cuda.call("cuEventSynchronize", inside)).isEqualTo(CAPTURED_EVENT);
        assertThat(cuda.call("cuStreamEndCapture", stream, graph)).isEqualTo(CAPTURE_INVALIDATED);

        long x = cuda.upload(0);
        cuda.check("cuStreamBeginCapture_v2", stream, THREAD_LOCAL);
        cuda.check("cuEventRecord", inside, stream);
        cuda.check("cuStreamWaitEvent", other, inside, 0);
        fill(x, 1, other);
        assertThat(cuda.call("cuStreamEndCapture", stream, graph)).isEqualTo(CAPTURE_UNJOINED);

        long blocking = cuda.make("cuStreamCreate", 0);
        cuda.check("cuStreamBeginCapture_v2", blocking, RELAXED);
        assertThat(cuda.call("cuMemsetD32Async", x, 0, 1L, 0L)).isEqualTo(CAPTURE_IMPLICIT);
        assertThat(cuda.call("cuStreamEndCapture", blocking, graph)).isEqualTo(CAPTURE_INVALIDATED);
    }

    @Test
    void capturesDoNotCopyPageableMemory() {
        long stream = cuda.stream();
        long x = cuda.upload(0);
        cuda.check("cuStreamBeginCapture_v2", stream, RELAXED);
        assertThat(cuda.call("cuMemcpyHtoDAsync_v2", x, cuda.host(1), 4L, stream))
                .isEqualTo(CAPTURE_UNSUPPORTED);
        assertThat(cuda.call("cuStreamEndCapture", stream, cuda.arena.allocate(8)))
                .isEqualTo(CAPTURE_INVALIDATED);
    }

    @Test
    void aReplayThatUsesFreedMemoryIsFoundOut() {
        long stream = cuda.stream();
        long x = cuda.upload(0);
        cuda.check("cuStreamBeginCapture_v2", stream, RELAXED);
        fill(x, 1, stream);
        long graph = endCapture(stream);
        long exec = cuda.make("cuGraphInstantiateWithFlags", graph, 0L);
        cuda.check("cuGraphDestroy", graph);
        cuda.check("cuMemFree_v2", x);
        cuda.check("cuGraphLaunch", exec, stream);
        assertThat(cuda.call("cuStreamSynchronize", stream)).isEqualTo(700);
        assertThat(cuda.simulator.violations()).singleElement().asString().contains("when it ran", "freed");
    }
}
