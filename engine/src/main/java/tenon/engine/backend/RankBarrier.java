package tenon.engine.backend;

import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;
import tenon.engine.DeviceException;

/** Where the threads of a group's ranks wait for each other, again and again, until someone ends that. Interruptions are left to the caller. */
public final class RankBarrier {
    private final ReentrantLock lock = new ReentrantLock();
    private final Condition changed = lock.newCondition();
    private final int size;
    private int arrived;
    private long generation;
    private Throwable end;

    public RankBarrier(int size) {
        this.size = size;
    }

    /**
     * Returns when every rank has called.
     *
     * @throws DeviceException when the barrier has ended before
     */
    public void await() {
        lock.lock();
        try {
            check();
            long mine = generation;
            if (++arrived == size) {
                arrived = 0;
                generation++;
                changed.signalAll();
                return;
            }
            while (generation == mine && end == null) {
                changed.awaitUninterruptibly();
            }
            if (generation == mine) {
                check();
            }
        } finally {
            lock.unlock();
        }
    }

    /** @throws DeviceException when the barrier has ended */
    public void check() {
        lock.lock();
        try {
            if (end != null) {
                throw new DeviceException("communicator: the group of devices has ended: " + end.getMessage(), end);
            }
        } finally {
            lock.unlock();
        }
    }

    /** Lets nobody wait any more. Only the first cause counts. */
    public void end(Throwable cause) {
        lock.lock();
        try {
            if (end == null) {
                end = cause;
                changed.signalAll();
            }
        } finally {
            lock.unlock();
        }
    }
}
