package tenon.apps.cli;

import java.nio.file.Path;
import tenon.io.build.BuildProgress;
import tenon.io.build.BuildReport;

/** Shows a builder's progress, one bar per file, and the first files that it leaves out. */
public final class BuildBar implements BuildProgress {
    private static final int SHOWN = 10;

    private final Console console;
    private int skipped;
    private String shown;
    private ProgressBar bar;

    public BuildBar(Console console) {
        this.console = console;
    }

    @Override
    public void update(String what, long done, long total) {
        if (!what.equals(shown)) {
            shown = what;
            bar = new ProgressBar(console, total, "images");
        }
        if (done < total) {
            bar.update(done, what);
        } else {
            bar.finish(what);
        }
    }

    @Override
    public void skipped(BuildReport.Skipped sample) {
        skipped++;
        if (skipped <= SHOWN) {
            console.warn("left out " + sample.source() + ": " + sample.reason());
        } else if (skipped == SHOWN + 1) {
            console.warn("left out more files");
        }
    }

    @Override
    public void kept(Path file) {
        console.print("kept %s: finished by an earlier build", file);
    }

    @Override
    public void damaged(Path file, String reason) {
        console.warn(reason + "; building it again");
    }
}
