package tenon.apps.cli;

import tenon.io.build.BuildProgress;

/** Shows a builder's progress: one bar per file. */
public final class BuildBar implements BuildProgress {
    private final Console console;
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
}
