package tenon.optim.train;

import java.lang.foreign.ValueLayout;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.List;
import tenon.engine.Scope;
import tenon.engine.ShapeException;
import tenon.engine.Tensor;
import tenon.engine.backend.Staging;
import tenon.optim.metrics.ConfusionMatrix;
import tenon.optim.metrics.Evaluation;
import tenon.optim.metrics.RankCounter;

/** Sums over the batches of an evaluation, in their order. A device that computes on its own is not waited for: a batch's loss and ranks are read while later batches are under way. */
final class EvaluationMeter implements AutoCloseable {
    /** Batches that may be under way before the oldest is waited for. */
    private static final int DEPTH = 3;

    private final RankCounter ranks = new RankCounter();
    private ConfusionMatrix confusion;
    private double lossSum;
    private long samples;
    private final ArrayDeque<Pending> pending = new ArrayDeque<>(DEPTH);
    private final List<Pending> free = new ArrayList<>(DEPTH);

    /** A batch under way. */
    private static final class Pending {
        private final Readback loss;
        private final Readback scores;
        private final Readback truth;
        /** Shapes and dtypes of what comes back; null where there are no classes to count. */
        private RankCounter.Reading reading;

        private int classes;
        private int size;

        Pending(Staging staging) {
            loss = new Readback(staging);
            scores = new Readback(staging);
            truth = new Readback(staging);
        }

        void start(Tensor newLoss, Tensor logits, Tensor target, int newSize) {
            size = newSize;
            loss.start(newLoss);
            try (var _ = Scope.openLocal("ranks")) {
                reading = RankCounter.Reading.of(logits, target);
                if (reading != null) {
                    classes = logits.shape().dim(1);
                    scores.start(reading.scores());
                    truth.start(reading.truth());
                }
            }
        }

        void close() {
            loss.close();
            scores.close();
            truth.close();
        }
    }

    /** Adds a batch; its tensors may be closed after the call. */
    void add(Tensor loss, Tensor logits, Tensor target, int size) {
        Staging staging = loss.backend().staging();
        if (staging == null) {
            addLoss(loss.item(), size);
            if (ranks.add(logits, target)) {
                count(logits.shape().dim(1));
            }
            return;
        }
        if (pending.size() == DEPTH) {
            read(pending.poll());
        }
        Pending next = free.isEmpty() ? new Pending(staging) : free.removeLast();
        pending.add(next);
        next.start(loss, logits, target, size);
    }

    private void read(Pending batch) {
        free.add(batch);
        batch.loss.await();
        addLoss(batch.loss.values().get(ValueLayout.JAVA_FLOAT, 0), batch.size);
        if (batch.reading != null) {
            batch.scores.await();
            batch.truth.await();
            ranks.add(batch.reading, batch.scores.values(), batch.truth.values());
            count(batch.classes);
        }
    }

    private void addLoss(double loss, int size) {
        lossSum += loss * size;
        samples += size;
    }

    /** Counts the rows that {@link #ranks} has seen last. */
    private void count(int classes) {
        if (confusion == null) {
            confusion = new ConfusionMatrix(Math.max(2, classes));
        }
        for (int row = 0; row < ranks.rows(); row++) {
            int truth = ranks.truth(row);
            if (truth < 0 || truth >= confusion.classes()) {
                throw new ShapeException("evaluation: class indices must lie in [0, " + confusion.classes()
                        + "): sample=" + (samples - ranks.rows() + row) + ", index=" + truth);
            }
            confusion.add(truth, ranks.predicted(row));
        }
    }

    /** Waits for all batches. */
    Evaluation result() {
        while (!pending.isEmpty()) {
            read(pending.poll());
        }
        return new Evaluation(
                samples, samples == 0 ? Double.NaN : lossSum / samples, ranks.rank1(), ranks.rank5(), confusion);
    }

    @Override
    public void close() {
        pending.forEach(Pending::close);
        free.forEach(Pending::close);
    }
}
