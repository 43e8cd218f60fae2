package tenon.apps.training;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import tenon.apps.Cli;
import tenon.apps.TestData;
import tenon.apps.TestModels;

/** Records whose pictures are stored in another size than the network's input. */
class PictureSizesTest {
    private static final List<String> CLASSES = List.of("a", "b", "c");

    @TempDir
    private Path folder;

    private Path small;
    private Path large;

    @BeforeEach
    void draw() throws IOException {
        small = records("small.trec", 8, 8);
        large = records("large.trec", 12, 10);
    }

    private Path records(String name, int height, int width) throws IOException {
        return TestData.noise(folder.resolve(name), "train", height, width, CLASSES, 6, 4);
    }

    private Cli.Result train(Path data, Path validation, Object... more) {
        return Cli.run(Stream.concat(
                        Stream.of(
                                "train",
                                "mnist",
                                "--data",
                                data,
                                "--val",
                                validation,
                                "--epochs",
                                1,
                                "--normalize",
                                "unit",
                                "--output",
                                folder.resolve("run")),
                        Stream.of(more))
                .toArray());
    }

    private static void assertWarning(Cli.Result result, Path file, String stored, String input) {
        assertThat(result.exitCode()).as(result.err()).isZero();
        assertThat(result.errLines())
                .containsExactly("warning: " + file + ": its pictures, stored as " + stored
                        + " (height x width), are squashed to the network's input, " + input);
    }

    @Test
    void validationPicturesOfAnotherSizeThanTrainingsAreRefusedWherePicturesAreSquashed() {
        Cli.Result result = train(small, large);
        assertThat(result.exitCode()).isEqualTo(2);
        assertThat(result.errLines().getFirst())
                .isEqualTo("tenon train: --val must hold pictures of the size of --data's, or those of one would be"
                        + " squashed otherwise than those of the other: 12x10 in " + large + ", 8x8 in " + small
                        + " (build both alike)");
        assertThat(folder.resolve("run")).doesNotExist();
        // Crops of different shares of the picture are common.
        Cli.Result cropped = train(small, large, "--augment", "resized-crop", "--size", "8x8x3");
        assertThat(cropped.exitCode()).as(cropped.err()).isZero();
        assertThat(cropped.err()).isEmpty();
    }

    @Test
    void aRunGoesOnWithPicturesOfTheSizeThatItBeganWith() throws IOException {
        Path file = Files.copy(small, folder.resolve("file.trec"));
        assertThat(train(file, file).err()).isEmpty();
        Files.copy(large, file, StandardCopyOption.REPLACE_EXISTING);
        Cli.Result resumed = Cli.run("resume", folder.resolve("run"), "--epochs", 2);
        assertThat(resumed.exitCode()).isEqualTo(1);
        assertThat(resumed.err())
                .contains(file + ": its pictures must have the size that the run began with: they have 12x10, the run"
                        + " began with 8x8 (build them again in that size, or train anew)");
    }

    @Test
    void picturesThatTheUserWantsSquashedNeedNoWarningWhereTheyAreOfTrainingsSize() {
        Path run = folder.resolve("run");
        Cli.Result trained = train(large, large, "--size", "8x8x3");
        assertThat(trained.exitCode()).as(trained.err()).isZero();
        assertThat(trained.err()).isEmpty();
        assertThat(Cli.run("resume", run, "--epochs", 2).err()).isEmpty();
        assertThat(Cli.run("evaluate", run, "--data", large).err()).isEmpty();
        // Training's were squashed.
        assertWarningOfOtherSize(Cli.run("evaluate", run, "--data", small));
    }

    private void assertWarningOfOtherSize(Cli.Result result) {
        assertThat(result.exitCode()).as(result.err()).isZero();
        assertThat(result.errLines())
                .containsExactly("warning: " + small + ": its pictures are stored as 8x8 (height x width), those of"
                        + " training as 12x10, which were squashed to the network's input, 8x8");
    }

    @Test
    void evaluateWarnsOfPicturesThatItSquashes() throws IOException {
        Path model = folder.resolve("net.model");
        TestModels.write(model, NetworkSpec.Kind.MNIST, 8, Augmentation.NONE, CLASSES);
        assertThat(Cli.run("evaluate", model, "--data", small).err()).isEmpty();
        assertWarning(Cli.run("evaluate", model, "--data", large), large, "12x10", "8x8");
    }

    @Test
    void featuresWarnsOfPicturesThatItSquashes() throws IOException {
        Path model = folder.resolve("net.model");
        TestModels.write(model, NetworkSpec.Kind.MNIST, 8, Augmentation.NONE, CLASSES);
        assertThat(features(model, small).err()).isEmpty();
        assertWarning(features(model, large), large, "12x10", "8x8");
        Path run = folder.resolve("run");
        assertThat(train(large, large, "--size", "8x8x3").exitCode()).isZero();
        assertThat(features(run, large).err()).isEmpty();
        assertWarningOfOtherSize(features(run, small));
    }

    private Cli.Result features(Path trained, Path data) {
        Path out = folder.resolve(trained.getFileName() + "-" + data.getFileName());
        return Cli.run("features", trained, "--data", data, "--out", out);
    }

    /** The first two presets crop in training and evaluation, the last in training alone. */
    @ParameterizedTest
    @ValueSource(strings = {"vgg", "resized-crop", "dogs-cats"})
    void picturesSmallerThanTheCropAreRefusedBeforeTraining(String preset) {
        Cli.Result result = train(large, large, "--augment", preset, "--size", "11x11x3");
        assertThat(result.exitCode()).isEqualTo(2);
        assertThat(result.errLines().getFirst())
                .isEqualTo("tenon train: " + large + ": its pictures must be at least as large as the 11x11 that"
                        + " --augment " + preset + " crops: they are stored as 12x10 (height x width; build them"
                        + " larger, make --size smaller, or choose an --augment that squashes, such as flip)");
        assertThat(folder.resolve("run")).doesNotExist();
    }

    @Test
    void picturesSmallerThanTheCropAreRefusedByEvaluate() throws IOException {
        Path model = folder.resolve("net.model");
        TestModels.write(model, NetworkSpec.Kind.MNIST, 11, Augmentation.VGG, CLASSES);
        for (Object crops : List.of(1, 10)) {
            Cli.Result result = Cli.run("evaluate", model, "--data", large, "--crops", crops);
            assertThat(result.exitCode()).isEqualTo(2);
            assertThat(result.errLines().getFirst())
                    .isEqualTo("tenon evaluate: --crops " + crops + " needs pictures at least as large as the network's"
                            + " input, 11x11: these are stored as 12x10 (height x width; say with --resize N how long"
                            + " their shorter side shall be)");
        }
        assertThat(Cli.run("evaluate", model, "--data", large, "--resize", 11).exitCode())
                .isZero();
    }
}
