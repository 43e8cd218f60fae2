package tenon.apps.data;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import tenon.apps.Cli;
import tenon.apps.TestData;
import tenon.io.record.RecordReader;

class BuildIdxCommandTest {
    @TempDir
    private Path folder;

    @Test
    void holdsTheLastSamplesOut() throws IOException {
        Path images = folder.resolve("images.gz");
        Path labels = folder.resolve("labels.gz");
        TestData.idx(images, labels, 50, 6, 5, 3, 1);
        Cli.Result result = Cli.run(
                "build",
                "idx",
                images,
                labels,
                "--output",
                folder.resolve("out"),
                "--hold-out",
                10,
                "--classes",
                "a,b,c",
                "--json");
        assertThat(result.err()).isEmpty();
        assertThat(result.exitCode()).isZero();
        assertThat(result.json().get("command").asText()).isEqualTo("build idx");
        assertThat(result.json().get("files").get(1).get("samples").asInt()).isEqualTo(10);
        try (RecordReader train = RecordReader.open(folder.resolve("out/train.trec"));
                RecordReader held = RecordReader.open(folder.resolve("out/val.trec"))) {
            assertThat(train.sampleCount()).isEqualTo(40);
            assertThat(held.key(0)).isEqualTo("40");
            assertThat(train.schema().classNames()).containsExactly("a", "b", "c");
        }
    }

    @Test
    void otherFilesAreRefusedInOneLine() throws IOException {
        Path text = Files.writeString(folder.resolve("notes.txt"), "hello, these are no pictures");
        Cli.Result result = Cli.run("build", "idx", text, text, "--output", folder.resolve("out"));
        assertThat(result.exitCode()).isEqualTo(1);
        assertThat(result.errLines()).hasSize(1);
        assertThat(result.err()).startsWith("tenon build idx: ").contains(text.toString());
        assertThat(folder.resolve("out/train.trec")).doesNotExist();
    }

    @Test
    void missingOptionIsAUsageError() {
        Cli.Result result = Cli.run("build", "idx", "a", "b");
        assertThat(result.exitCode()).isEqualTo(2);
        assertThat(result.errLines().getFirst())
                .isEqualTo("tenon build idx: Missing required option: '--output=DIR|FILE'");
        assertThat(Cli.run("build").errLines().getFirst()).startsWith("tenon build: Say which: ");
    }
}
