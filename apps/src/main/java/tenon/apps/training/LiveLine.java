package tenon.apps.training;

import java.util.Locale;
import tenon.apps.cli.Console;
import tenon.apps.cli.Decimals;
import tenon.apps.cli.ProgressBar;
import tenon.optim.train.Callback;
import tenon.optim.train.EpochRecord;
import tenon.optim.train.Progress;
import tenon.optim.train.StepWindow;
import tenon.optim.train.Trainer;

/**
 * Shows where training stands: {@code Epoch 3/90}, then a bar with pictures a second, the time that the epoch still takes, update, loss, rank-1 and rank-5 so far. It
 * ends with what validation measured. Where there is no terminal, the bar is written once, at the epoch's end, and long epochs get a line every so many updates.
 */
final class LiveLine implements Callback {
    private final Console console;
    private final boolean rank5;
    private final StepWindow window;
    private int epochs;
    private ProgressBar bar;

    /**
     * @param classes of the network: with five or fewer, rank-5 says nothing
     * @param logEvery updates between lines where there is no terminal, 0 for none
     */
    LiveLine(Console console, int classes, int logEvery) {
        this.console = console;
        this.rank5 = classes > 5;
        this.window = logEvery > 0 && !console.terminal() ? new StepWindow(logEvery) : null;
    }

    @Override
    public void onTrainBegin(Trainer trainer, int count) {
        epochs = count;
        if (window != null) {
            window.begin();
        }
    }

    @Override
    public void onEpochBegin(Trainer trainer, int epoch) {
        console.print("Epoch %d/%d", epoch, epochs);
        bar = null;
    }

    @Override
    public void onStepEnd(Trainer trainer, Progress progress) {
        if (bar == null) {
            bar = new ProgressBar(console, progress.sampleCount(), "images");
        }
        bar.update(
                progress.samples(),
                "step " + progress.step() + " - "
                        + measured("", progress.loss(), progress.accuracy(), progress.accuracy5()));
        if (window != null && window.add(trainer, progress)) {
            double left = (progress.sampleCount() - progress.samples()) / Math.max(1e-9, progress.imagesPerSecond());
            console.print(
                    "  step %d (%d/%d) - rate %s - %s - %.0f images/s - ETA %s",
                    progress.step(),
                    progress.batch(),
                    progress.batches(),
                    Decimals.rounded(progress.rate(), 4),
                    measured("", window.loss(), window.accuracy(), window.accuracy5()),
                    progress.imagesPerSecond(),
                    ProgressBar.duration(left));
        }
    }

    @Override
    public void onEpochEnd(Trainer trainer, EpochRecord epoch) {
        String detail = measured("", epoch.loss(), epoch.accuracy(), epoch.accuracy5())
                + (Double.isNaN(epoch.validationLoss())
                        ? ""
                        : " - "
                                + measured(
                                        "val_",
                                        epoch.validationLoss(),
                                        epoch.validationAccuracy(),
                                        epoch.validationAccuracy5()));
        if (bar == null) {
            // All of the epoch's steps were done before the run was resumed.
            console.print("%s - %s", ProgressBar.duration(epoch.seconds()), detail);
        } else {
            bar.finish(detail);
        }
    }

    private String measured(String prefix, double loss, double rank1, double rank5Value) {
        String text = String.format(Locale.ROOT, "%sloss: %.4f - %srank-1: %.4f", prefix, loss, prefix, rank1);
        return rank5 ? text + String.format(Locale.ROOT, " - %srank-5: %.4f", prefix, rank5Value) : text;
    }
}
