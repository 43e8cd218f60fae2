package tenon.io.sets;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.EnumSet;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import tenon.io.build.BuildException;
import tenon.io.build.BuildSettings;
import tenon.io.image.Image;
import tenon.io.image.ImageCodec;
import tenon.io.record.RecordReader;
import tenon.io.record.Sample;
import tenon.io.synth.SyntheticSet;

/** The facts that the original pipeline's description gives, on a drawn set of 4 classes. */
class ImageNetBuilderTest {
    private static final int CLASSES = 4;
    private static final int PER_CLASS = 15;
    private static final int TEST = 10;

    @TempDir
    private static Path folder;

    private static Path base;

    @TempDir
    private Path own;

    @BeforeAll
    static void draw() {
        base = folder.resolve("ILSVRC2015");
        new SyntheticSet()
                .classes(CLASSES)
                .perClass(PER_CLASS)
                .validationPerClass(3)
                .size(50, 37)
                .mixedSizes(true)
                .write(SyntheticSet.Layout.IMAGENET, base);
    }

    private static ImageNetBuilder builder(Path output) {
        return new ImageNetBuilder(new ImageNetConfig(base, output)).testImages(TEST);
    }

    private static ImageNetBuilder.Result lists(Path output, long seed) {
        return builder(output)
                .steps(EnumSet.of(ImageNetBuilder.Step.LISTS))
                .build(BuildSettings.into(output).seed(seed));
    }

    private static List<String[]> list(Path output, String split) throws IOException {
        return Files.readAllLines(output.resolve("lists").resolve(split + ".lst")).stream()
                .map(line -> line.split("\t"))
                .toList();
    }

    private static List<String> paths(List<String[]> list) {
        return list.stream().map(fields -> fields[2]).toList();
    }

    @Test
    void trainAndTestAreThePartsOfTheTrainingSet() throws IOException {
        assertThat(lists(own, 42).counts()).containsExactly(CLASSES * PER_CLASS - TEST, CLASSES * 3 - 1, TEST);
        List<String[]> train = list(own, "train");
        List<String[]> test = list(own, "test");
        assertThat(train).hasSize(50);
        assertThat(test).hasSize(10);
        Set<String> union = new HashSet<>(paths(train));
        union.addAll(paths(test));
        Set<String> official = new HashSet<>();
        Map<String, Integer> labels = new HashMap<>();
        for (ImageNetIndex.Entry entry : new ImageNetIndex(new ImageNetConfig(base, own)).trainingSet()) {
            official.add(entry.path());
            labels.put(entry.path(), entry.label());
        }
        assertThat(union).isEqualTo(official).hasSize(60);

        Map<String, Integer> perClass = new TreeMap<>();
        for (List<String[]> list : List.of(train, test)) {
            for (int i = 0; i < list.size(); i++) {
                assertThat(list.get(i)).hasSize(3);
                assertThat(list.get(i)[0]).isEqualTo(Integer.toString(i));
                assertThat(list.get(i)[1]).isEqualTo(Integer.toString(labels.get(list.get(i)[2])));
            }
        }
        test.forEach(fields -> perClass.merge(fields[1], 1, Integer::sum));
        // 10 of 4 equal classes: two or three each.
        assertThat(perClass)
                .hasSize(4)
                .allSatisfy((_, count) -> assertThat(count).isBetween(2, 3));

        List<String> order = paths(train);
        assertThat(order).isNotEqualTo(order.stream().sorted().toList());
        List<String> validation = paths(list(own, "val"));
        assertThat(validation).isEqualTo(validation.stream().sorted().toList());
    }

    @Test
    void theSeedDecidesTheSplit() throws IOException {
        lists(own.resolve("a"), 42);
        lists(own.resolve("b"), 42);
        lists(own.resolve("c"), 43);
        for (String split : ImageNetBuilder.SPLITS) {
            assertThat(own.resolve("b/lists/" + split + ".lst"))
                    .hasSameTextualContentAs(own.resolve("a/lists/" + split + ".lst"));
        }
        assertThat(paths(list(own.resolve("c"), "test"))).isNotEqualTo(paths(list(own.resolve("a"), "test")));
    }

    @Test
    void fiftyPerClassAreDrawnUnlessSaidOtherwise() {
        ImageNetConfig config = new ImageNetConfig(base, own);
        assertThatThrownBy(() -> new ImageNetBuilder(config).build(BuildSettings.into(own)))
                .isInstanceOf(BuildException.class)
                .hasMessageContaining("must list more images than are drawn for testing: listed=60, drawn=200");
    }

    @Test
    void meansAreThoseOfTheTrainingListAlone() throws IOException {
        lists(own, 42);
        double[] sums = new double[3];
        List<String> train = paths(list(own, "train"));
        for (String path : train) {
            Image image = ImageCodec.read(Path.of(path));
            for (int c = 0; c < 3; c++) {
                long sum = 0;
                for (int y = 0; y < image.height(); y++) {
                    for (int x = 0; x < image.width(); x++) {
                        sum += image.value(x, y, c);
                    }
                }
                sums[c] += (double) sum / (image.width() * image.height()) / train.size();
            }
        }
        Rgb means = builder(own)
                .steps(EnumSet.of(ImageNetBuilder.Step.MEANS))
                .build(BuildSettings.into(own).threads(2))
                .means();
        assertThat(means.red()).isCloseTo(sums[0], within(1e-9));
        assertThat(means.green()).isCloseTo(sums[1], within(1e-9));
        assertThat(means.blue()).isCloseTo(sums[2], within(1e-9));
        assertThat(Rgb.read(own.resolve("imagenet_mean.json"))).isEqualTo(means);
    }

    @Test
    void recordsFollowTheListsAndKeepOddFiles() throws IOException {
        List<String> progress = new ArrayList<>();
        ImageNetBuilder.Result result = builder(own)
                .build(BuildSettings.into(own).threads(2).progress((what, done, total) -> {
                    if (done == total) {
                        progress.add(what);
                    }
                }));
        assertThat(result.skipped()).isEmpty();
        assertThat(progress).startsWith("lists/train.lst", "lists/val.lst", "lists/test.lst", "channel means");
        for (String split : ImageNetBuilder.SPLITS) {
            List<String[]> list = list(own, split);
            try (RecordReader reader = RecordReader.open(own.resolve("rec").resolve(split + ".trec"))) {
                assertThat(reader.sampleCount()).isEqualTo(list.size());
                assertThat(reader.schema().classNames()).hasSize(CLASSES);
                assertThat(reader.schema().channelMeans())
                        .isEqualTo(result.means().values());
                for (int k = 0; k < list.size(); k++) {
                    Sample sample = reader.read(k);
                    assertThat(sample.key()).isEqualTo(list.get(k)[0]);
                    assertThat(sample.source()).isEqualTo(list.get(k)[2]);
                    assertThat(Integer.toString(reader.classIndex(k))).isEqualTo(list.get(k)[1]);
                }
            }
        }
        assertThat(Rgb.read(own.resolve("imagenet_std.json")).values())
                .allSatisfy(std -> assertThat(std).isBetween(20.0, 100.0));
        // Built again, nothing is: the lists are the same, the means younger than they, the records finished.
        progress.clear();
        ImageNetBuilder.Result again =
                builder(own).build(BuildSettings.into(own).progress((what, _, _) -> progress.add(what)));
        assertThat(again.means()).isEqualTo(result.means());
        assertThat(again.records().parts()).allMatch(part -> part.kept() == 1);
        assertThat(progress).containsExactly("lists/train.lst", "lists/val.lst", "lists/test.lst");
    }
}
