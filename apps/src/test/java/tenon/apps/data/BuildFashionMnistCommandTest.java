package tenon.apps.data;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashSet;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import tenon.apps.Cli;
import tenon.apps.TestData;
import tenon.io.FashionMnist;
import tenon.io.build.BuildReport;
import tenon.io.build.BuildSettings;
import tenon.io.record.RecordReader;

class BuildFashionMnistCommandTest {
    @TempDir
    private Path folder;

    private static Set<String> keys(RecordReader reader) {
        Set<String> keys = new HashSet<>();
        for (int i = 0; i < reader.sampleCount(); i++) {
            keys.add(reader.key(i));
        }
        return keys;
    }

    @Test
    void drawsTheHeldOutPicturesFromTheTrainingPictures() throws IOException {
        Path idx = Files.createDirectory(folder.resolve("idx"));
        TestData.idx(
                idx.resolve("train-images-idx3-ubyte.gz"),
                idx.resolve("train-labels-idx1-ubyte.gz"),
                50,
                28,
                28,
                10,
                1);
        TestData.idx(
                idx.resolve("t10k-images-idx3-ubyte.gz"), idx.resolve("t10k-labels-idx1-ubyte.gz"), 20, 28, 28, 10, 2);
        Path out = folder.resolve("out");
        BuildReport report = FashionMnist.build(idx, 10, 42, BuildSettings.into(out));
        assertThat(report.parts()).extracting(BuildReport.Part::split).containsExactly("train", "val", "test");
        try (RecordReader train = RecordReader.open(out.resolve("train.trec"));
                RecordReader val = RecordReader.open(out.resolve("val.trec"));
                RecordReader test = RecordReader.open(out.resolve("test.trec"))) {
            assertThat(train.schema().classNames()).isEqualTo(FashionMnist.CLASS_NAMES);
            assertThat(keys(train)).hasSize(40).doesNotContainAnyElementsOf(keys(val));
            assertThat(keys(val)).hasSize(10);
            assertThat(test.sampleCount()).isEqualTo(20);
        }
    }

    @Test
    void otherFilesThanFashionMnistAreRefused() throws IOException {
        Path out = folder.resolve("out");
        Cli.Result result = Cli.run("build", "fashion-mnist", "--data", folder, "--out", out);
        assertThat(result.exitCode()).isEqualTo(1);
        assertThat(result.err())
                .startsWith("tenon build fashion-mnist: ")
                .contains("there is no file " + folder.resolve("t"))
                .contains("apt-get install dataset-fashion-mnist");
        assertThat(out).doesNotExist();
    }

    @Test
    void somethingMustBeLeftToTrainOn() {
        Cli.Result result = Cli.run("build", "fashion-mnist", "--val", 60_000, "--out", folder);
        assertThat(result.exitCode()).isEqualTo(2);
        assertThat(result.errLines().getFirst())
                .isEqualTo("tenon build fashion-mnist: --val must lie in [0, 59999]: 60000");
    }
}
