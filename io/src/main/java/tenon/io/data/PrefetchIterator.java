package tenon.io.data;

import java.util.NoSuchElementException;
import java.util.function.BooleanSupplier;
import tenon.engine.ClosedException;
import tenon.engine.Tensor;
import tenon.engine.data.Batch;
import tenon.engine.data.BatchIterator;

/**
 * Fills batches ahead of the training thread. Batch b always goes to slot b mod ring, each batch is filled by one worker, and a worker begins a
 * batch only when its slot's previous batch has been given back; so contents do not depend on the number of threads.
 */
final class PrefetchIterator implements BatchIterator {
    /** Fills a batch into a slot on worker thread {@code worker}; may give up once {@code cancelled} is true. */
    interface Filler {
        void fill(int worker, int batch, int slot, BooleanSupplier cancelled);
    }

    /** Makes the filled slot a batch, on the training thread. */
    interface Publisher {
        Batch publish(int batch, int slot);

        /** In tensors of somebody else. */
        void publish(int batch, int slot, Tensor input, Tensor target);
    }

    private final int batchCount;
    private final int ring;
    private final Filler filler;
    private final Publisher publisher;
    private final Runnable onClose;
    private final Thread[] workers;
    private final boolean[] ready;
    private final Throwable[] failures;
    private final BooleanSupplier cancelled = () -> this.closed;
    private int claimed;
    private int released;
    private int current;
    private long waitNanos;
    private volatile boolean closed;

    PrefetchIterator(
            int firstBatch,
            int batchCount,
            int ring,
            int threads,
            Filler filler,
            Publisher publisher,
            Runnable onClose) {
        this.batchCount = batchCount;
        this.ring = ring;
        this.filler = filler;
        this.publisher = publisher;
        this.onClose = onClose;
        ready = new boolean[ring];
        failures = new Throwable[ring];
        claimed = firstBatch;
        released = firstBatch;
        current = firstBatch;
        workers = new Thread[Math.min(threads, batchCount - firstBatch)];
        for (int i = 0; i < workers.length; i++) {
            int worker = i;
            workers[i] = Thread.ofPlatform().daemon().name("tenon-data-" + i).start(() -> work(worker));
        }
    }

    private void work(int worker) {
        int batch;
        while ((batch = claim()) >= 0) {
            int slot = batch % ring;
            Throwable failure = null;
            try {
                filler.fill(worker, batch, slot, cancelled);
            } catch (Throwable e) {
                failure = e;
            }
            synchronized (this) {
                failures[slot] = failure;
                ready[slot] = true;
                notifyAll();
            }
        }
    }

    /** The next batch to fill, once its slot is free; −1 at the end. */
    private synchronized int claim() {
        while (!closed && claimed < batchCount && claimed - released >= ring) {
            try {
                wait();
            } catch (InterruptedException _) {
                return -1;
            }
        }
        return closed || claimed >= batchCount ? -1 : claimed++;
    }

    @Override
    public boolean hasNext() {
        return !closed && current < batchCount;
    }

    @Override
    public Batch next() {
        int slot = await();
        return publisher.publish(current++, slot);
    }

    @Override
    public void next(Tensor input, Tensor target) {
        int slot = await();
        publisher.publish(current++, slot, input, target);
    }

    /** The current batch's slot, once it is filled; gives the one before back. */
    private int await() {
        int slot = current % ring;
        synchronized (this) {
            released = current;
            notifyAll();
            if (!closed && current >= batchCount) {
                throw new NoSuchElementException(
                        "batch iterator: the epoch has " + batchCount + " batches and all were handed out");
            }
            long began = ready[slot] ? 0 : System.nanoTime();
            while (!closed && !ready[slot]) {
                try {
                    wait();
                } catch (InterruptedException _) {
                    Thread.currentThread().interrupt();
                    throw new ClosedException(
                            "batch iterator: the training thread was interrupted while it waited for batch " + current);
                }
            }
            waitNanos += began == 0 ? 0 : System.nanoTime() - began;
            if (closed) {
                throw new ClosedException("batch iterator: used after it was closed");
            }
            if (failures[slot] instanceof RuntimeException e) {
                throw e;
            }
            if (failures[slot] instanceof Error e) {
                throw e;
            }
            ready[slot] = false;
        }
        return slot;
    }

    /** How long {@link #next} has waited for workers, all calls together; read on the thread that calls it. */
    long waitNanos() {
        return waitNanos;
    }

    /** Stops the threads and waits for them: afterwards nobody writes to the slots. */
    @Override
    public void close() {
        if (closed) {
            return;
        }
        synchronized (this) {
            closed = true;
            notifyAll();
        }
        Threads.join(workers);
        onClose.run();
    }
}
