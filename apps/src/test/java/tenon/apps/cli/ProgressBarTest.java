package tenon.apps.cli;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.PrintWriter;
import java.io.StringWriter;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class ProgressBarTest {
    private final StringWriter out = new StringWriter();
    private final AtomicLong nanos = new AtomicLong();

    @Test
    void linesHaveOnlyTheFinishedBar() {
        ProgressBar bar = bar(false);
        nanos.addAndGet(1_000_000_000L);
        bar.update(1000, "");
        nanos.addAndGet(1_000_000_000L);
        bar.finish("loss: 1.1033");
        assertThat(out.toString().strip())
                .isEqualTo("2250/2250 [==============================] - 2s - 1125 images/s - loss: 1.1033");
    }

    @Test
    void terminalShowsRateAndRemainingTime() {
        ProgressBar bar = bar(true);
        nanos.addAndGet(1_000_000_000L);
        bar.update(750, "loss: 1.2");
        assertThat(out.toString())
                .isEqualTo("\r 750/2250 [=========>....................] - 750 images/s - ETA 2s - loss: 1.2\u001b[K");
    }

    /** What a training shows of ImageNet, in a window, in a narrower one, in the usual 80 columns, and in a strip. */
    @ParameterizedTest
    @CsvSource({"160, 30", "118, 11", "117, 10", "116, 0", "104, 0"})
    void theBarTakesTheRoomThatIsLeft(int columns, int length) {
        String line = drawn(columns);
        String bar = length == 0 ? "" : "[" + "=".repeat(length / 2 - 1) + ">" + ".".repeat(length - length / 2) + "] ";
        assertThat(line)
                .isEqualTo(" 640584/1281167 " + bar + "- 640584 images/s - ETA 1s - step 5004 - loss: 3.2101 - rank-1:"
                        + " 0.2813 - rank-5: 0.5329");
        assertThat(line.length()).isLessThan(columns);
    }

    @Test
    void narrowTerminalsHaveFewerWords() {
        assertThat(drawn(80)).isEqualTo("50% 640584/s ETA 1s step 5004 loss: 3.2101 rank-1: 0.2813 rank-5: 0.5329");
        assertThat(drawn(30)).isEqualTo("50% 640584/s ETA 1s step 5004");
        assertThat(drawn(1)).isEqualTo("5");
    }

    private String drawn(int columns) {
        ProgressBar bar = bar(true, columns, 1_281_167);
        nanos.addAndGet(1_000_000_000L);
        bar.update(640_584, "step 5004 - loss: 3.2101 - rank-1: 0.2813 - rank-5: 0.5329");
        String line = out.toString();
        out.getBuffer().setLength(0);
        assertThat(line).startsWith("\r").endsWith("\u001b[K");
        return line.substring(1, line.length() - 3);
    }

    /** What is measured is not cut off: the terminal breaks the line, which is not rewritten any more. */
    @Test
    void theFinalLineIsWhole() {
        ProgressBar bar = bar(true, 40, 2250);
        nanos.addAndGet(2_000_000_000L);
        bar.finish("loss: 1.1033 - val_loss: 1.2044");
        assertThat(out.toString())
                .isEqualTo("\r2250/2250 - 2s - 1125 images/s - loss: 1.1033 - val_loss: 1.2044\u001b[K"
                        + System.lineSeparator());
    }

    @Test
    void theTerminalsWidthIsTheUsersOrItsOwnOrTheUsualOne() {
        assertThat(TerminalWidth.columns("63", 120)).isEqualTo(63);
        assertThat(TerminalWidth.columns(null, 120)).isEqualTo(120);
        assertThat(TerminalWidth.columns("wide", 120)).isEqualTo(120);
        assertThat(TerminalWidth.columns("0", 0)).isEqualTo(80);
    }

    @Test
    void terminalIsRedrawnTenTimesASecondAtMost() {
        ProgressBar bar = bar(true);
        nanos.addAndGet(50_000_000L);
        bar.update(1, "");
        assertThat(out.toString()).isEmpty();
    }

    @Test
    void durations() {
        assertThat(ProgressBar.duration(8.4)).isEqualTo("8s");
        assertThat(ProgressBar.duration(125)).isEqualTo("2m05s");
        assertThat(ProgressBar.duration(3 * 3600 + 7 * 60)).isEqualTo("3h07m");
    }

    private ProgressBar bar(boolean terminal) {
        return bar(terminal, 80, 2250);
    }

    private ProgressBar bar(boolean terminal, int columns, long total) {
        PrintWriter writer = new PrintWriter(out, true);
        return new ProgressBar(new Console(writer, writer, terminal, () -> columns), total, "images", nanos::get);
    }
}
