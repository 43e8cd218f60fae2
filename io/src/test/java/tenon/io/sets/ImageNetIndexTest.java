package tenon.io.sets;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Collection;
import java.util.List;
import java.util.stream.IntStream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import tenon.io.build.BuildException;

/** The tables of the development kit, with lines of the real files. */
class ImageNetIndexTest {
    @TempDir
    private Path folder;

    private ImageNetConfig config;

    @BeforeEach
    void layOut() throws IOException {
        config = new ImageNetConfig(folder.resolve("ILSVRC2015"), folder.resolve("out"));
        lines(config.wordIds(), List.of("n02119789 1 kit_fox", "n02012849 3 crane", "n03126707 2 crane"));
        lines(config.trainList(), List.of("n02119789/n02119789_10026 1", "n03126707/n03126707_7 2"));
        lines(config.valList(), List.of("ILSVRC2012_val_00000001 1", "ILSVRC2012_val_00000002 2"));
        lines(config.valLabels(), List.of("3", "1"));
        lines(config.valBlacklist(), List.of("2"));
    }

    private static void lines(Path file, Collection<String> lines) throws IOException {
        Files.createDirectories(file.getParent());
        Files.write(file, lines);
    }

    private ImageNetIndex index() {
        return new ImageNetIndex(config);
    }

    @Test
    void pathsAreThoseOfTheArchive() {
        Path base = folder.resolve("ILSVRC2015");
        assertThat(config.wordIds()).isEqualTo(base.resolve("devkit/data/map_clsloc.txt"));
        assertThat(config.trainList()).isEqualTo(base.resolve("ImageSets/CLS-LOC/train_cls.txt"));
        assertThat(config.valList()).isEqualTo(base.resolve("ImageSets/CLS-LOC/val.txt"));
        assertThat(config.valLabels())
                .isEqualTo(base.resolve("devkit/data/ILSVRC2015_clsloc_validation_ground_truth.txt"));
        assertThat(config.valBlacklist())
                .isEqualTo(base.resolve("devkit/data/ILSVRC2015_clsloc_validation_blacklist.txt"));
        assertThat(config.list("val")).isEqualTo(folder.resolve("out/lists/val.lst"));
        assertThat(config.means()).isEqualTo(folder.resolve("out/imagenet_mean.json"));
    }

    @Test
    void labelsAreClassNumbersLess1() throws IOException {
        // 490 classes, the first and the last of which are real ones.
        List<String> map = IntStream.rangeClosed(1, 490)
                .mapToObj(id -> switch (id) {
                    case 1 -> "n02119789 1 kit_fox";
                    case 490 -> "n01751748 490 sea_snake";
                    default -> "n%08d %d class_%d".formatted(id, id, id);
                })
                .toList();
        lines(config.wordIds(), map);
        lines(config.trainList(), List.of("n01751748/n01751748_1 1"));
        ImageNetIndex index = index();
        assertThat(index.label("n02119789")).isZero();
        assertThat(index.label("n01751748")).isEqualTo(489);
        assertThat(index.classNames()).hasSize(490).endsWith("sea_snake");
        assertThatThrownBy(() -> index.label("n99999999")).hasMessageContaining("there is no class 'n99999999'");
    }

    @Test
    void classesOfOneNameAreToldApart() {
        assertThat(index().classNames()).containsExactly("kit_fox", "crane_n03126707", "crane_n02012849");
    }

    @Test
    void trainingImagesLieInTheirClassFolders() {
        List<ImageNetIndex.Entry> train = index().trainingSet();
        assertThat(train.getFirst().path()).endsWith("Data/CLS-LOC/train/n02119789/n02119789_10026.JPEG");
        assertThat(train.stream().map(ImageNetIndex.Entry::label)).containsExactly(0, 1);
    }

    @Test
    void validationLeavesTheBlacklistOut() throws IOException {
        ImageNetIndex index = index();
        assertThat(index.isBlacklisted("2")).isTrue();
        assertThat(index.validationSet()).singleElement().satisfies(entry -> {
            assertThat(entry.path()).endsWith("Data/CLS-LOC/val/ILSVRC2012_val_00000001.JPEG");
            assertThat(entry.label()).isEqualTo(2);
        });

        // The real numbers: 50,000 lines, 1,762 of them on the blacklist, among them 36.
        lines(
                config.valList(),
                IntStream.rangeClosed(1, 50_000)
                        .mapToObj("ILSVRC2012_val_%1$08d %1$d"::formatted)
                        .toList());
        lines(
                config.valLabels(),
                IntStream.range(0, 50_000).mapToObj(i -> "" + (1 + i % 3)).toList());
        lines(
                config.valBlacklist(),
                IntStream.range(0, 1762).mapToObj(i -> "" + (36 + i)).toList());
        List<ImageNetIndex.Entry> kept = index().validationSet();
        assertThat(kept).hasSize(48_238).noneMatch(entry -> entry.path().contains("ILSVRC2012_val_00000036"));
        assertThat(kept.get(35).path()).contains("ILSVRC2012_val_00001798");
        assertThat(kept.get(35).label()).isEqualTo(1797 % 3);
    }

    @Test
    void filesThatContradictEachOtherAreNamed() throws IOException {
        lines(config.valLabels(), List.of("3"));
        assertThatThrownBy(() -> index().validationSet())
                .isInstanceOf(BuildException.class)
                .hasMessageEndingWith("must have equally many lines: one ends after 1");
        lines(config.valLabels(), List.of("3", "4"));
        assertThatThrownBy(() -> index().validationSet())
                .hasMessage("imagenet " + config.valLabels() + ", line 2: must be a whole number from 1 to 3: '4'");
        lines(config.trainList(), List.of("n02119789/n02119789_1 1", "n00000000/n00000000_1 2"));
        assertThatThrownBy(() -> index().trainingSet())
                .hasMessageContaining("line 2: must begin with the WordNet id of a class");
        lines(config.trainList(), List.of("n02119789/../../secret 1"));
        assertThatThrownBy(() -> index().trainingSet()).hasMessageContaining("must name a file, without folders");
        lines(config.trainList(), List.of("n02119789/.. 1"));
        assertThatThrownBy(() -> index().trainingSet()).hasMessageContaining("must name a file, without folders");
        lines(config.trainList(), List.of("n02119789/n02119789_1  1"));
        assertThatThrownBy(() -> index().trainingSet()).hasMessageContaining("separated by single spaces");
        lines(config.trainList(), List.of());
        assertThatThrownBy(() -> index().trainingSet()).hasMessageContaining("there are no images in it");
        lines(config.valBlacklist(), List.of("first"));
        assertThatThrownBy(this::index).hasMessageContaining("line 1: must be a whole number");
    }

    @Test
    void aTableOfClassesMustBeComplete() throws IOException {
        lines(config.wordIds(), List.of("n02119789 1 kit_fox", "n02012849 3 crane"));
        assertThatThrownBy(this::index)
                .hasMessageContaining("class numbers must be 1 to the number of lines: lines=2, found=3");
        lines(config.wordIds(), List.of("n02119789 1 kit_fox", "n02012849 1 crane"));
        assertThatThrownBy(this::index).hasMessageContaining("line 2: class number 1 occurs twice");
        lines(config.wordIds(), List.of("n02119789 1 kit_fox", "n02119789 2 crane"));
        assertThatThrownBy(this::index).hasMessageContaining("line 2: WordNet id n02119789 occurs twice");
        lines(config.wordIds(), List.of("n02119789 0 kit_fox"));
        assertThatThrownBy(this::index).hasMessageContaining("must be a whole number from 1 to");
        Files.delete(config.wordIds());
        assertThatThrownBy(this::index).hasMessage("imagenet " + config.wordIds() + ": there is no such file");
    }
}
