package tenon.optim.train;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import tenon.engine.Tensor;
import tenon.engine.backend.Staging;
import tenon.optim.metrics.RankCounter;

/** What a batch showed, its loss and what its ranks are counted from, on the way from a device to the host; used again and again. */
final class BatchReading implements AutoCloseable {
    /** Null where values are read at once. */
    private final Staging staging;

    private final Part loss = new Part();
    private final Part scores = new Part();
    private final Part truth = new Part();
    private RankCounter.Reading ranks;
    private double lossRead;

    /** One tensor's way. */
    private final class Part {
        private Readback readback;
        private MemorySegment read;

        void start(Tensor tensor) {
            if (staging != null) {
                readback = readback == null ? new Readback(staging) : readback;
                readback.start(tensor);
            } else {
                read = read == null || read.byteSize() != tensor.byteSize()
                        ? MemorySegment.ofArray(new int[Math.toIntExact(tensor.elementCount())])
                        : read;
                tensor.download(read);
            }
        }

        MemorySegment await() {
            if (staging == null) {
                return read;
            }
            readback.await();
            return readback.values();
        }

        void close() {
            if (readback != null) {
                readback.close();
            }
        }
    }

    /** @param staging the device's, or null */
    BatchReading(Staging staging) {
        this.staging = staging;
    }

    /** Queues the reading of a batch behind what was asked of the device so far. */
    void start(StepBody.Outcome shown, Tensor target) {
        if (staging == null) {
            lossRead = shown.loss().item();
        } else {
            loss.start(shown.loss());
        }
        ranks = RankCounter.Reading.of(shown.logits(), target);
        if (ranks != null) {
            scores.start(ranks.scores());
            truth.start(ranks.truth());
        }
    }

    /** Waits for the loss. */
    double loss() {
        return staging == null ? lossRead : loss.await().get(ValueLayout.JAVA_FLOAT, 0);
    }

    /** Waits for all, and adds it. */
    void addTo(EpochMeter meter, int batchSize) {
        meter.add(
                ranks, ranks == null ? null : scores.await(), ranks == null ? null : truth.await(), loss(), batchSize);
    }

    @Override
    public void close() {
        loss.close();
        scores.close();
        truth.close();
    }
}
