package tenon.apps.cli;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.PrintWriter;
import java.io.StringWriter;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.Test;

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
        PrintWriter writer = new PrintWriter(out, true);
        return new ProgressBar(new Console(writer, writer, terminal), 2250, "images", nanos::get);
    }
}
