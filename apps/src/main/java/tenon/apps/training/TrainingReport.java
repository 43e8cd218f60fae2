package tenon.apps.training;

import java.io.IOException;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Locale;
import java.util.Map;
import tenon.apps.cli.Console;
import tenon.apps.cli.ProgressBar;
import tenon.apps.pictures.Fonts;
import tenon.engine.NonFiniteException;
import tenon.engine.TenonException;
import tenon.optim.train.EpochRecord;

/** Trains a run to its end and says what came of it: what {@code train} and {@code resume} share. */
final class TrainingReport {
    private TrainingReport() {}

    static Map<String, Object> train(TrainingRun run, Path folder, WatchOptions watch, Console console)
            throws IOException {
        RunConfig config = run.config();
        console.print(
                "Training %s on %,d pictures of %d classes, %,d held out, %d epochs",
                config.network().kind(),
                config.data().train().size(),
                config.network().classes(),
                config.data().validation().size(),
                config.epochs());
        TrainingResult result;
        try {
            result = run.train(watch.watching(config, console));
        } catch (NonFiniteException e) {
            throw new TenonException(
                    e.getMessage() + "\nTo go on from the last checkpoint at a lower rate: ./tenon resume " + folder
                            + " --lr RATE",
                    e);
        }
        if (result.interrupted()) {
            throw new TenonException("interrupted after " + result.epochs() + " of " + config.epochs() + " epochs");
        }
        if (result.limit() != null) {
            console.print(
                    "Stopped by %s. To go on: ./tenon resume %s; from an earlier epoch at another rate: --from-epoch N"
                            + " --lr RATE",
                    result.limit(), folder);
        }
        if (result.stoppedEpoch() >= 0) {
            console.print("Stopped early: no better epoch in %d", config.patience());
        }
        Map<String, Object> values = new LinkedHashMap<>();
        values.put("epochs", result.epochs());
        values.put("stopped_by", result.limit());
        values.put("best_epoch", result.bestEpoch());
        if (result.bestEpoch() > 0) {
            EpochRecord best = result.history().epochs().get(result.bestEpoch() - 1);
            console.print(
                    "Best epoch %d: val_loss %.4f, val_acc %.4f",
                    best.epoch(), best.validationLoss(), best.validationAccuracy());
            values.put("val_loss", best.validationLoss());
            values.put("val_acc", best.validationAccuracy());
        }
        if (config.original() != null) {
            values.put("experiment", config.original().name());
            values.put("published_rank1", config.original().rank1());
            values.put("published_rank5", config.original().rank5());
            console.print("Published %s", config.original());
        }
        values.put("train_images_per_second", result.imagesPerSecond());
        values.put("seconds", result.seconds());
        values.put("loader_wait_share", result.waitShare());
        values.put("skipped_pictures", result.skipped());
        values.put("checkpoint", result.checkpoint().toString());
        values.put("plot", plot(result, folder, console));
        console.print(
                result.imagesPerSecond() > 0
                        ? String.format(
                                Locale.ROOT,
                                "Trained in %s, %.0f pictures/s, %.1f %% of the time waiting for them",
                                ProgressBar.duration(result.seconds()),
                                result.imagesPerSecond(),
                                100 * result.waitShare())
                        : "Nothing was left to train: " + result.epochs() + " epochs were done before");
        if (result.skipped() > 0) {
            console.warn(result.skipped() + " pictures could not be read: others took their places (--on-error skip)");
        }
        console.print("Checkpoint: %s", result.checkpoint());
        return values;
    }

    private static String plot(TrainingResult result, Path folder, Console console) throws IOException {
        if (!Fonts.available()) {
            console.warn("no chart drawn: no fonts on this machine (./tenon doctor says what to install)");
            return null;
        }
        Path plot = folder.resolve("plot.png");
        Plots.training(plot, "Training Loss and Accuracy", result.history());
        return plot.toString();
    }
}
