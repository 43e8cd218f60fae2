package tenon.apps.data;

import static org.assertj.core.api.Assertions.assertThat;

import io.jhdf.HdfFile;
import io.jhdf.WritableHdfFile;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import tenon.apps.Cli;
import tenon.io.image.Image;
import tenon.io.image.ImageCodec;
import tenon.io.record.Records;

/** Published layouts, drawn by synth, become records. */
class BuildSetsCommandTest {
    @TempDir
    private Path folder;

    private Path synth(Object... arguments) {
        Path set = folder.resolve("set");
        Object[] all = new Object[arguments.length + 3];
        all[0] = "synth";
        System.arraycopy(arguments, 0, all, 1, arguments.length);
        all[all.length - 2] = "--out";
        all[all.length - 1] = set;
        succeed(all);
        return set;
    }

    private static Cli.Result succeed(Object... arguments) {
        Cli.Result result = Cli.run(arguments);
        assertThat(result.err()).isEmpty();
        assertThat(result.exitCode()).isZero();
        return result;
    }

    @Test
    void imagenetWithoutOptionsIsStoredAsInTheOriginalExperiments() {
        Path set = synth("imagenet", "--classes", 2, "--per-class", 56, "--val-per-class", 2, "--size", "40x30");
        Path out = folder.resolve("out");
        Cli.Result lists = succeed("build", "imagenet", set, "--out", out, "--only", "lists", "--json");
        assertThat(lists.json().get("lists").get("test").asInt()).isEqualTo(100);
        assertThat(lists.json().get("mean")).isNull();
        assertThat(out.resolve("imagenet_mean.json")).doesNotExist();
        assertThat(out.resolve("rec")).doesNotExist();

        Cli.Result all = succeed("build", "imagenet", set, "--out", out, "--json");
        assertThat(all.json().get("built").asInt()).isEqualTo(12 + 3 + 100);
        assertThat(all.json().get("mean").get("R").asDouble()).isBetween(50.0, 200.0);
        try (Records records = Records.open(out.resolve("rec/val.trec"))) {
            Image image = ImageCodec.decode(records.read(0).image(), "sample");
            assertThat(new int[] {image.width(), image.height()}).containsExactly(341, 256);
            assertThat(records.schema().build())
                    .containsEntry("builder", "imagenet")
                    .containsEntry("resize", "short side 256");
        }
        assertThat(Cli.run("build", "imagenet", set, "--out", out, "--test-images", 0)
                        .exitCode())
                .isEqualTo(2);
        assertThat(Cli.run("build", "imagenet", set, "--out", out, "--only", "list")
                        .err())
                .contains("must be one of lists, means, records");
    }

    @Test
    void imagenetOfAnotherSideIsStoredAsJpegToo() {
        Path set = synth("imagenet", "--classes", 2, "--per-class", 4, "--val-per-class", 2, "--size", "40x30");
        Path out = folder.resolve("out");
        succeed("build", "imagenet", set, "--out", out, "--test-images", 2, "--resize", 20);
        try (Records records = Records.open(out.resolve("rec/train.trec"))) {
            assertThat(records.schema().build())
                    .containsEntry("resize", "short side 20")
                    .containsEntry("encoding", "jpeg")
                    .containsEntry("quality", "100");
        }
    }

    @Test
    void cifar10() {
        Path set = synth("cifar10", "--per-class", 5);
        Cli.Result built = succeed("build", "cifar10", set, "--val", 10, "--out", folder.resolve("out"), "--json");
        assertThat(built.json().get("built").asInt()).isEqualTo(60);
        try (Records records = Records.open(folder.resolve("out/train.trec"))) {
            assertThat(records.sampleCount()).isEqualTo(40);
            assertThat(records.schema().classNames()).contains("red_plain_disc");
        }
    }

    @Test
    void fer2013() {
        Path table = synth("fer2013", "--per-class", 8).resolve("fer2013/fer2013.csv");
        succeed("build", "csv", table, "--merge-disgust", "--out", folder.resolve("out"));
        try (Records records = Records.open(folder.resolve("out/val.trec"))) {
            assertThat(records.sampleCount()).isEqualTo(7);
            assertThat(records.schema().classNames()).hasSize(6);
            assertThat(List.of(
                            records.schema().height(),
                            records.schema().width(),
                            records.schema().channels()))
                    .containsExactly(48, 48, 1);
        }
        assertThat(Cli.run("build", "csv", table, "--merge-disgust", "--classes", "a,b", "--out", folder)
                        .errLines()
                        .getFirst())
                .contains("--merge-disgust names the classes");
    }

    @Test
    void mnistAndLists() throws IOException {
        Path mnist = synth("mnist", "--per-class", 6);
        succeed(
                "build",
                "idx",
                mnist.resolve("t10k-images-idx3-ubyte.gz"),
                mnist.resolve("t10k-labels-idx1-ubyte.gz"),
                "--out",
                folder.resolve("out/test.trec"));
        try (Records records = Records.open(folder.resolve("out/test.trec"))) {
            assertThat(records.sampleCount()).isEqualTo(10);
        }
        Path list = folder.resolve("list");
        succeed("synth", "list", "--classes", 2, "--per-class", 10, "--size", "30x20", "--out", list);
        succeed(
                "build",
                "list",
                list.resolve("train.lst"),
                "--root",
                list,
                "--class-file",
                list.resolve("classes.txt"),
                "--out",
                folder.resolve("listed/train.trec"));
        try (Records records = Records.open(folder.resolve("listed/train.trec"))) {
            assertThat(records.sampleCount()).isEqualTo(18);
            assertThat(records.schema().classNames()).containsExactly("red_plain_disc", "amber_striped_square");
        }
        Path empty = Files.writeString(folder.resolve("empty.txt"), "disc\nsquare\n\n");
        assertThat(Cli.run("build", "list", list.resolve("train.lst"), "--class-file", empty, "--out", folder)
                        .err())
                .contains(empty + ", line 3: a class must have a name");
    }

    @Test
    void hdf5() {
        Path file = folder.resolve("some.hdf5");
        try (WritableHdfFile out = HdfFile.write(file)) {
            out.putDataset("x", new int[][][][] {{{{1, 2, 3}}}, {{{4, 5, 6}}}});
            out.putDataset("y", new int[] {1, 0});
        }
        succeed(
                "build",
                "hdf5",
                file,
                "--images",
                "x",
                "--labels",
                "y",
                "--bgr",
                "--classes",
                "cat,dog",
                "--split",
                "test",
                "--out",
                folder.resolve("out"));
        try (Records records = Records.open(folder.resolve("out/test.trec"))) {
            assertThat(records.read(1).image()).containsExactly(6, 5, 4);
            assertThat(records.schema().classNames()).containsExactly("cat", "dog");
        }
    }
}
