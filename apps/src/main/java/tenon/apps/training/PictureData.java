package tenon.apps.training;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import tenon.apps.cli.BuildBar;
import tenon.apps.cli.Console;
import tenon.apps.cli.ImageSize;
import tenon.io.build.BuildSettings;
import tenon.io.build.ImageFolderBuilder;
import tenon.io.record.Records;

/** Labelled pictures that a command was given, as records: a record file, or a folder of class folders, which is built into a temporary file. */
public final class PictureData implements AutoCloseable {
    private final Records records;
    private final Path temporary;

    private PictureData(Records records, Path temporary) {
        this.records = records;
        this.temporary = temporary;
    }

    /** @param classifier whose input decides how a folder's pictures are stored; the folder's own classes are taken */
    public static PictureData open(Path data, Classifier classifier, Console console) throws IOException {
        if (!Files.isDirectory(data)) {
            return new PictureData(Records.open(data), null);
        }
        Path folder = Files.createTempDirectory("tenon-pictures");
        try {
            NetworkSpec spec = classifier.spec();
            new ImageFolderBuilder(data)
                    .rest("data")
                    .build(BuildSettings.into(folder)
                            .store(classifier
                                    .augmentation()
                                    .fit()
                                    .imageStore(new ImageSize(spec.height(), spec.width(), spec.channels())))
                            .progress(new BuildBar(console)));
            return new PictureData(Records.open(folder.resolve("data.trec")), folder);
        } catch (RuntimeException e) {
            RunFolder.deleteTree(folder);
            throw e;
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
