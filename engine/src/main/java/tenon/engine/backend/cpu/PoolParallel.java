package tenon.engine.backend.cpu;

import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.locks.LockSupport;

/** Runs Java kernels on threads of its own, for platforms whose OpenMP library cannot call Java. */
final class PoolParallel extends Parallel {
    private static final int SPINS = 2000;

    private final Thread[] workers;
    private final AtomicInteger running = new AtomicInteger();
    private volatile int generation;
    private volatile boolean closed;
    private volatile Throwable failure;
    private volatile Thread caller;
    private Part body;
    private int count;

    PoolParallel(int threads) {
        super(threads);
        workers = new Thread[threads - 1];
        for (int i = 0; i < workers.length; i++) {
            int number = i + 1;
            workers[i] =
                    Thread.ofPlatform().daemon().name("tenon-cpu-" + number).unstarted(() -> work(number));
        }
        for (Thread worker : workers) {
            worker.start();
        }
    }

    @Override
    synchronized void runParts(int newCount, Part newBody) {
        if (closed) {
            throw new IllegalStateException("parallel: the pool is closed");
        }
        body = newBody;
        count = newCount;
        caller = Thread.currentThread();
        running.set(workers.length);
        generation++;
        for (Thread worker : workers) {
            LockSupport.unpark(worker);
        }
        runOwn(0);
        for (int spin = 0; running.get() > 0; spin++) {
            if (spin < SPINS) {
                Thread.onSpinWait();
            } else {
                LockSupport.park(this);
            }
        }
        body = null;
        Throwable thrown = failure;
        if (thrown != null) {
            failure = null;
            throw OpenMpParallel.sneak(thrown);
        }
    }

    private void runOwn(int number) {
        try {
            for (int part = number; part < count; part += threads()) {
                body.run(part);
            }
        } catch (Throwable e) {
            failure = e;
        }
    }

    private void work(int number) {
        int seen = 0;
        while (true) {
            for (int spin = 0; generation == seen && !closed; spin++) {
                if (spin < SPINS) {
                    Thread.onSpinWait();
                } else {
                    LockSupport.park(this);
                }
            }
            if (closed) {
                return;
            }
            seen++;
            runOwn(number);
            if (running.decrementAndGet() == 0) {
                LockSupport.unpark(caller);
            }
        }
    }

    @Override
    public void close() {
        closed = true;
        for (Thread worker : workers) {
            LockSupport.unpark(worker);
        }
    }
}
