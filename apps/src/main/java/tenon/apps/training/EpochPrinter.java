package tenon.apps.training;

import java.util.Locale;
import tenon.apps.cli.Console;
import tenon.apps.cli.ProgressBar;
import tenon.optim.train.Callback;
import tenon.optim.train.EpochRecord;
import tenon.optim.train.Progress;
import tenon.optim.train.Trainer;

/**
 * Prints training as Keras does: {@code Epoch 3/75}, then a bar that ends at n/n with loss, acc, val_loss and val_acc. On a terminal the bar moves;
 * elsewhere it is written once, when the epoch is done.
 */
public final class EpochPrinter implements Callback {
    /** What the bar counts. */
    public enum Unit {
        SAMPLES,
        STEPS,
        /** No bar: one line per epoch. */
        EPOCHS
    }

    private final Console console;
    private final Unit unit;
    private int epochs;
    private ProgressBar bar;

    public EpochPrinter(Console console, Unit unit) {
        this.console = console;
        this.unit = unit;
    }

    @Override
    public void onTrainBegin(Trainer trainer, int count) {
        epochs = count;
    }

    @Override
    public void onEpochBegin(Trainer trainer, int epoch) {
        console.print("Epoch %d/%d", epoch, epochs);
        bar = null;
    }

    @Override
    public void onStepEnd(Trainer trainer, Progress progress) {
        if (unit == Unit.EPOCHS) {
            return;
        }
        if (bar == null) {
            bar = unit == Unit.STEPS
                    ? new ProgressBar(console, progress.batches(), "steps")
                    : new ProgressBar(console, progress.sampleCount(), "images");
        }
        long done = unit == Unit.STEPS ? progress.batch() : progress.samples();
        bar.update(done, measured("", progress.loss(), progress.accuracy()));
    }

    @Override
    public void onEpochEnd(Trainer trainer, EpochRecord epoch) {
        String detail = measured("", epoch.loss(), epoch.accuracy())
                + (Double.isNaN(epoch.validationLoss())
                        ? ""
                        : " - " + measured("val_", epoch.validationLoss(), epoch.validationAccuracy()));
        if (bar == null) {
            console.print("%s - %s", ProgressBar.duration(epoch.seconds()), detail);
        } else {
            bar.finish(detail);
        }
    }

    private static String measured(String prefix, double loss, double accuracy) {
        return String.format(Locale.ROOT, "%sloss: %.4f - %sacc: %.4f", prefix, loss, prefix, accuracy);
    }
}
