package tenon.benchmarks.gpu;

import java.util.Collections;
import java.util.IdentityHashMap;
import java.util.Random;
import java.util.Set;
import tenon.engine.DType;
import tenon.engine.Shape;
import tenon.engine.Tensor;
import tenon.engine.data.Batch;
import tenon.engine.data.BatchIterator;
import tenon.engine.data.BatchSource;

/** One batch of noise that lies on the device already, given again and again: training without loading. An epoch has as many as is said before it begins. */
final class ResidentBatches implements BatchSource {
    private final Tensor images;
    private final Tensor labels;
    private final Batch batch;
    /** On other devices, which have got the batch. */
    private final Set<Tensor> sent = Collections.newSetFromMap(new IdentityHashMap<>());

    private int count = 1;

    /** In the current scope. */
    ResidentBatches(Shape input, int classes) {
        int size = input.dim(0);
        images = Tensor.empty(input, DType.F32);
        float[] pixels = new float[Math.toIntExact(input.elementCount())];
        Random random = new Random(1);
        for (int i = 0; i < pixels.length; i++) {
            pixels[i] = 2 * random.nextFloat() - 1;
        }
        images.upload(pixels);
        labels = Tensor.of(random.ints(size, 0, classes).toArray(), size);
        batch = new Batch(images, labels, new long[size]);
    }

    void setCount(int newCount) {
        count = newCount;
    }

    @Override
    public long sampleCount() {
        return (long) count * batchSize();
    }

    @Override
    public int batchSize() {
        return batch.size();
    }

    @Override
    public int batchesPerEpoch() {
        return count;
    }

    @Override
    public Shape sampleShape() {
        Shape shape = images.shape();
        return Shape.of(shape.dim(1), shape.dim(2), shape.dim(3));
    }

    @Override
    public BatchIterator iterate(int epoch, int firstBatch) {
        return new BatchIterator() {
            private int next = firstBatch;

            @Override
            public boolean hasNext() {
                return next < count;
            }

            @Override
            public Batch next() {
                next++;
                return batch;
            }

            /** On each device it lies there already after the first time. */
            @Override
            public void next(Tensor input, Tensor target) {
                next++;
                if (input.backend() == images.backend()) {
                    input.copyFrom(images);
                    target.copyFrom(labels);
                } else if (sent.add(input)) {
                    input.transferFrom(images);
                    target.transferFrom(labels);
                }
            }

            @Override
            public void close() {}
        };
    }

    @Override
    public void close() {
        images.close();
        labels.close();
    }
}
