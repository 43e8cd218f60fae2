package tenon.apps.quickstart;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import tenon.apps.cli.BuildBar;
import tenon.apps.cli.Console;
import tenon.io.FashionMnist;
import tenon.io.build.BuildSettings;
import tenon.io.record.RecordException;
import tenon.io.record.RecordReader;

/**
 * Fashion-MNIST as record files, built once per output folder.
 *
 * @param train all training images
 * @param test all test images
 * @param trainCount images in {@code train}
 * @param testCount images in {@code test}
 */
record FashionRecords(Path train, Path test, int trainCount, int testCount) {
    /** Which files the records were built from, so that another {@code --data} builds them anew. */
    private static final String SOURCE = "source.txt";

    /**
     * Finds whole record files in {@code folder}, or builds them.
     *
     * @param idxFolder folder with the four IDX files
     */
    static FashionRecords prepare(Path idxFolder, Path folder, Console console) throws IOException {
        String source = describe(idxFolder);
        Path note = folder.resolve(SOURCE);
        if (Files.exists(note) && Files.readString(note).equals(source)) {
            try {
                FashionRecords records = open(folder);
                console.print("Records: %s (built before)", folder);
                return records;
            } catch (RecordException e) {
                console.warn(e.getMessage() + "; building the records again");
            }
        }
        Files.createDirectories(folder);
        Files.deleteIfExists(note);
        FashionMnist.build(idxFolder, 0, 0, BuildSettings.into(folder).progress(new BuildBar(console)));
        Files.writeString(note, source);
        return open(folder);
    }

    private static FashionRecords open(Path folder) {
        Path train = folder.resolve("train.trec");
        Path test = folder.resolve("test.trec");
        return new FashionRecords(train, test, count(train), count(test));
    }

    private static int count(Path file) {
        try (RecordReader reader = RecordReader.open(file)) {
            return reader.sampleCount();
        }
    }

    private static String describe(Path idxFolder) throws IOException {
        try (Stream<Path> files = Files.list(idxFolder)) {
            return idxFolder.toRealPath() + "\n"
                    + files.filter(file -> file.getFileName().toString().contains("ubyte"))
                            .sorted()
                            .map(file ->
                                    file.getFileName() + " " + file.toFile().length() + " "
                                            + file.toFile().lastModified() + "\n")
                            .collect(Collectors.joining());
        }
    }
}
