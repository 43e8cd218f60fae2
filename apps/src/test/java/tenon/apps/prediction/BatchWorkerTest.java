package tenon.apps.prediction;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import tenon.engine.ClosedException;
import tenon.engine.TenonException;

@Timeout(60)
class BatchWorkerTest {
    /** Of each row of two values: their sum. */
    private static float[] sums(float[] rows) {
        float[] sums = new float[rows.length / 2];
        for (int i = 0; i < sums.length; i++) {
            sums[i] = rows[2 * i] + rows[2 * i + 1];
        }
        return sums;
    }

    @Test
    void everyThreadGetsItsOwnAnswerFromBatchesOfOneSize() throws Exception {
        List<float[]> seen = new ArrayList<>();
        try (BatchWorker worker = new BatchWorker(
                        "test",
                        3,
                        itself -> itself.serve(2, rows -> {
                            seen.add(rows.clone());
                            return sums(rows);
                        }));
                ExecutorService threads = Executors.newVirtualThreadPerTaskExecutor()) {
            List<Future<float[]>> answers = new ArrayList<>();
            for (int i = 0; i < 100; i++) {
                float[] input = {i, 1000};
                answers.add(threads.submit(() -> worker.compute(input)));
            }
            for (int i = 0; i < 100; i++) {
                assertThat(answers.get(i).get()).containsExactly(i + 1000);
            }
        }
        int rows = 0;
        for (float[] batch : seen) {
            assertThat(batch).hasSize(6);
            int used = 0;
            while (used < 3 && batch[2 * used + 1] == 1000) {
                used++;
            }
            // What nobody asked for is zero, not what was asked before.
            for (int i = 2 * used; i < 6; i++) {
                assertThat(batch[i]).isZero();
            }
            rows += used;
        }
        assertThat(rows).isEqualTo(100);
    }

    @Test
    void aFailureReachesThoseWhoAskedAndNobodyElse() {
        try (BatchWorker worker = new BatchWorker(
                "test",
                1,
                itself -> itself.serve(2, rows -> {
                    if (rows[0] < 0) {
                        throw new IllegalArgumentException("negative");
                    }
                    return sums(rows);
                }))) {
            assertThatThrownBy(() -> worker.compute(new float[] {-1, 0}))
                    .isInstanceOf(IllegalArgumentException.class)
                    .hasMessage("negative");
            assertThat(worker.compute(new float[] {1, 2})).containsExactly(3);
        }
    }

    @Test
    void whatSettingUpThrowsReachesTheConstructor() {
        assertThatThrownBy(() -> new BatchWorker("test", 1, _ -> {
                    throw new java.io.IOException("no such network");
                }))
                .isInstanceOf(TenonException.class)
                .hasMessage("test: no such network");
        assertThatThrownBy(() -> new BatchWorker("test", 1, _ -> {}))
                .isInstanceOf(ClosedException.class)
                .hasMessage("test: has ended");
    }

    @Test
    void closingAnswersThoseWhoWaitAndRefusesOthers() throws Exception {
        CountDownLatch computing = new CountDownLatch(1);
        CountDownLatch mayGoOn = new CountDownLatch(1);
        AtomicInteger takenDown = new AtomicInteger();
        BatchWorker worker = new BatchWorker("test", 1, itself -> {
            itself.serve(2, rows -> {
                computing.countDown();
                try {
                    mayGoOn.await();
                } catch (InterruptedException e) {
                    throw new IllegalStateException(e);
                }
                return sums(rows);
            });
            takenDown.incrementAndGet();
        });
        try (ExecutorService threads = Executors.newVirtualThreadPerTaskExecutor()) {
            Future<float[]> first = threads.submit(() -> worker.compute(new float[] {1, 2}));
            computing.await();
            Future<float[]> second = threads.submit(() -> worker.compute(new float[] {3, 4}));
            while (worker.waiting() == 0) {
                Thread.sleep(1);
            }
            Future<?> closing = threads.submit(worker::close);
            Future<?> closingToo = threads.submit(worker::close);
            while (!worker.isClosed()) {
                Thread.sleep(1);
            }
            assertThatThrownBy(() -> worker.compute(new float[] {5, 6}))
                    .isInstanceOf(ClosedException.class)
                    .hasMessage("test: used after it was closed");
            assertThat(closing.isDone()).isFalse();
            mayGoOn.countDown();
            assertThat(first.get()).containsExactly(3);
            assertThat(second.get()).containsExactly(7);
            closing.get(30, TimeUnit.SECONDS);
            closingToo.get(30, TimeUnit.SECONDS);
        }
        assertThat(takenDown).hasValue(1);
        worker.close();
    }

    @Test
    void anInterruptedCallerStopsWaitingAndStaysInterrupted() throws Exception {
        CountDownLatch mayGoOn = new CountDownLatch(1);
        try (BatchWorker worker = new BatchWorker(
                "test",
                1,
                itself -> itself.serve(2, rows -> {
                    try {
                        mayGoOn.await();
                    } catch (InterruptedException e) {
                        throw new IllegalStateException(e);
                    }
                    return sums(rows);
                }))) {
            Thread.currentThread().interrupt();
            assertThatThrownBy(() -> worker.compute(new float[] {1, 2}))
                    .isInstanceOf(TenonException.class)
                    .hasMessage("test: interrupted while waiting for a result");
            assertThat(Thread.interrupted()).isTrue();
            mayGoOn.countDown();
            assertThat(worker.compute(new float[] {1, 2})).containsExactly(3);
        }
    }
}
