package tenon.apps.data;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledOnOs;
import org.junit.jupiter.api.condition.OS;
import org.junit.jupiter.api.io.TempDir;
import tenon.apps.Cli;
import tenon.apps.TenonProcess;
import tenon.apps.TestData;
import tenon.io.image.ImageFormat;
import tenon.io.image.ImageHeader;
import tenon.io.record.Records;

/** A list becomes records, these an MXNet record file, and that records again. */
class BuildAndExportTest {
    @TempDir
    private Path folder;

    private Path pictures;
    private Path list;

    @BeforeEach
    void drawPictures() throws IOException {
        pictures = folder.resolve("pictures");
        TestData.pictures(pictures, List.of("a", "b"), 5, 9, 7, 1);
        List<String> lines = new ArrayList<>();
        try (Stream<Path> files = Files.walk(pictures)) {
            for (Path file : files.filter(Files::isRegularFile).sorted().toList()) {
                String name = pictures.relativize(file).toString();
                lines.add(lines.size() + "\t" + (name.startsWith("a") ? 0 : 1) + "\t" + name);
            }
        }
        list = Files.write(folder.resolve("train.lst"), lines);
    }

    @Test
    void listToRecordsToMxnetAndBack() throws IOException {
        Path names = Files.writeString(folder.resolve("names"), "apple\nbanana\n");
        Cli.Result built = Cli.run(
                "build",
                "list",
                list,
                "--root",
                pictures,
                "--class-file",
                names,
                "--shards",
                3,
                "--out",
                folder.resolve("out"),
                "--json");
        assertThat(built.err()).isEmpty();
        assertThat(built.exitCode()).isZero();
        JsonNode train = built.json().get("files").get(0);
        assertThat(train.get("count").asInt()).isEqualTo(3);
        assertThat(train.get("samples").asInt()).isEqualTo(10);
        assertThat(built.json().get("built").asInt()).isEqualTo(10);

        Path rec = folder.resolve("rec/t.rec");
        Cli.Result exported = Cli.run("export", "rec", train.get("file").asText(), "--out", rec, "--json");
        assertThat(exported.exitCode()).isZero();
        assertThat(exported.json().get("samples").asInt()).isEqualTo(10);

        Cli.Result imported = Cli.run(
                "build",
                "rec",
                rec,
                "--idx",
                folder.resolve("rec/t.idx"),
                "--lst",
                folder.resolve("rec/t.lst"),
                "--classes",
                "apple,banana",
                "--out",
                folder.resolve("back.trec"));
        assertThat(imported.err()).isEmpty();
        assertThat(imported.exitCode()).isZero();
        try (Records before = Records.open(folder.resolve("out"));
                Records after = Records.open(folder.resolve("back.trec"))) {
            assertThat(after.schema().classNames()).containsExactly("apple", "banana");
            assertThat(after.sampleCount()).isEqualTo(10);
            for (int i = 0; i < 10; i++) {
                assertThat(after.read(i).image()).isEqualTo(before.read(i).image());
                assertThat(after.classIndex(i)).isEqualTo(before.classIndex(i)).isEqualTo(i / 5);
                assertThat(after.source(i)).isEqualTo(before.source(i));
            }
        }
    }

    @Test
    void repeatedBuildsKeepWhatIsFinished() {
        Path out = folder.resolve("out");
        String[] call = {"build", "folders", pictures.toString(), "--out", out.toString(), "--test", "0.2", "--json"};
        assertThat(Cli.run((Object[]) call).json().get("built").asInt()).isEqualTo(10);
        Cli.Result again = Cli.run((Object[]) call);
        assertThat(again.json().get("built").asInt()).isZero();
        assertThat(again.outLines())
                .contains("kept " + out.resolve("train.trec") + ": finished by an earlier build")
                .contains("train: 8 samples in " + out.resolve("train.trec") + ", kept: 1");
    }

    @Test
    void picturesAreResizedAndEncodedAsAsked() {
        Path jpeg = folder.resolve("jpeg.trec");
        assertThat(Cli.run(
                                "build",
                                "folders",
                                pictures,
                                "--resize",
                                5,
                                "--encoding",
                                "jpeg",
                                "--quality",
                                80,
                                "--out",
                                jpeg)
                        .exitCode())
                .isZero();
        try (Records records = Records.open(jpeg)) {
            byte[] image = records.read(0).image();
            ImageHeader header = ImageHeader.sniff(image, image.length, "stored");
            assertThat(header.format()).isEqualTo(ImageFormat.JPEG);
            // 7 wide, 9 high or the other way round: 5 and ⌊9·5/7⌋.
            assertThat(Math.min(header.width(), header.height())).isEqualTo(5);
            assertThat(Math.max(header.width(), header.height())).isEqualTo(6);
            assertThat(records.schema().build()).containsEntry("quality", "80").containsEntry("resize", "short side 5");
        }
        Path raw = folder.resolve("raw.trec");
        assertThat(Cli.run("build", "folders", pictures, "--resize", 5, "--encoding", "raw", "--out", raw)
                        .exitCode())
                .isZero();
        try (Records records = Records.open(raw)) {
            assertThat(records.schema().rawImageBytes()).isEqualTo(5 * 5 * 3);
        }
    }

    @Test
    void wrongOptionsAreUsageErrors() {
        Path out = folder.resolve("out");
        for (String[] wrong : new String[][] {
            {"--threads", "0"},
            {"--shards", "-1"},
            {"--part", "0/4"},
            {"--part", "5/4"},
            {"--part", "x"},
            {"--resize", "0"},
            {"--quality", "101"},
            {"--channels", "2"},
            {"--channels", "4"},
            {"--filter", "soft"},
            {"--encoding", "gif"}
        }) {
            Cli.Result result = Cli.run("build", "folder", pictures, "--out", out, wrong[0], wrong[1]);
            assertThat(result.exitCode()).as(wrong[0] + " " + wrong[1]).isEqualTo(2);
            assertThat(result.errLines().getFirst()).contains(wrong[0]);
        }
        Cli.Result sizes = Cli.run("build", "folder", pictures, "--out", out, "--size", "4x4", "--resize", 4);
        assertThat(sizes.exitCode()).isEqualTo(2);
        assertThat(sizes.errLines().getFirst()).contains("only one of --resize, --crop and --size");
        Cli.Result both = Cli.run("build", "list", list, "--out", out, "--classes", "a,b", "--class-file", list);
        assertThat(both.exitCode()).isEqualTo(2);
    }

    @Test
    @EnabledOnOs(OS.LINUX)
    void ctrlCKeepsFinishedFilesAndSaysHowToGoOn() throws Exception {
        Path many = folder.resolve("many");
        TestData.pictures(many, List.of("a", "b"), 400, 60, 50, 1);
        Path out = folder.resolve("out");
        Path log = folder.resolve("log");
        Process process =
                TenonProcess.start(log, "build", "folder", many, "--out", out, "--shards", 400, "--threads", 1);
        try {
            while (process.isAlive() && !Files.exists(out.resolve("train-00002-of-00400.trec"))) {
                Thread.sleep(5);
            }
            TenonProcess.end(process, "-INT");
        } finally {
            process.destroyForcibly();
        }
        assertThat(Files.readString(log))
                .containsPattern(
                        "build: stopped; \\d+ of 400 files are finished and stay \\(the same command goes on\\)");
        assertThat(process.exitValue()).isEqualTo(130);
        Cli.Result rest = Cli.run("build", "folder", many, "--out", out, "--shards", 400, "--json");
        assertThat(rest.exitCode()).isZero();
        assertThat(rest.json().get("files").get(0).get("kept").asInt()).isBetween(3, 399);
        assertThat(rest.json().get("files").get(0).get("samples").asInt()).isEqualTo(800);
    }
}
