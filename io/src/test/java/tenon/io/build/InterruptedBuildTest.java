package tenon.io.build;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.BufferedReader;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.TreeMap;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.condition.EnabledOnOs;
import org.junit.jupiter.api.condition.OS;
import org.junit.jupiter.api.io.TempDir;
import tenon.io.record.RecordReader;

/** Builds in processes of their own that are killed or run out of disk. */
@EnabledOnOs(OS.LINUX)
class InterruptedBuildTest {
    private static final int KILLS = 30;

    @TempDir
    Path root;

    private static Process start(String limit, Path output, int microseconds) throws IOException {
        List<String> command = new ArrayList<>(List.of(
                "bash",
                "-c",
                limit + "exec \"$@\"",
                "child",
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "-XX:TieredStopAtLevel=1",
                "-XX:-UsePerfData",
                "--enable-native-access=ALL-UNNAMED",
                "-cp",
                System.getProperty("surefire.test.class.path", System.getProperty("java.class.path")),
                BuildInChild.class.getName(),
                output.toString(),
                Integer.toString(microseconds)));
        return new ProcessBuilder(command).redirectErrorStream(true).start();
    }

    private static Map<String, byte[]> files(Path folder) throws IOException {
        Map<String, byte[]> contents = new TreeMap<>();
        try (Stream<Path> files = Files.list(folder)) {
            for (Path file : files.toList()) {
                contents.put(file.getFileName().toString(), Files.readAllBytes(file));
            }
        }
        return contents;
    }

    /** Kills 30 builds at random moments of their writing phase; what stands under a record file's name is whole, and a repetition completes it. */
    @Test
    @Tag("slow")
    @Timeout(value = 4, unit = TimeUnit.MINUTES)
    void aKilledBuildIsCompletedByARepetition() throws Exception {
        Path undisturbed = root.resolve("undisturbed");
        BuildInChild.build(BuildSettings.into(undisturbed), 0, false);
        Map<String, byte[]> expected = files(undisturbed);
        assertThat(expected)
                .containsKeys("train-00000-of-00003.trec", "test-00002-of-00003.trec", "train.report.json")
                .hasSize(8);
        Random random = new Random(5);
        int unfinished = 0;
        int kept = 0;
        for (int kill = 0; kill < KILLS; kill++) {
            Path output = root.resolve("killed" + kill);
            Process process = start("", output, 2000);
            try (BufferedReader lines = process.inputReader()) {
                assertThat(lines.readLine()).isEqualTo(BuildInChild.WRITING);
                TimeUnit.MICROSECONDS.sleep(random.nextInt(400_000));
                process.toHandle().destroyForcibly();
                process.waitFor();
            }
            Map<String, byte[]> left = files(output);
            left.keySet().removeIf(name -> !name.endsWith(".trec"));
            left.forEach((name, bytes) -> assertThat(bytes).as(name).isEqualTo(expected.get(name)));
            unfinished += left.size() < 6 ? 1 : 0;
            BuildReport report = BuildInChild.build(BuildSettings.into(output), 0, false);
            assertThat(report.parts().stream().mapToInt(BuildReport.Part::kept).sum())
                    .isEqualTo(left.size());
            kept += left.size();
            Map<String, byte[]> completed = files(output);
            assertThat(completed.keySet()).isEqualTo(expected.keySet());
            completed.forEach((name, bytes) -> assertThat(bytes).as(name).isEqualTo(expected.get(name)));
        }
        assertThat(unfinished).as("builds killed before their end").isGreaterThan(KILLS / 2);
        assertThat(kept).as("files kept").isPositive();
    }

    @Test
    @Timeout(value = 1, unit = TimeUnit.MINUTES)
    void anotherProcessIsKeptOutUntilTheFirstEnds() throws Exception {
        Path output = root.resolve("out");
        Process process = start("", output, 50_000);
        try (BufferedReader lines = process.inputReader()) {
            assertThat(lines.readLine()).isEqualTo(BuildInChild.WRITING);
            assertThatThrownBy(() -> BuildInChild.build(BuildSettings.into(output), 0, false))
                    .isInstanceOf(BuildException.class)
                    .hasMessageContaining("another build is writing into " + output);
        } finally {
            process.toHandle().destroyForcibly();
            process.waitFor();
        }
        BuildInChild.build(BuildSettings.into(output), 0, false);
    }

    /** The limit on a file's size stands for a full disk: both make a write fail in the middle of a file. */
    @Test
    @Timeout(value = 1, unit = TimeUnit.MINUTES)
    void aFullDiskIsAClearErrorAndLeavesNoPartialFile() throws Exception {
        Path output = root.resolve("out");
        Process process = start("ulimit -f 300; ", output, 0);
        String text;
        try (BufferedReader lines = process.inputReader()) {
            text = String.join("\n", lines.readAllLines());
        }
        assertThat(process.waitFor()).as(text).isEqualTo(1);
        assertThat(text)
                .contains("failed: record file " + output.resolve("train-00000-of-00003.trec"))
                .contains("writing failed after")
                .contains("free bytes in its folder: ");
        assertThat(files(output)).containsOnlyKeys(BuildLock.FILE_NAME);
        BuildReport report = BuildInChild.build(BuildSettings.into(output), 0, false);
        try (RecordReader reader = RecordReader.open(report.part("train").file())) {
            reader.verify();
        }
    }
}
