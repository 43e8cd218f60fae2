package tenon.apps.training;

import java.nio.file.Path;
import java.util.List;
import tenon.engine.Scope;
import tenon.engine.Shape;
import tenon.engine.TenonException;
import tenon.engine.data.BatchSource;
import tenon.io.augment.RandomErasing;
import tenon.io.data.RecordBatchSource;
import tenon.io.data.SyntheticBatchSource;
import tenon.io.record.ImageEncoding;
import tenon.io.record.RecordSchema;

/**
 * A run's batches, from records or made up, and what became of reading them. Belongs to the scope in which it was opened.
 *
 * @param records the same source where there are records, or else null
 */
record DataFeed(BatchSource source, RecordBatchSource records) implements AutoCloseable {
    /** Pictures to learn from: in another order each epoch, augmented, erased in part, mixed. */
    static DataFeed training(RunConfig config) {
        NetworkSpec input = config.network();
        DataSpec.Part part = config.data().train();
        if (part.isSynthetic()) {
            return synthetic(config, part, config.dropLast());
        }
        RecordBatchSource.Builder source = builder(config, part)
                .shuffle(config.loader().shuffle())
                .seed(config.compute().seed())
                .dropLast(config.dropLast())
                .mixup(config.step().mixup());
        config.augmentation().train(source, input.height(), input.width());
        if (config.step().erasing() > 0) {
            source.augment(new RandomErasing(config.step().erasing()));
        }
        return of(config, part, source.open());
    }

    /** Pictures to judge by, as they are. */
    static DataFeed evaluation(RunConfig config, DataSpec.Part part) {
        NetworkSpec input = config.network();
        return part.isSynthetic()
                ? synthetic(config, part, false)
                : of(
                        config,
                        part,
                        config.augmentation()
                                .evaluate(builder(config, part), input.height(), input.width())
                                .open());
    }

    /** Files may have been built again since the run was begun. */
    private static DataFeed of(RunConfig config, DataSpec.Part part, RecordBatchSource source) {
        List<String> classes = source.schema().classNames();
        try {
            if (!classes.equals(config.data().classNames())) {
                throw new TenonException(part.file() + ": must have the classes that the network was made for: it has "
                        + classes.size() + ", " + shortened(classes) + "; the network has "
                        + config.data().classNames().size() + ", "
                        + shortened(config.data().classNames()));
            }
            checkSize(config, part, source.schema());
        } catch (TenonException e) {
            source.close();
            throw e;
        }
        return new DataFeed(source, source);
    }

    private static void checkSize(RunConfig config, DataSpec.Part part, RecordSchema schema) {
        DataSpec data = config.data();
        if (data.stored() == null) {
            return;
        }
        StoredSize stored = StoredSize.of(schema);
        boolean free = !part.file().equals(data.train().file())
                && (stored == null || config.augmentation().fit() != Fit.SQUASH);
        if (!free && !data.stored().equals(stored)) {
            throw new TenonException(
                    part.file() + ": its pictures must have the size that the run began with: they have "
                            + (stored == null ? "several" : stored) + ", the run began with " + data.stored()
                            + " (build them again in that size, or train anew)");
        }
    }

    static String shortened(List<String> names) {
        return names.size() <= 6 ? names.toString() : names.subList(0, 5) + " and so on";
    }

    private static DataFeed synthetic(RunConfig config, DataSpec.Part part, boolean dropLast) {
        NetworkSpec input = config.network();
        return new DataFeed(
                new SyntheticBatchSource(
                        Scope.current().backend(),
                        part.size(),
                        config.batchSize(),
                        dropLast,
                        Shape.of(input.height(), input.width(), input.channels()),
                        input.classes(),
                        config.compute().seed()),
                null);
    }

    private static RecordBatchSource.Builder builder(RunConfig config, DataSpec.Part part) {
        return config.loader()
                .apply(RecordBatchSource.of(Path.of(part.file())))
                .batchSize(config.batchSize())
                .range(part.from(), part.to())
                .channels(config.network().channels())
                .normalize(config.data().normalization());
    }

    /** How long training has waited for pictures. */
    long waitNanos() {
        return records == null ? 0 : records.waitNanos();
    }

    /** Samples that could not be read. */
    int skipped() {
        return records == null ? 0 : records.skipped().size();
    }

    /** Whether pictures are decoded on the way. */
    boolean isEncoded() {
        return records != null && records.schema().encoding() == ImageEncoding.ENCODED;
    }

    @Override
    public void close() {
        source.close();
    }
}
