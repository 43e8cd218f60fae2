package tenon.apps.training;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import tenon.apps.TenonProcess;

/** What training shows while it goes on, by a process of its own in a terminal. */
class LiveLineTest {
    private static final int COLUMNS = 110;
    private static final String MEASURED = "loss: \\d+\\.\\d{4} - rank-1: [01]\\.\\d{4} - rank-5: [01]\\.\\d{4}";

    @TempDir
    private Path folder;

    private static boolean hasScript() throws InterruptedException {
        try {
            Process version = new ProcessBuilder("script", "--version").start();
            String text = new String(version.getInputStream().readAllBytes());
            return version.waitFor() == 0 && text.contains("util-linux");
        } catch (IOException _) {
            return false;
        }
    }

    @Test
    void aTerminalsLineIsRewrittenInPlaceAndEndsWhole() throws Exception {
        assumeTrue(hasScript(), "util-linux's script, which makes a terminal, is missing");
        Path log = folder.resolve("log");
        Process process = TenonProcess.startInTerminal(
                log,
                COLUMNS,
                "train",
                "minivgg",
                "--synthetic",
                160,
                "--classes",
                7,
                "--size",
                "32x32x3",
                "--batch",
                8,
                "--epochs",
                2,
                "--threads",
                1,
                "--no-tensorboard",
                "--output",
                folder.resolve("run"));
        assertThat(process.waitFor(60, TimeUnit.SECONDS)).isTrue();
        String text = Files.readString(log);
        assertThat(process.exitValue()).as(text).isZero();

        List<String> shown = new ArrayList<>();
        List<String> rewritten = new ArrayList<>();
        for (String line : text.split("\r\n")) {
            // Each begins with a return to the first column and clears what it leaves of the one before.
            String[] texts = line.split("\r", -1);
            for (int i = 1; i < texts.length; i++) {
                assertThat(texts[i]).endsWith("\u001b[K");
                texts[i] = texts[i].substring(0, texts[i].length() - 3);
            }
            if (texts.length > 1) {
                assertThat(texts[0]).isEmpty();
                rewritten.addAll(List.of(texts).subList(1, texts.length - 1));
            }
            shown.add(texts[texts.length - 1]);
        }
        assertThat(rewritten)
                .isNotEmpty()
                .allMatch(line -> line.length() < COLUMNS)
                .allMatch(line -> line.matches(
                        "[ \\d]{3}/144 \\[=*>?\\.*] - \\d+ images/s - ETA \\d+s - step \\d+ - " + MEASURED));
        assertThat(shown).noneMatch(line -> line.contains("\u001b"));
        assertThat(String.join("\n", shown))
                .containsPattern("\nEpoch 1/2\n144/144 - \\d+s - \\d+ images/s - " + MEASURED + " - val_loss: .* -"
                        + " val_rank-5: [01]\\.\\d{4}\nEpoch 2/2\n144/144 - \\d+s - .* - val_rank-5: [01]\\.\\d{4}\n");
    }
}
