package tenon.apps.prediction;

import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.function.UnaryOperator;
import tenon.engine.ClosedException;
import tenon.engine.TenonException;
import tenon.io.data.Threads;

/**
 * One thread that computes what many threads ask for, in the order in which they ask, several requests at a time. All its memory belongs to that thread.
 *
 * <p>A computation always has the same number of rows; rows that nobody asked for are zero. So every request is computed by the same kernels, and what others ask for at
 * the same time changes no bit of its answer.
 */
final class BatchWorker implements AutoCloseable {
    /** What the thread does: it sets up what computes, calls {@link #serve}, and takes it down. */
    @FunctionalInterface
    interface Body {
        void run(BatchWorker worker) throws Exception;
    }

    private record Request(float[] input, CompletableFuture<float[]> output) {}

    private final String name;
    private final int batch;
    private final Thread thread;
    private final CompletableFuture<Void> started = new CompletableFuture<>();
    /** Guards itself and {@link #closed}. */
    private final ArrayDeque<Request> waiting = new ArrayDeque<>();

    private boolean closed;

    /**
     * Returns when the body serves; throws what it threw before.
     *
     * @param name for messages
     * @param batch rows of a computation
     */
    BatchWorker(String name, int batch, Body body) {
        this.name = name;
        this.batch = batch;
        thread = Thread.ofPlatform().daemon().name("tenon-predictor").unstarted(() -> run(body));
        thread.start();
        Futures.await(started, name);
    }

    private void run(Body body) {
        Throwable end = new ClosedException(name + ": has ended");
        try {
            body.run(this);
        } catch (Throwable e) {
            end = e;
        } finally {
            started.completeExceptionally(end);
            refuse(end);
        }
    }

    /** Nobody may wait for a thread that has ended. */
    private void refuse(Throwable reason) {
        synchronized (waiting) {
            closed = true;
            waiting.forEach(request -> request.output().completeExceptionally(reason));
            waiting.clear();
        }
    }

    /**
     * Called by the body: answers requests until the worker is closed.
     *
     * @param rowLength values of a row of input
     * @param computation from the inputs of all rows, one after the other, to their outputs
     */
    void serve(int rowLength, UnaryOperator<float[]> computation) {
        float[] rows = new float[Math.multiplyExact(batch, rowLength)];
        started.complete(null);
        for (List<Request> requests = next(); !requests.isEmpty(); requests = next()) {
            answer(computation, requests, rows, rowLength);
        }
    }

    /** Waits for requests; none are left, and none will come, when there are none. */
    private List<Request> next() {
        synchronized (waiting) {
            while (waiting.isEmpty() && !closed) {
                try {
                    waiting.wait();
                } catch (InterruptedException _) {
                    // Nobody outside knows this thread: only closing ends it.
                    continue;
                }
            }
            List<Request> taken = new ArrayList<>();
            while (taken.size() < batch && !waiting.isEmpty()) {
                taken.add(waiting.remove());
            }
            return taken;
        }
    }

    private void answer(UnaryOperator<float[]> computation, List<Request> requests, float[] rows, int rowLength) {
        try {
            for (int i = 0; i < requests.size(); i++) {
                System.arraycopy(requests.get(i).input(), 0, rows, i * rowLength, rowLength);
            }
            Arrays.fill(rows, requests.size() * rowLength, rows.length, 0f);
            float[] outputs = computation.apply(rows);
            int length = outputs.length / batch;
            for (int i = 0; i < requests.size(); i++) {
                requests.get(i).output().complete(Arrays.copyOfRange(outputs, i * length, (i + 1) * length));
            }
        } catch (RuntimeException | Error e) {
            requests.forEach(request -> request.output().completeExceptionally(e));
        }
    }

    /**
     * Computes one row; may be called by any thread.
     *
     * @throws ClosedException after {@link #close}
     * @throws TenonException when the calling thread is interrupted while it waits
     */
    float[] compute(float[] input) {
        Request request = new Request(input, new CompletableFuture<>());
        synchronized (waiting) {
            if (closed) {
                throw new ClosedException(name + ": used after it was closed");
            }
            waiting.add(request);
            waiting.notifyAll();
        }
        return Futures.await(request.output(), name);
    }

    /** Requests that nothing computes yet. */
    int waiting() {
        synchronized (waiting) {
            return waiting.size();
        }
    }

    boolean isClosed() {
        synchronized (waiting) {
            return closed;
        }
    }

    /** Refuses further requests, answers those that wait, and returns when the memory is free. May be called again, and by several threads. */
    @Override
    public void close() {
        synchronized (waiting) {
            closed = true;
            waiting.notifyAll();
        }
        Threads.join(thread);
    }
}
