package tenon.optim.checkpoint;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.BufferedReader;
import java.nio.file.Path;
import java.util.Random;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** A process is killed at random moments while it writes checkpoints; each time the last one it reported as saved is there, or a newer one. */
@Tag("slow")
class KilledProcessTest {
    private static final int KILLS = 10;

    @Test
    @Timeout(value = 3, unit = TimeUnit.MINUTES)
    void theLastReportedCheckpointSurvivesKills(@TempDir Path folder) throws Exception {
        Random random = new Random(17);
        long first = 1;
        for (int kill = 0; kill < KILLS; kill++) {
            Process process = new ProcessBuilder(
                            Path.of(System.getProperty("java.home"), "bin", "java")
                                    .toString(),
                            "-XX:TieredStopAtLevel=1",
                            "-cp",
                            System.getProperty("java.class.path"),
                            KilledWriter.class.getName(),
                            folder.toString(),
                            Long.toString(first))
                    .redirectError(ProcessBuilder.Redirect.INHERIT)
                    .start();
            long saved = first - 1;
            try (BufferedReader out = process.inputReader()) {
                long until = first + 1 + random.nextInt(4);
                for (String line = out.readLine(); line != null; line = out.readLine()) {
                    if (line.startsWith("saved ")) {
                        saved = Long.parseLong(line.substring(6));
                    }
                    if (line.equals("saving " + until)) {
                        TimeUnit.MICROSECONDS.sleep(random.nextInt(12_000));
                        process.toHandle().destroyForcibly(); // SIGKILL; unlike Process's, it leaves the pipe open
                        for (line = out.readLine(); line != null; line = out.readLine()) {
                            if (line.matches("saved \\d+")) {
                                saved = Long.parseLong(line.substring(6));
                            }
                        }
                        break;
                    }
                }
            }
            assertThat(process.waitFor()).as("exit code after SIGKILL").isEqualTo(128 + 9);
            Path found = CheckpointStore.open(folder, 2).recover().checkpoint().orElseThrow();
            long step = Long.parseLong(found.getFileName().toString().split("-")[2]);
            assertThat(step).isGreaterThanOrEqualTo(saved);
            assertThat(found.resolve("data.bin")).hasBinaryContent(KilledWriter.contents(step));
            first = step + 1;
        }
    }
}
