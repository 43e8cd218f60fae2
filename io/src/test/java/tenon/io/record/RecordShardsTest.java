package tenon.io.record;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class RecordShardsTest {
    private static final List<String> CLASSES = List.of("cats", "dogs", "panda");
    private static final RecordSchema SCHEMA = RecordSchema.rawClasses("train", 1, 2, 1, CLASSES);

    @TempDir
    Path folder;

    private int written;

    /** Sample {@code i} of all has the pixels i, 2·i, class i mod 3 and key {@code k<i>}. */
    private Path write(String name, RecordSchema schema, int count) {
        Path file = folder.resolve(name);
        try (RecordWriter writer = RecordWriter.create(file, schema)) {
            for (int i = 0; i < count; i++, written++) {
                byte[] pixels = {(byte) written, (byte) (2 * written)};
                writer.add(pixels, Label.ofClass(written % 3), "k" + written, "s" + written);
            }
            writer.commit();
        }
        return file;
    }

    private List<Path> writeSet(String split, int... counts) {
        List<Path> files = new ArrayList<>();
        for (int shard = 0; shard < counts.length; shard++) {
            RecordSchema schema = new RecordSchema(
                    ImageEncoding.RAW_U8,
                    1,
                    2,
                    1,
                    LabelKind.CLASS,
                    0,
                    split,
                    shard,
                    counts.length,
                    CLASSES,
                    null,
                    null,
                    0,
                    Map.of("seed", "1"));
            files.add(write(Records.fileName(split, shard, counts.length), schema, counts[shard]));
        }
        return files;
    }

    @Test
    void oneShardStandsForItsWholeSet() {
        List<Path> files = writeSet("train", 2, 0, 3, 1);
        assertThat(files.get(2)).hasFileName("train-00002-of-00004.trec");
        for (List<Path> named : List.of(files, List.of(files.get(2)), List.of(folder), files.reversed())) {
            try (Records records = Records.open(named)) {
                assertThat(records.files()).isEqualTo(files);
                assertThat(records.sampleCount()).isEqualTo(6);
                for (int i = 0; i < 6; i++) {
                    Sample sample = records.read(i);
                    assertThat(sample.image()).containsExactly(i, 2 * i);
                    assertThat(sample.label()).isEqualTo(Label.ofClass(i % 3));
                    assertThat(records.classIndex(i)).isEqualTo(i % 3);
                    assertThat(sample.key()).isEqualTo("k" + i).isEqualTo(records.key(i));
                    assertThat(sample.source()).isEqualTo("s" + i).isEqualTo(records.source(i));
                    assertThat(records.imageBytes(i)).isEqualTo(2);
                }
                assertThat(records.file(3)).isEqualTo(files.get(2));
                assertThat(records.numberInFile(3)).isEqualTo(1);
                assertThat(records.offset(3)).isEqualTo(RecordFormat.PAGE + 2);
                assertThat(records.describe(3))
                        .isEqualTo(
                                "record file " + files.get(2) + ": sample 1 (key 'k3', source 's3', at byte 4098): ");
                assertThatThrownBy(() -> records.read(6)).isInstanceOf(IndexOutOfBoundsException.class);
                assertThatThrownBy(() -> records.key(-1)).isInstanceOf(IndexOutOfBoundsException.class);
            }
        }
    }

    @Test
    void statisticsAreOfAllSamplesTogether() {
        List<Path> files = writeSet("train", 2, 0, 1);
        try (Records records = Records.open(files)) {
            // Pixels 0 0 1 2 2 4: mean 9 / 6, mean square 25 / 6.
            assertThat(records.schema().channelMeans().getFirst()).isCloseTo(1.5, within(1e-12));
            assertThat(records.schema().channelStds().getFirst()).isCloseTo(Math.sqrt(25.0 / 6 - 2.25), within(1e-12));
        }
    }

    private Path stated(String name, long pixels, List<Double> means, List<Double> stds) {
        Path file = folder.resolve(name);
        RecordSchema schema = RecordSchema.encodedClasses("train", CLASSES).withChannelStatistics(means, stds, pixels);
        try (RecordWriter writer = RecordWriter.create(file, schema)) {
            writer.add(new byte[] {(byte) 0xFF, (byte) 0xD8, (byte) 0xFF}, Label.ofClass(0), name, "");
            writer.commit();
        }
        return file;
    }

    @Test
    void filesCountByTheirPixelsOrElseByTheirSamples() {
        Path small = stated("small.trec", 10, List.of(0.0, 40.0, 80.0), List.of(0.0, 0.0, 3.0));
        Path large = stated("large.trec", 30, List.of(100.0, 40.0, 80.0), List.of(0.0, 4.0, 5.0));
        Path grey = stated("grey.trec", 40, List.of(200.0), List.of(1.0));
        Path unknown = stated("unknown.trec", 0, List.of(100.0, 40.0, 80.0), List.of(0.0, 4.0, 5.0));
        Path none = stated("none.trec", 0, List.of(), List.of());
        try (Records records = Records.open(small, large)) {
            assertThat(records.schema().channelMeans()).containsExactly(75.0, 40.0, 80.0);
            // Variances: 0.25·75² + 0.75·25² about the mean; 0.75·16; 0.25·9 + 0.75·25.
            List<Double> stds = records.schema().channelStds();
            assertThat(stds.get(0)).isCloseTo(Math.sqrt(1875), within(1e-12));
            assertThat(stds.get(1)).isCloseTo(Math.sqrt(12), within(1e-12));
            assertThat(stds.get(2)).isCloseTo(Math.sqrt(21), within(1e-12));
            assertThat(records.schema().pixelCount()).isEqualTo(40);
        }
        try (Records records = Records.open(grey, large, small)) {
            assertThat(records.schema().channelMeans()).containsExactly(137.5, 120.0, 140.0);
        }
        try (Records records = Records.open(small, unknown)) {
            assertThat(records.schema().channelMeans()).containsExactly(50.0, 40.0, 80.0);
            assertThat(records.schema().pixelCount()).isZero();
        }
        try (Records records = Records.open(small, none)) {
            assertThat(records.schema().channelMeans()).isEmpty();
        }
    }

    @Test
    void severalSetsAndFilesMakeOne() {
        Path single = write("a.trec", SCHEMA, 2);
        List<Path> set = writeSet("train", 1, 1);
        try (Records records = Records.open(set.get(1), single, set.get(0), single)) {
            assertThat(records.files()).containsExactly(set.get(0), set.get(1), single);
            assertThat(records.read(0).key()).isEqualTo("k2");
            assertThat(records.read(2).key()).isEqualTo("k0");
        }
        try (Records records = Records.open(single)) {
            assertThat(records).isInstanceOf(RecordReader.class);
        }
    }

    @Test
    void anIncompleteSetNamesWhatIsMissing() throws IOException {
        List<Path> files = writeSet("train", 1, 1, 1);
        Files.delete(files.get(0));
        Files.delete(files.get(2));
        assertThatThrownBy(() -> Records.open(files.get(1)))
                .isInstanceOf(RecordException.class)
                .hasMessageContaining("it is shard 1 of 3")
                .hasMessageContaining("[train-00000-of-00003.trec, train-00002-of-00003.trec]");
    }

    @Test
    void filesThatDoNotBelongTogetherAreRefused() throws IOException {
        Path train = write("train.trec", SCHEMA, 1);
        Path other = write("other.trec", RecordSchema.rawClasses("train", 2, 1, 1, CLASSES), 1);
        Path classes = write("classes.trec", RecordSchema.rawClasses("train", 1, 2, 1, List.of("a", "b", "c")), 1);
        assertThatThrownBy(() -> Records.open(train, other))
                .isInstanceOf(RecordException.class)
                .hasMessageContaining(other + ": it does not belong with " + train + ": height 2 against 1");
        assertThatThrownBy(() -> Records.open(train, classes))
                .hasMessageContaining("class names [a, b, c] against [cats, dogs, panda]");
        assertThatThrownBy(() -> Records.open(List.of())).hasMessageContaining("none was named");
        Path empty = Files.createDirectory(folder.resolve("empty"));
        assertThatThrownBy(() -> Records.open(empty)).hasMessageContaining("holds no .trec file");

        Path inner = Files.createDirectory(folder.resolve("inner"));
        Path first = write("inner/x-00000-of-00002.trec", SCHEMA.withShard(0, 2).withBuild(Map.of("seed", "1")), 1);
        write("inner/x-00001-of-00002.trec", SCHEMA.withShard(1, 2).withBuild(Map.of("seed", "2")), 1);
        assertThatThrownBy(() -> Records.open(inner)).hasMessageContaining("build options {seed=2} against {seed=1}");
        write("inner/x-00001-of-00002.trec", SCHEMA.withShard(0, 2).withBuild(Map.of("seed", "1")), 1);
        assertThatThrownBy(() -> Records.open(first)).hasMessageContaining("its header says shard 0 of 2");
        Path renamed = Files.move(first, inner.resolve("y.trec"));
        assertThatThrownBy(() -> Records.open(renamed))
                .hasMessageContaining("must be called NAME-00000-of-00002.trec")
                .hasMessageContaining("was it renamed?");
        try (RecordReader alone = RecordReader.open(renamed)) {
            assertThat(alone.sampleCount()).isEqualTo(1);
        }
    }

    @Test
    void verifyReportsEveryDamagedSampleWithItsNumberInTheSet() throws IOException {
        List<Path> files = writeSet("train", 2, 3);
        for (Path file : files) {
            byte[] bytes = Files.readAllBytes(file);
            bytes[RecordFormat.PAGE + 2] ^= 4;
            Files.write(file, bytes);
        }
        List<Integer> damaged = new ArrayList<>();
        List<Integer> progress = new ArrayList<>();
        try (Records records = Records.open(files)) {
            records.verify(
                    (_, _) -> {},
                    (sample, error) -> {
                        damaged.add(sample);
                        assertThat(error).hasMessageStartingWith(records.describe(sample) + "checksum differs");
                    },
                    progress::add);
            assertThat(damaged).containsExactly(1, 3);
            assertThat(progress).containsExactly(1, 2, 3, 4, 5);
            assertThatThrownBy(records::verify).hasMessageContaining("key 'k1'");
        }
    }
}
