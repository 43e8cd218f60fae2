package tenon.apps.cli;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.PrintWriter;
import java.io.StringWriter;
import java.util.List;
import org.junit.jupiter.api.Test;
import tenon.io.build.BuildReport;

class BuildBarTest {
    private final StringWriter out = new StringWriter();
    private final StringWriter err = new StringWriter();

    private BuildBar bar(boolean lines) {
        return new BuildBar(new Console(new PrintWriter(out, true), new PrintWriter(err, true), false), lines);
    }

    private List<String> progress(boolean lines) {
        BuildBar bar = bar(lines);
        for (int done = 1; done <= 2500; done++) {
            bar.update("train", done, 2500);
        }
        return out.toString().lines().toList();
    }

    @Test
    void logsHaveALineForEveryThousandImagesAndTheTotal() {
        List<String> lines = progress(true);
        assertThat(lines).hasSize(3);
        assertThat(lines.get(0)).matches("1000/2500 - \\d+s - \\d+ images/s - train");
        assertThat(lines.get(1)).startsWith("2000/2500 - ");
        assertThat(lines.get(2)).startsWith("2500/2500 [==============================] - ");
    }

    @Test
    void orTheTotalAlone() {
        assertThat(progress(false)).hasSize(1);
    }

    @Test
    void onlyTheFirstFilesThatAreLeftOutAreNamed() {
        BuildBar bar = bar(false);
        for (int i = 0; i < 30; i++) {
            bar.skipped(new BuildReport.Skipped("file" + i, "broken"));
        }
        assertThat(err.toString().lines()).hasSize(11).startsWith("warning: left out file0: broken");
        assertThat(err.toString()).endsWith("warning: left out more files\n");
    }
}
