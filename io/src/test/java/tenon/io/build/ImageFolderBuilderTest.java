package tenon.io.build;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.awt.image.BufferedImage;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.TreeSet;
import javax.imageio.ImageIO;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import tenon.io.image.Image;
import tenon.io.image.ImageCodec;
import tenon.io.record.ImageEncoding;
import tenon.io.record.RecordReader;

class ImageFolderBuilderTest {
    @TempDir
    Path root;

    private BuildSettings into(String name) {
        return BuildSettings.into(root.resolve(name));
    }

    private Path data() {
        return root.resolve("data");
    }

    /** Images of 6×4 in one colour, which tells class and number. */
    private void images(String className, int classIndex, int count, String extension) throws IOException {
        Path folder = Files.createDirectories(data().resolve(className));
        for (int i = 0; i < count; i++) {
            BufferedImage image = new BufferedImage(6, 4, BufferedImage.TYPE_INT_RGB);
            for (int p = 0; p < 24; p++) {
                image.setRGB(p % 6, p / 6, classIndex << 16 | i << 8 | 7);
            }
            String format = extension.toLowerCase(Locale.ROOT);
            assertThat(ImageIO.write(
                            image,
                            format,
                            folder.resolve("%04d.%s".formatted(i, extension)).toFile()))
                    .isTrue();
        }
    }

    private void threeClasses(int count) throws IOException {
        images("panda", 2, count, "png");
        images("cats", 0, count, "bmp");
        images("dogs", 1, count, "PNG");
    }

    private static List<String> keys(Path file) {
        try (RecordReader reader = RecordReader.open(file)) {
            List<String> keys = new ArrayList<>();
            for (int i = 0; i < reader.sampleCount(); i++) {
                keys.add(reader.key(i));
            }
            return keys;
        }
    }

    @Test
    void rawRecordsHoldEveryImageWithItsFoldersClass() throws IOException {
        threeClasses(20);
        BuildReport report = new ImageFolderBuilder(data())
                .split("test", 0.25)
                .build(into("out").store(ImageStore.raw(4, 6, 3)));
        assertThat(report.skipped()).isEmpty();
        assertThat(report.part("train").sampleCount()).isEqualTo(45);
        assertThat(report.part("test").sampleCount()).isEqualTo(15);
        TreeSet<String> all = new TreeSet<>();
        for (BuildReport.Part part : report.parts()) {
            try (RecordReader reader = RecordReader.open(part.file())) {
                assertThat(reader.schema().classNames()).containsExactly("cats", "dogs", "panda");
                assertThat(reader.schema().split()).isEqualTo(part.split());
                for (int i = 0; i < reader.sampleCount(); i++) {
                    byte[] pixels = reader.read(i).image();
                    assertThat(pixels).hasSize(4 * 6 * 3);
                    assertThat(pixels[0]).isEqualTo((byte) reader.classIndex(i));
                    String number = "%04d".formatted(pixels[1]);
                    assertThat(reader.key(i))
                            .startsWith(reader.schema().classNames().get(pixels[0]) + "/" + number);
                    assertThat(reader.source(i)).endsWith(reader.key(i));
                    assertThat(all.add(reader.key(i))).isTrue();
                }
            }
        }
        assertThat(all).hasSize(60);
    }

    @Test
    void theResultDependsOnTheSeedAndNotOnThreads() throws IOException {
        threeClasses(10);
        for (int threads : new int[] {1, 4}) {
            new ImageFolderBuilder(data())
                    .split("test", 0.2)
                    .build(into("t" + threads).threads(threads));
        }
        for (String name : List.of("train.trec", "test.trec")) {
            assertThat(Files.readAllBytes(root.resolve("t4").resolve(name)))
                    .isEqualTo(Files.readAllBytes(root.resolve("t1").resolve(name)));
        }
        new ImageFolderBuilder(data()).split("test", 0.2).build(into("other").seed(43));
        assertThat(keys(root.resolve("other/train.trec"))).isNotEqualTo(keys(root.resolve("t1/train.trec")));
        assertThat(keys(root.resolve("t1/train.trec")))
                .isNotEqualTo(
                        keys(root.resolve("t1/train.trec")).stream().sorted().toList());
    }

    @Test
    void aQuarterOfThreeThousandIsExactlySevenHundredAndFifty() {
        int[] classes = new int[3000];
        for (int i = 0; i < classes.length; i++) {
            classes[i] = i * 7 % 3;
        }
        for (boolean stratified : new boolean[] {false, true}) {
            int[] splitOf = new Splits("train", Map.of("test", 0.25), stratified).assign(classes, 3);
            int[] perClass = new int[3];
            for (int i = 0; i < splitOf.length; i++) {
                perClass[classes[i]] += splitOf[i];
            }
            assertThat(perClass[0] + perClass[1] + perClass[2]).isEqualTo(750);
            if (stratified) {
                assertThat(perClass).containsExactly(250, 250, 250);
            } else {
                // The last quarter of the shuffled list.
                assertThat(splitOf[2249]).isZero();
                assertThat(splitOf[2250]).isOne();
            }
        }
    }

    /** Dogs and cats: 12,500 of each, of which a tenth validates and a tenth tests. */
    @Test
    void stratifiedSplitsOfTwentyFiveThousandHaveAsManyOfEachClass() {
        int[] classes = new int[25_000];
        for (int i = 0; i < classes.length; i++) {
            classes[i] = i % 2;
        }
        Map<String, Double> shares = new LinkedHashMap<>();
        shares.put("val", 0.1);
        shares.put("test", 0.1);
        int[] splitOf = new Splits("train", shares, true).assign(classes, 2);
        int[][] counts = new int[3][2];
        for (int i = 0; i < splitOf.length; i++) {
            counts[splitOf[i]][classes[i]]++;
        }
        assertThat(counts).isDeepEqualTo(new int[][] {{10_000, 10_000}, {1250, 1250}, {1250, 1250}});
    }

    @Test
    void severalSplitsTakeTheirShares() throws IOException {
        threeClasses(20);
        BuildReport report = new ImageFolderBuilder(data())
                .stratified(true)
                .split("val", 0.1)
                .split("test", 0.2)
                .build(into("out"));
        assertThat(report.parts().stream().map(part -> part.split() + part.sampleCount()))
                .containsExactly("train42", "val6", "test12");
        for (BuildReport.Part part : report.parts()) {
            try (RecordReader reader = RecordReader.open(part.file())) {
                int[] counts = new int[3];
                for (int i = 0; i < reader.sampleCount(); i++) {
                    counts[reader.classIndex(i)]++;
                }
                int each = (int) part.sampleCount() / 3;
                assertThat(counts).containsExactly(each, each, each);
            }
        }
    }

    @Test
    void encodedRecordsKeepTheFilesBytes() throws IOException {
        images("a", 0, 2, "png");
        images("b", 1, 2, "bmp");
        images("c", 2, 2, "jpg");
        BuildReport report = new ImageFolderBuilder(data()).build(into("out"));
        try (RecordReader reader = RecordReader.open(report.part("train").file())) {
            assertThat(reader.schema().encoding()).isEqualTo(ImageEncoding.ENCODED);
            for (int i = 0; i < 6; i++) {
                byte[] stored = reader.read(i).image();
                byte[] file = Files.readAllBytes(data().resolve(reader.key(i)));
                if (reader.key(i).endsWith("bmp")) {
                    Image image = ImageCodec.decode(stored, "stored");
                    assertThat(image.pixels())
                            .isEqualTo(ImageCodec.decode(file, "file").pixels());
                } else {
                    assertThat(stored).isEqualTo(file);
                }
            }
        }
    }

    @Test
    void filesThatAreNoImagesAreLeftOutAndReported() throws IOException {
        threeClasses(4);
        Files.writeString(data().resolve("dogs/broken.jpg"), "not an image");
        Files.writeString(data().resolve("dogs/notes.txt"), "not listed");
        Files.writeString(data().resolve("cats/.hidden.png"), "not listed");
        ImageIO.write(
                new BufferedImage(2, 2, BufferedImage.TYPE_INT_RGB),
                "png",
                data().resolve("stray.png").toFile());
        List<BuildReport.Skipped> told = new ArrayList<>();
        BuildProgress progress = new BuildProgress() {
            @Override
            public void update(String what, long done, long total) {
                assertThat(total).isEqualTo(13);
            }

            @Override
            public void skipped(BuildReport.Skipped sample) {
                told.add(sample);
            }
        };
        BuildReport report = new ImageFolderBuilder(data()).build(into("out").progress(progress));
        assertThat(report.part("train").sampleCount()).isEqualTo(12);
        assertThat(report.skipped()).isEqualTo(told).hasSize(2);
        assertThat(report.skipped().get(0).reason()).isEqualTo("lies in no class folder");
        assertThat(report.skipped().get(1).source())
                .isEqualTo(data().resolve("dogs/broken.jpg").toString());
        assertThat(report.skipped().get(1).reason()).contains("no image file");
    }

    @Test
    void nestedFoldersGiveTheirLastNameAsClass() throws IOException {
        images("train/cats", 0, 2, "png");
        images("more/cats", 0, 3, "png");
        images("more/dogs", 1, 1, "png");
        BuildReport report = new ImageFolderBuilder(data()).build(into("out"));
        try (RecordReader reader = RecordReader.open(report.part("train").file())) {
            assertThat(reader.sampleCount()).isEqualTo(6);
            assertThat(reader.schema().classNames()).containsExactly("cats", "dogs");
        }
    }

    @Test
    void missingFoldersAndImagesAreClearErrors() throws IOException {
        expectRefused("there is no such folder");
        Files.createDirectories(data());
        expectRefused("there are no class folders");
        Files.createDirectories(data().resolve("cats"));
        expectRefused("there are no image files");
        images("dogs", 1, 2, "png");
        expectRefused("class folder 'cats' holds no image files");
        Files.writeString(data().resolve("cats/a.jpg"), "not an image");
        expectRefused("no image of class 'cats' can be decoded");
        images("cats", 0, 2, "png");
        assertThatThrownBy(() -> new ImageFolderBuilder(data())
                        .classes(List.of("cats", "dogs", "panda"))
                        .build(into("out")))
                .isInstanceOf(BuildException.class)
                .hasMessageContaining("[cats, dogs, panda]: found=[cats, dogs]");
        assertThatThrownBy(
                        () -> new ImageFolderBuilder(data()).split("test", 0.01).build(into("out")))
                .isInstanceOf(BuildException.class)
                .hasMessageContaining("'test' would be empty");
        assertThatThrownBy(
                        () -> new ImageFolderBuilder(data()).split("train", 0.5).build(into("out")))
                .isInstanceOf(BuildException.class);
    }

    private void expectRefused(String message) {
        assertThatThrownBy(() -> new ImageFolderBuilder(data()).build(into("out")))
                .isInstanceOf(BuildException.class)
                .hasMessageContaining(data().toString())
                .hasMessageContaining(message);
        assertThat(root.resolve("out/train.trec")).doesNotExist();
    }
}
