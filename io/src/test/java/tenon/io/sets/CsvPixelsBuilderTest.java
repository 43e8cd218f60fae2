package tenon.io.sets;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import tenon.io.build.BuildException;
import tenon.io.build.BuildReport;
import tenon.io.build.BuildSettings;
import tenon.io.record.RecordReader;

class CsvPixelsBuilderTest {
    @TempDir
    private Path folder;

    private Path csv(String text) throws IOException {
        return Files.writeString(folder.resolve("faces.csv"), text);
    }

    private BuildReport build(Path file) {
        return new CsvPixelsBuilder(file).build(BuildSettings.into(folder.resolve("out")));
    }

    private RecordReader open(String split) {
        return RecordReader.open(folder.resolve("out").resolve(split + ".trec"));
    }

    @Test
    void rowsGoWhereTheirUseSays() throws IOException {
        BuildReport report = build(csv("""
            emotion,pixels,Usage
            3,1 2 3 4,Training
            0,5 6 7 8,PublicTest
            6,9 10 11 255,Training
            1,0 0 0 0,PrivateTest
            2,12 13 14 15,PublicTest
            """));
        assertThat(report.parts().stream().map(BuildReport.Part::split)).containsExactly("train", "val", "test");
        assertThat(report.parts().stream().map(BuildReport.Part::sampleCount)).containsExactly(2L, 1L, 2L);
        try (RecordReader train = open("train");
                RecordReader validation = open("val");
                RecordReader test = open("test")) {
            assertThat(List.of(
                            train.schema().height(),
                            train.schema().width(),
                            train.schema().channels()))
                    .containsExactly(2, 2, 1);
            assertThat(train.schema().classNames()).isEqualTo(CsvPixelsBuilder.EMOTIONS);
            assertThat(train.read(0).image()).containsExactly(1, 2, 3, 4);
            assertThat(train.read(1).image()).containsExactly(9, 10, 11, 255);
            assertThat(List.of(train.classIndex(0), train.classIndex(1))).containsExactly(3, 6);
            assertThat(train.key(1)).isEqualTo("2");
            assertThat(validation.classIndex(0)).isEqualTo(1);
            assertThat(test.read(1).image()).containsExactly(12, 13, 14, 15);
        }
    }

    @Test
    void columnsMayBeInAnyOrderAndQuoted() throws IOException {
        build(csv("Usage,emotion,pixels\r\nTraining,4,\"10 20 30 40\"\r\n\r\nTraining,5,\"1 2 3 4\""));
        try (RecordReader train = open("train")) {
            assertThat(train.sampleCount()).isEqualTo(2);
            assertThat(train.read(0).image()).containsExactly(10, 20, 30, 40);
            assertThat(train.read(1).image()).containsExactly(1, 2, 3, 4);
        }
    }

    @Test
    void sixEmotionsAreLeftWhenDisgustIsMerged() throws IOException {
        StringBuilder rows = new StringBuilder("emotion,pixels,Usage\n");
        IntStream.range(0, 7).forEach(label -> rows.append(label).append(",1,Training\n"));
        Path file = csv(rows.toString());
        new CsvPixelsBuilder(file).mergeDisgust(true).build(BuildSettings.into(folder.resolve("out")));
        try (RecordReader train = open("train")) {
            assertThat(IntStream.range(0, 7).map(train::classIndex)).containsExactly(0, 0, 1, 2, 3, 4, 5);
            assertThat(train.schema().classNames())
                    .containsExactly("angry", "scared", "happy", "sad", "surprised", "neutral");
        }
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            quoteCharacter = '`',
            value = {
                "emotion,pixels|line 1: the first line must name the columns emotion, pixels and Usage",
                "a,b,c|line 1: the first line must name the columns emotion, pixels and Usage: found=[a, b, c]",
                "emotion,pixels,Usage|line 2: there are no rows behind the header",
                "emotion,pixels,Usage;0,1 2 3 4|line 2: a row must have three fields separated by commas",
                "emotion,pixels,Usage;0,1,Training,x|line 2: a row must have three fields separated by commas",
                "emotion,pixels,Usage;0,1 2 3 256,Training|line 2: pixels must be whole numbers from 0 to 255",
                "emotion,pixels,Usage;0,1 2  3,Training|separated by single spaces: pixel 2 is not",
                "emotion,pixels,Usage;0,1 -2 3 4,Training|pixel 1 is not",
                "emotion,pixels,Usage;0,1 2 3 4 ,Training|pixel 4 is not",
                "emotion,pixels,Usage;0,,Training|pixel 0 is not",
                "emotion,pixels,Usage;0,99999999999999999999,Training|pixel 0 is not",
                "emotion,pixels,Usage;0,1 2 3 4,Training;0,1 2 3,Training|line 3: every row must have as many pixels as"
                        + " the first: first=4, given=3",
                "emotion,pixels,Usage;x,1,Training|line 2: the emotion must be a whole number of at least 0: 'x'",
                "emotion,pixels,Usage;-1,1,Training|the emotion must be a whole number of at least 0: '-1'",
                "emotion,pixels,Usage;0,1 2 3,Training|pictures must be square: pixels=3",
                "emotion,pixels,Usage;7,1,Training|row 0: the class must lie in [0, 7): given=7",
            })
    void otherTablesAreRefused(String text, String message) throws IOException {
        Path file = csv(text.replace(';', '\n'));
        assertThatThrownBy(() -> build(file))
                .isInstanceOf(BuildException.class)
                .hasMessageStartingWith("csv file " + file)
                .hasMessageContaining(message);
        assertThat(folder.resolve("out/train.trec")).doesNotExist();
    }
}
