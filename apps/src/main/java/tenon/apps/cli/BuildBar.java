package tenon.apps.cli;

import java.nio.file.Path;
import tenon.io.build.BuildProgress;
import tenon.io.build.BuildReport;

/** Shows a builder's progress, one bar per file, and the first files that it leaves out. */
public final class BuildBar implements BuildProgress {
    private static final int SHOWN = 10;

    private static final int LINE_EVERY = 1000;

    private final Console console;
    private final boolean lines;
    private int skipped;
    private String shown;
    private ProgressBar bar;

    /** Where there is no terminal, shows one line per split. */
    public BuildBar(Console console) {
        this(console, false);
    }

    /** @param lines whether a line stands for every 1,000 images where there is no terminal, for builds that take hours */
    public BuildBar(Console console, boolean lines) {
        this.console = console;
        this.lines = lines && !console.terminal();
    }

    @Override
    public void update(String what, long done, long total) {
        if (!what.equals(shown)) {
            shown = what;
            bar = new ProgressBar(console, total, "images");
        }
        if (done < total) {
            if (lines && done % LINE_EVERY == 0) {
                bar.line(done, what);
            }
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
    public void warning(String text) {
        console.warn(text);
    }
}
