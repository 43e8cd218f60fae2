package tenon.io.build;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.attribute.FileTime;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;
import java.util.TreeMap;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import tenon.io.image.Filter;
import tenon.io.image.Image;
import tenon.io.image.ImageCodec;
import tenon.io.record.Label;
import tenon.io.record.LabelKind;
import tenon.io.record.RecordReader;
import tenon.io.record.RecordSchema;
import tenon.io.record.Records;

class ShardedBuildTest {
    private static final int COUNT = 23;

    @TempDir
    Path root;

    private final List<Path> images = new ArrayList<>();

    @BeforeEach
    void drawImages() throws IOException {
        SplittableRandom random = new SplittableRandom(1);
        Path folder = Files.createDirectories(root.resolve("in"));
        for (int i = 0; i < COUNT; i++) {
            byte[] pixels = new byte[8 * 6 * 3];
            random.nextBytes(pixels);
            images.add(Files.write(folder.resolve(i + ".png"), ImageCodec.encodePng(new Image(8, 6, 3, pixels))));
        }
    }

    private List<BuildItem> items() {
        return IntStream.range(0, images.size())
                .mapToObj(i -> BuildItem.ofFile("k" + i, images.get(i), Label.ofClass(i % 3)))
                .toList();
    }

    private ShardedBuild build(BuildSettings settings) {
        return new ShardedBuild("test", settings)
                .labels(LabelKind.CLASS, 0, List.of("a", "b", "c"))
                .split("train", items().subList(0, 17))
                .split("test", items().subList(17, COUNT));
    }

    private BuildSettings into(String name) {
        return BuildSettings.into(root.resolve(name))
                .store(ImageStore.raw(6, 8, 3))
                .threads(2);
    }

    /** Contents of the record files and reports by name. */
    private Map<String, byte[]> files(String name) throws IOException {
        Map<String, byte[]> contents = new TreeMap<>();
        try (Stream<Path> files = Files.list(root.resolve(name))) {
            for (Path file : files.toList()) {
                if (!file.getFileName().toString().equals(BuildLock.FILE_NAME)) {
                    contents.put(file.getFileName().toString(), Files.readAllBytes(file));
                }
            }
        }
        return contents;
    }

    private void assertSameFiles(String name, Map<String, byte[]> expected) throws IOException {
        Map<String, byte[]> found = files(name);
        assertThat(found.keySet()).isEqualTo(expected.keySet());
        expected.forEach((file, bytes) -> assertThat(found.get(file)).as(file).isEqualTo(bytes));
    }

    private Map<String, FileTime> times(String name) throws IOException {
        Map<String, FileTime> times = new TreeMap<>();
        try (Stream<Path> files = Files.list(root.resolve(name))) {
            for (Path file : files.filter(f -> f.toString().endsWith(".trec")).toList()) {
                times.put(file.getFileName().toString(), Files.getLastModifiedTime(file));
            }
        }
        return times;
    }

    /** Makes a later change visible in the files' times. */
    private void age(String name) throws IOException {
        try (Stream<Path> files = Files.list(root.resolve(name))) {
            for (Path file : files.toList()) {
                Files.setLastModifiedTime(file, FileTime.fromMillis(1_000_000));
            }
        }
    }

    @Test
    void filesDoNotDependOnTheNumberOfThreads() throws IOException {
        build(into("one").threads(1).shards(4)).run();
        for (int threads : new int[] {2, 5, 16}) {
            build(into("many" + threads).threads(threads).shards(4)).run();
            assertSameFiles("many" + threads, files("one"));
        }
    }

    private BuildItem picture(String name, int width, int height, int... channels) throws IOException {
        byte[] pixels = new byte[width * height * channels.length];
        for (int i = 0; i < pixels.length; i++) {
            pixels[i] = (byte) channels[i % channels.length];
        }
        Path file = root.resolve(name + ".png");
        Files.write(file, ImageCodec.encodePng(new Image(width, height, channels.length, pixels)));
        return BuildItem.ofFile(name, file, Label.NONE);
    }

    private RecordSchema built(String output, int shards, BuildItem... items) {
        BuildReport report = new ShardedBuild(
                        "test", into(output).store(ImageStore.KEEP).shards(shards))
                .labels(LabelKind.NONE, 0, List.of())
                .split("train", List.of(items))
                .run();
        try (Records records = Records.open(report.part("train").file())) {
            return records.schema();
        }
    }

    @Test
    void headersCarryTheMeansOverAllPixels() throws IOException {
        BuildItem small = picture("small", 1, 2, 13, 20, 30);
        BuildItem large = picture("large", 3, 2, 1, 100, 200);
        BuildItem grey = picture("grey", 4, 2, 50);
        for (int shards = 1; shards <= 2; shards++) {
            RecordSchema schema = built("colours" + shards, shards, small, large);
            // Two pixels beside six.
            double[] means = {(26 + 6) / 8.0, (40 + 600) / 8.0, (60 + 1200) / 8.0};
            double[] squares = {(2 * 169 + 6) / 8.0, (2 * 400 + 6e4) / 8, (2 * 900 + 24e4) / 8};
            for (int c = 0; c < 3; c++) {
                assertThat(schema.channelMeans().get(c)).isCloseTo(means[c], within(1e-9));
                assertThat(schema.channelStds().get(c))
                        .isCloseTo(Math.sqrt(squares[c] - means[c] * means[c]), within(1e-9));
            }
            assertThat(schema.pixelCount()).isEqualTo(8);
            RecordSchema mixed = built("mixed" + shards, shards, small, large, grey);
            for (int c = 0; c < 3; c++) {
                assertThat(mixed.channelMeans().get(c)).isCloseTo((8 * means[c] + 8 * 50) / 16, within(1e-9));
            }
        }
        assertThat(built("grey", 1, grey).channelMeans()).containsExactly(50.0);
        assertThat(built("grey", 1, grey).channelStds()).containsExactly(0.0);
    }

    @Test
    void encodedFilesDoNotDependOnTheNumberOfThreadsEither() throws IOException {
        ImageStore jpeg = new ImageStore(new ResizeRule.Exact(5, 7), Filter.BILINEAR, StoreEncoding.JPEG, 95, 0);
        build(into("one").store(jpeg).threads(1).shards(2)).run();
        build(into("many").store(jpeg).threads(5).shards(2)).run();
        assertSameFiles("many", files("one"));
        try (Records records = Records.open(root.resolve("one/train-00000-of-00002.trec"))) {
            assertThat(records.schema().pixelCount()).isEqualTo(17 * 5 * 7);
        }
    }

    @Test
    void statedStatisticsWin() throws IOException {
        BuildReport report = new ShardedBuild("test", into("out").store(ImageStore.KEEP))
                .labels(LabelKind.NONE, 0, List.of())
                .channelStatistics(List.of(1.0, 2.0, 3.0), List.of(4.0, 5.0, 6.0))
                .split("train", List.of(picture("a", 1, 2, 13, 20, 30)))
                .run();
        try (Records records = Records.open(report.part("train").file())) {
            assertThat(records.schema().channelMeans()).containsExactly(1.0, 2.0, 3.0);
            assertThat(records.schema().channelStds()).containsExactly(4.0, 5.0, 6.0);
        }
    }

    @Test
    void shardsHoldTheItemsInOrder() throws IOException {
        BuildReport report = build(into("out").shards(4)).run();
        assertThat(report.part("train").files()).hasSize(4);
        assertThat(report.part("train").file().getFileName()).hasToString("train-00000-of-00004.trec");
        assertThat(report.sampleCount()).isEqualTo(COUNT);
        try (Records records = Records.open(report.part("train").file())) {
            assertThat(records.sampleCount()).isEqualTo(17);
            assertThat(records.schema().build()).containsEntry("builder", "test");
            for (int i = 0; i < 17; i++) {
                assertThat(records.key(i)).isEqualTo("k" + i);
                assertThat(records.source(i)).isEqualTo(images.get(i).toString());
                assertThat(records.classIndex(i)).isEqualTo(i % 3);
                assertThat(records.read(i).image())
                        .isEqualTo(ImageCodec.read(images.get(i)).pixels());
            }
        }
    }

    @Test
    void theOutputMayBeTheNameOfAFile() throws IOException {
        BuildReport report = new ShardedBuild("test", into("sub/some.trec"))
                .labels(LabelKind.NONE, 0, List.of())
                .split("train", List.of(BuildItem.ofFile("k", images.getFirst(), Label.NONE)))
                .run();
        assertThat(report.part("train").file()).isEqualTo(root.resolve("sub/some.trec"));
        assertThat(files("sub")).containsOnlyKeys("some.trec", "some.report.json");
        assertThatThrownBy(() -> build(into("sub/some.trec")).run())
                .isInstanceOf(BuildException.class)
                .hasMessageContaining("several splits");
    }

    @Test
    void finishedFilesAreKept() throws IOException {
        build(into("out").shards(2)).run();
        Map<String, byte[]> first = files("out");
        age("out");
        Map<String, FileTime> times = times("out");
        List<Path> kept = new ArrayList<>();
        BuildReport again = build(into("out").shards(2).threads(7).progress(new BuildProgress() {
                    @Override
                    public void update(String what, long done, long total) {
                        throw new AssertionError("nothing is to be built");
                    }

                    @Override
                    public void kept(Path file) {
                        kept.add(file);
                    }
                }))
                .run();
        assertThat(kept).hasSize(4);
        assertThat(again.parts()).allMatch(part -> part.kept() == 2);
        assertThat(again.sampleCount()).isEqualTo(COUNT);
        assertThat(times("out")).isEqualTo(times);
        assertSameFiles("out", first);
    }

    @Test
    void changedOptionsBuildEverythingAgain() throws IOException {
        build(into("out").shards(2)).run();
        age("out");
        BuildReport same = build(into("out").shards(2)).run();
        BuildReport resized =
                build(into("out").shards(2).store(ImageStore.raw(5, 8, 3))).run();
        BuildReport option = build(into("out").shards(2).store(ImageStore.raw(5, 8, 3)))
                .option("wind", "west")
                .run();
        assertThat(same.parts()).allMatch(part -> part.kept() == 2);
        assertThat(resized.parts()).allMatch(part -> part.kept() == 0);
        assertThat(option.parts()).allMatch(part -> part.kept() == 0);
        try (Records records = Records.open(option.part("test").file())) {
            assertThat(records.schema().height()).isEqualTo(5);
            assertThat(records.schema().build()).containsEntry("wind", "west");
        }
    }

    @Test
    void aChangedInputBuildsItsFileAgain() throws IOException {
        build(into("out").shards(2)).run();
        Files.copy(images.get(3), images.get(1), StandardCopyOption.REPLACE_EXISTING);
        Files.setLastModifiedTime(images.get(1), FileTime.fromMillis(5_000_000));
        BuildReport report = build(into("out").shards(2)).run();
        assertThat(report.part("train").kept()).isEqualTo(1);
        assertThat(report.part("test").kept()).isEqualTo(2);
        try (Records records = Records.open(report.part("train").file())) {
            assertThat(records.read(1).image()).isEqualTo(records.read(3).image());
        }
        build(into("fresh").shards(2)).run();
        assertSameFiles("out", files("fresh"));
    }

    @Test
    void aChangedContainerBuildsEverythingAgain() throws IOException {
        Path container = Files.writeString(root.resolve("container"), "one");
        build(into("out")).input(container).run();
        assertThat(build(into("out")).input(container).run().parts()).allMatch(part -> part.kept() == 1);
        Files.writeString(container, "three");
        assertThat(build(into("out")).input(container).run().parts()).allMatch(part -> part.kept() == 0);
    }

    @Test
    void aDamagedFileIsBuiltAgain() throws IOException {
        BuildReport report = build(into("out")).run();
        Map<String, byte[]> whole = files("out");
        Path file = report.part("train").file();
        for (int position : new int[] {9, 5000, (int) Files.size(file) - 3}) {
            byte[] bytes = Files.readAllBytes(file);
            bytes[position] ^= 4;
            Files.write(file, bytes);
            List<String> reasons = new ArrayList<>();
            build(into("out").progress(new BuildProgress() {
                        @Override
                        public void update(String what, long done, long total) {
                            assertThat(what).isEqualTo("train");
                        }

                        @Override
                        public void warning(String text) {
                            assertThat(text).contains(file.toString()).endsWith("it is built again");
                            reasons.add(text);
                        }
                    }))
                    .run();
            assertThat(reasons).as("byte " + position).hasSize(1);
            assertSameFiles("out", whole);
        }
    }

    @Test
    void whatIsLeftOutStandsInTheReport() throws IOException {
        Files.writeString(images.get(2), "no image");
        Files.delete(images.get(20));
        for (int run = 0; run < 2; run++) {
            List<BuildReport.Skipped> told = new ArrayList<>();
            BuildReport report = build(into("out").progress(new BuildProgress() {
                        @Override
                        public void update(String what, long done, long total) {}

                        @Override
                        public void skipped(BuildReport.Skipped sample) {
                            told.add(sample);
                        }
                    }))
                    .run();
            assertThat(report.part("train").kept()).isEqualTo(run);
            assertThat(report.part("train").sampleCount()).isEqualTo(16);
            assertThat(report.part("test").sampleCount()).isEqualTo(5);
            assertThat(report.skipped()).isEqualTo(told).hasSize(2);
            JsonNode json = new ObjectMapper()
                    .readTree(root.resolve("out/train.report.json").toFile());
            assertThat(json.get("skippedCount").asInt()).isEqualTo(2);
            assertThat(json.get("skipped").get(0).get("source").asText())
                    .isEqualTo(images.get(2).toString());
            assertThat(json.get("skipped").get(0).get("reason").asText()).contains("no image file");
            assertThat(json.get("skipped").get(1).get("reason").asText()).contains("NoSuchFile");
            assertThat(json.get("splits").get(1).get("samples").asInt()).isEqualTo(5);
            assertThat(json.get("splits").get(1).get("files").get(0).asText()).isEqualTo("test.trec");
        }
    }

    @Test
    void aSplitWithoutImagesIsAnError() throws IOException {
        for (int i = 17; i < COUNT; i++) {
            Files.writeString(images.get(i), "no image");
        }
        assertThatThrownBy(() -> build(into("out").shards(2)).run())
                .isInstanceOf(BuildException.class)
                .hasMessageContaining("no image of split 'test' can be stored")
                .hasMessageContaining(images.get(20).toString());
        assertThat(root.resolve("out/test-00001-of-00002.trec")).doesNotExist();
        assertThatThrownBy(() -> build(into("many").shards(7)).run())
                .isInstanceOf(BuildException.class)
                .hasMessageContaining("images=6, files=7");
    }

    @Test
    void partsTogetherAreTheWhole() throws IOException {
        build(into("whole").shards(5)).run();
        Map<String, byte[]> whole = files("whole");
        whole.keySet().removeIf(name -> name.endsWith(".json"));
        for (int part = 3; part >= 1; part--) {
            BuildReport report =
                    build(into("parts").shards(5).part(new BuildPart(part, 3))).run();
            assertThat(report.part("train").files()).hasSize(part == 1 ? 1 : 2);
        }
        Map<String, byte[]> parts = files("parts");
        assertThat(parts).containsKeys("train.part-1-of-3.report.json", "train.part-3-of-3.report.json");
        parts.keySet().removeIf(name -> name.endsWith(".json"));
        assertThat(parts.keySet()).isEqualTo(whole.keySet());
        whole.forEach((name, bytes) -> assertThat(parts.get(name)).as(name).isEqualTo(bytes));

        BuildReport quarter = build(into("quarters").part(new BuildPart(2, 4))).run();
        assertThat(quarter.part("test").file().getFileName()).hasToString("test-00001-of-00004.trec");
        assertThatThrownBy(() ->
                        build(into("x").shards(2).part(new BuildPart(1, 3))).run())
                .isInstanceOf(BuildException.class)
                .hasMessageContaining("shards=2, parts=3");
        assertThatThrownBy(() -> new BuildPart(4, 3)).isInstanceOf(BuildException.class);
    }

    @Test
    void tooLittleSpaceIsFoundOutBeforeWriting() throws IOException {
        long bytes = 17L * 8 * 6 * 3 + 6 * 8 * 6 * 3;
        assertThatThrownBy(() -> build(into("out")).freeSpace(_ -> bytes).run())
                .isInstanceOf(BuildException.class)
                .hasMessageContaining("too little space in " + root.resolve("out"))
                .hasMessageContaining("for 23 images")
                .hasMessageContaining("free=" + bytes + " bytes");
        assertThat(files("out")).isEmpty();
        build(into("out")).freeSpace(_ -> bytes + (200 << 10)).run();
        // What is finished needs no more space.
        build(into("out")).freeSpace(_ -> 0).run();
    }

    @Test
    void theEstimateOfEncodedImagesIsNearWhatIsWritten() throws IOException {
        ImageStore png = new ImageStore(new ResizeRule.Exact(60, 80), Filter.BILINEAR, StoreEncoding.PNG, 95, 0);
        long[] asked = new long[1];
        assertThatThrownBy(() -> build(into("out").store(png)).freeSpace(_ -> 0).run())
                .satisfies(error -> asked[0] =
                        Long.parseLong(error.getMessage().replaceFirst(".*needed=about ([0-9]+) bytes.*", "$1")));
        build(into("out").store(png)).run();
        long written = files("out").entrySet().stream()
                .filter(entry -> entry.getKey().endsWith(".trec"))
                .mapToLong(entry -> entry.getValue().length)
                .sum();
        assertThat(asked[0]).isBetween(written, written * 3 / 2 + (128 << 10));
    }

    @Test
    void aSecondBuildIntoTheFolderIsRefused() throws IOException {
        List<Throwable> refused = new ArrayList<>();
        build(into("out").stopWhen(() -> {
                    if (refused.isEmpty()) {
                        try {
                            build(into("out")).run();
                        } catch (BuildException e) {
                            refused.add(e);
                        }
                    }
                    return false;
                }))
                .run();
        assertThat(refused).hasSize(1);
        assertThat(refused.getFirst()).hasMessageContaining("another build is writing into " + root.resolve("out"));
        assertThat(build(into("out")).run().part("train").kept()).isEqualTo(1);
    }

    @Test
    void aStoppedBuildKeepsWhatIsFinishedAndGoesOn() throws IOException {
        build(into("whole").shards(3)).run();
        int[] asked = {0};
        assertThatThrownBy(() -> build(into("out").shards(3).stopWhen(() -> ++asked[0] == 14))
                        .run())
                .isInstanceOf(BuildException.class)
                .hasMessageContaining("2 of 6 files are finished");
        assertThat(files("out")).containsOnlyKeys("train-00000-of-00003.trec", "train-00001-of-00003.trec");
        BuildReport report = build(into("out").shards(3)).run();
        assertThat(report.part("train").kept()).isEqualTo(2);
        assertSameFiles("out", files("whole"));
    }

    @Test
    void leftoversOfAKilledBuildAreRemovedAndOthersFilesAreNot() throws IOException {
        Path out = Files.createDirectories(root.resolve("out"));
        Path leftover = Files.writeString(out.resolve(".train.trec.123-abc.tmp"), "half");
        Path other = Files.writeString(out.resolve(".other.trec.123-abc.tmp"), "another build's");
        build(into("out")).run();
        assertThat(leftover).doesNotExist();
        assertThat(other).exists();
    }

    /** Whoever opens the folder would get both sets, and every sample twice. */
    @Test
    void filesOfAnotherNumberOfShardsAreNamed() throws IOException {
        build(into("out")).run();
        List<String> warnings = new ArrayList<>();
        BuildProgress progress = new BuildProgress() {
            @Override
            public void update(String what, long done, long total) {}

            @Override
            public void warning(String text) {
                warnings.add(text);
            }
        };
        build(into("out").shards(2).progress(progress)).run();
        assertThat(warnings).hasSize(2);
        assertThat(warnings.getFirst()).contains("of another build: " + root.resolve("out/test.trec"));
        warnings.clear();
        build(into("parts").part(new BuildPart(1, 2)).progress(progress)).run();
        build(into("parts").part(new BuildPart(2, 2)).progress(progress)).run();
        assertThat(warnings).isEmpty();
    }

    @Test
    void withoutVerificationDamageInTheSamplesGoesUnnoticed() throws IOException {
        BuildReport report = build(into("out").verify(false)).run();
        Path file = report.part("train").file();
        byte[] bytes = Files.readAllBytes(file);
        bytes[5000] ^= 4;
        Files.write(file, bytes);
        assertThat(build(into("out").verify(false)).run().part("train").kept()).isEqualTo(1);
        assertThat(build(into("out")).run().part("train").kept()).isZero();
        try (RecordReader reader = RecordReader.open(file)) {
            reader.verify();
        }
    }

    @Test
    void errorsOfABuilderEndTheBuild() {
        List<BuildItem> items = List.of(new BuildItem(
                "k",
                "s",
                ImageInput.within(1, () -> {
                    throw new BuildException("the container is damaged");
                }),
                Label.NONE));
        assertThatThrownBy(() -> new ShardedBuild("test", into("out"))
                        .labels(LabelKind.NONE, 0, List.of())
                        .split("train", items)
                        .run())
                .isInstanceOf(BuildException.class)
                .hasMessage("the container is damaged");
        assertThat(root.resolve("out/train.trec")).doesNotExist();
    }
}
