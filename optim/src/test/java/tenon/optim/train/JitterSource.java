package tenon.optim.train;

import tenon.engine.Rng;
import tenon.engine.Shape;
import tenon.engine.Tensor;
import tenon.engine.data.Batch;
import tenon.engine.data.BatchIterator;
import tenon.engine.data.BatchSource;

/**
 * Three classes of made-up 4×4×2 images: a class pattern plus noise of the sample's own, and, if augmented, noise of the epoch's; shuffled every epoch.
 */
final class JitterSource implements BatchSource {
    private static final Shape SAMPLE = Shape.of(4, 4, 2);
    private static final int VALUES = 32;
    static final int CLASSES = 3;

    private final int samples;
    private final int batchSize;
    private final long seed;
    private final boolean augmented;

    JitterSource(int samples, int batchSize, long seed, boolean augmented) {
        this.samples = samples;
        this.batchSize = batchSize;
        this.seed = seed;
        this.augmented = augmented;
    }

    @Override
    public long sampleCount() {
        return samples;
    }

    @Override
    public int batchSize() {
        return batchSize;
    }

    @Override
    public int batchesPerEpoch() {
        return (samples + batchSize - 1) / batchSize;
    }

    @Override
    public Shape sampleShape() {
        return SAMPLE;
    }

    @Override
    public BatchIterator iterate(int epoch, int firstBatch) {
        int[] order = new int[samples];
        for (int i = 0; i < samples; i++) {
            order[i] = i;
        }
        if (augmented) {
            new Rng(seed, Rng.stream("shuffle"), epoch).shuffle(order);
        }
        Rng own = new Rng(seed, Rng.stream("sample"), 0);
        Rng jitter = new Rng(seed, Rng.stream("jitter"), epoch);
        return new BatchIterator() {
            private int batch = firstBatch;
            private Batch current;

            @Override
            public boolean hasNext() {
                return batch < batchesPerEpoch();
            }

            @Override
            public Batch next() {
                close();
                int first = batch * batchSize;
                int count = Math.min(batchSize, samples - first);
                float[] values = new float[count * VALUES];
                int[] labels = new int[count];
                long[] keys = new long[count];
                for (int i = 0; i < count; i++) {
                    int sample = order[first + i];
                    keys[i] = sample;
                    labels[i] = sample % CLASSES;
                    for (int j = 0; j < VALUES; j++) {
                        long index = (long) sample * VALUES + j;
                        double pattern = Math.sin(j * (labels[i] + 1));
                        double noise = 2 * own.gaussian(index) + (augmented ? 0.5 * jitter.gaussian(index) : 0);
                        values[i * VALUES + j] = (float) (pattern + noise);
                    }
                }
                batch++;
                current = new Batch(Tensor.of(values, count, 4, 4, 2), Tensor.of(labels, count), keys);
                return current;
            }

            @Override
            public void close() {
                if (current != null) {
                    current.input().close();
                    current.target().close();
                }
            }
        };
    }

    @Override
    public void close() {}
}
