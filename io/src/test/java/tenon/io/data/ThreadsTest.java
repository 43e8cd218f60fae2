package tenon.io.data;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.concurrent.CountDownLatch;
import org.junit.jupiter.api.Test;

class ThreadsTest {
    @Test
    void anInterruptionNeitherEndsTheWaitingNorIsLost() {
        CountDownLatch end = new CountDownLatch(1);
        Thread worker = Thread.ofPlatform().start(() -> {
            try {
                end.await();
            } catch (InterruptedException _) {
                // Ends as well.
            }
        });
        Thread waiter = Thread.currentThread();
        Thread.ofPlatform().start(() -> {
            while (waiter.isInterrupted() || waiter.getState() != Thread.State.WAITING) {
                Thread.onSpinWait();
            }
            end.countDown();
        });
        waiter.interrupt();
        Threads.join(worker);
        assertThat(worker.isAlive()).isFalse();
        assertThat(Thread.interrupted()).isTrue();
    }
}
