package tenon.apps.cli;

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
    public void skipped(BuildReport.Skipped file) {
        skipped++;
        if (skipped <= SHOWN) {
            console.warn("left out " + file.file() + ": " + file.reason());
        } else if (skipped == SHOWN + 1) {
            console.warn("left out more files");
        }
    }
}
