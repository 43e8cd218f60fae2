package tenon.apps.data;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import tenon.apps.Cli;
import tenon.apps.TestData;
import tenon.io.record.RecordReader;

class BuildFolderCommandTest {
    @TempDir
    private Path folder;

    @Test
    void leavesOutWhatIsNoPictureAndNamesIt() throws IOException {
        Path pictures = folder.resolve("pictures");
        TestData.pictures(pictures, List.of("a", "b"), 10, 9, 7, 1);
        Path text = Files.writeString(pictures.resolve("a/notes.jpg"), "no picture");
        Cli.Result result = Cli.run(
                "build",
                "folder",
                pictures,
                "--output",
                folder.resolve("out"),
                "--size",
                "8x6x1",
                "--test",
                0.3,
                "--stratified",
                "--json");
        assertThat(result.exitCode()).isZero();
        assertThat(result.errLines()).hasSize(1);
        assertThat(result.err()).startsWith("warning: left out " + text + ": image ");
        assertThat(result.outLines())
                .contains("left out: 1 files, listed in " + folder.resolve("out/train.report.json"));
        assertThat(result.json().get("skipped").asInt()).isEqualTo(1);
        try (RecordReader train = RecordReader.open(folder.resolve("out/train.trec"));
                RecordReader test = RecordReader.open(folder.resolve("out/test.trec"))) {
            assertThat(train.sampleCount() + test.sampleCount()).isEqualTo(20);
            assertThat(List.of(
                            train.schema().height(),
                            train.schema().width(),
                            train.schema().channels()))
                    .containsExactly(8, 6, 1);
        }
    }

    @Test
    void sharesMustLeaveSomething() {
        Cli.Result result = Cli.run("build", "folder", folder, "--output", folder, "--val", 0.5, "--test", 0.5);
        assertThat(result.exitCode()).isEqualTo(2);
        assertThat(result.errLines().getFirst())
                .isEqualTo(
                        "tenon build folder: --val and --test must be at least 0 and add up to less than 1: 0.5, 0.5");
    }
}
