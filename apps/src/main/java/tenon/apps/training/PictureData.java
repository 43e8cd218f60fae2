package tenon.apps.training;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import tenon.apps.cli.BuildBar;
import tenon.apps.cli.Console;
import tenon.io.build.BuildSettings;
import tenon.io.build.ImageFolderBuilder;
import tenon.io.build.ImageStore;
import tenon.io.data.RecordBatchSource;
import tenon.io.record.Records;

/** Labelled pictures that a command was given, as records: a record file, or a folder of class folders, which is built into a temporary file. */
public final class PictureData implements AutoCloseable {
    private final Path data;
    private final Records records;
    private final Path temporary;

    private PictureData(Path data, Records records, Path temporary) {
        this.data = data;
        this.records = records;
        this.temporary = temporary;
    }

    /** Pictures of any classes: a folder's own are taken. */
    public static PictureData open(Path data, Classifier classifier, Console console) throws IOException {
        return open(data, classifier, List.of(), console);
    }

    /**
     * @param classifier whose input decides how a folder's pictures are stored
     * @param classNames that a folder's classes must be among, and their order; empty for the folder's own
     */
    static PictureData open(Path data, Classifier classifier, List<String> classNames, Console console)
            throws IOException {
        return open(data, classifier, classNames, false, console);
    }

    /** @param whole whether a folder's pictures are taken in the size they have, not as the classifier's preset stores them */
    static PictureData open(Path data, Classifier classifier, List<String> classNames, boolean whole, Console console)
            throws IOException {
        if (!Files.isDirectory(data)) {
            return new PictureData(data, Records.open(data), null);
        }
        Path folder = Files.createTempDirectory("tenon-pictures");
        try {
            ImageFolderBuilder builder = new ImageFolderBuilder(data).rest("data");
            (classNames.isEmpty() ? builder : builder.classes(classNames))
                    .build(BuildSettings.into(folder)
                            .store(
                                    whole
                                            ? ImageStore.KEEP
                                            : classifier
                                                    .augmentation()
                                                    .fit()
                                                    .imageStore(
                                                            classifier.spec().picture()))
                            .progress(new BuildBar(console)));
            return new PictureData(data, Records.open(folder.resolve("data.trec")), folder);
        } catch (RuntimeException e) {
            RunFolder.deleteTree(folder);
            throw e;
        }
    }

    /** Batches, in file order, in the view that evaluation takes. */
    public RecordBatchSource views(Classifier classifier, int batchSize) {
        return views(classifier, Views.ONE, batchSize);
    }

    /** Batches, in file order, of several views a picture. */
    RecordBatchSource views(Classifier classifier, Views views, int batchSize) {
        NetworkSpec spec = classifier.spec();
        RecordBatchSource.Builder stored = RecordBatchSource.of(records)
                .batchSize(batchSize)
                .channels(spec.channels())
                .normalize(classifier.normalization());
        return views.apply(stored, classifier.augmentation(), spec).open();
    }

    /**
     * Warns of records whose pictures are squashed otherwise than those of training were. A folder's are stored as the network wants them.
     *
     * @param trained what the network was read from
     */
    public void warnIfSquashed(Classifier classifier, Path trained, Console console) throws IOException {
        if (temporary != null) {
            return;
        }
        String squashed = StoredSize.squashed(
                data.toString(),
                records.schema(),
                classifier.augmentation(),
                classifier.spec(),
                SavedModel.trainedOn(trained));
        if (squashed != null) {
            console.warn(squashed);
        }
    }

    public Records records() {
        return records;
    }

    @Override
    public void close() throws IOException {
        records.close();
        if (temporary != null) {
            RunFolder.deleteTree(temporary);
        }
    }
}
