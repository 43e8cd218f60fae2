package tenon.benchmarks.loader;

import tenon.engine.DType;
import tenon.engine.backend.Backend;
import tenon.engine.data.BatchIterator;
import tenon.io.augment.HorizontalFlip;
import tenon.io.augment.RandomCrop;
import tenon.io.data.RecordBatchSource;
import tenon.io.jpeg.JpegLibrary;

/** Tenon's loader, as training uses it, with a training thread that only takes the batches. */
final class TenonSide implements Side {
    private static final int BATCH = 64;

    private final RecordBatchSource source;
    private int epoch;
    private BatchIterator batches;

    TenonSide(Task task, Backend backend, int threads, JpegLibrary library, DType dtype) {
        source = RecordBatchSource.of(task.records())
                .backend(backend)
                .batchSize(Math.min(BATCH, task.records().sampleCount()))
                .dropLast(true)
                .shuffle(true)
                .seed(1)
                .channels(3)
                .augment(new RandomCrop(task.crop(), task.crop(), 0))
                .augment(new HorizontalFlip())
                .normalize(task.normalization())
                .dtype(dtype)
                .decoder(library)
                .threads(threads)
                .open();
    }

    @Override
    public double imagesPerSecond(double seconds) {
        // What was loaded ahead of the clock must not count: the epoch begins here.
        end();
        long images = 0;
        long start = System.nanoTime();
        long now = start;
        while (now - start < seconds * 1e9) {
            if (batches == null || !batches.hasNext()) {
                end();
                batches = source.iterate(epoch++, 0);
            }
            images += batches.next().size();
            now = System.nanoTime();
        }
        end();
        return images / ((now - start) * 1e-9);
    }

    private void end() {
        if (batches != null) {
            batches.close();
            batches = null;
        }
    }

    @Override
    public void close() {
        end();
        source.close();
    }
}
