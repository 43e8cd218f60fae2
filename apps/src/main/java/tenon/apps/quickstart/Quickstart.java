package tenon.apps.quickstart;

import java.io.IOException;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import tenon.apps.cli.ComputeOptions;
import tenon.apps.cli.Console;
import tenon.apps.cli.ProgressBar;
import tenon.apps.cli.UsageException;
import tenon.apps.doctor.SystemFacts;
import tenon.apps.pictures.Fonts;
import tenon.apps.training.Classifier;
import tenon.apps.training.DataSpec;
import tenon.apps.training.EpochPrinter;
import tenon.apps.training.LoaderSettings;
import tenon.apps.training.NetworkSpec;
import tenon.apps.training.Plots;
import tenon.apps.training.RunConfig;
import tenon.apps.training.TrainingResult;
import tenon.apps.training.TrainingRun;
import tenon.engine.TenonException;
import tenon.io.data.Normalization;
import tenon.io.record.RecordReader;
import tenon.io.record.RecordSchema;
import tenon.optim.metrics.ClassificationReport;
import tenon.optim.metrics.Evaluation;

/**
 * The quickstart's steps, given the IDX files.
 *
 * @param limit most training images to use, held-out ones included; null for all
 */
record Quickstart(QuickstartRecipe recipe, Integer limit, Path output, ComputeOptions compute, Console console) {
    /** @return what {@code --json} prints */
    Map<String, Object> run(Path idxFolder) throws IOException {
        FashionRecords records = FashionRecords.prepare(idxFolder, output.resolve("data"), console);
        int used = limit == null ? records.trainCount() : Math.min(limit, records.trainCount());
        try (TrainingRun run = TrainingRun.startOrContinue(config(records, used), output, console)) {
            RunConfig config = run.config();
            console.print(
                    "Training %s on %,d pictures, %,d held out, %d epochs",
                    config.network().kind(),
                    config.data().train().size(),
                    config.data().validation().size(),
                    config.epochs());
            TrainingResult result = run.train(EpochPrinter.Unit.SAMPLES);
            if (result.interrupted()) {
                throw new TenonException(
                        "interrupted: ./tenon quickstart with the same options goes on from " + result.checkpoint());
            }
            console.print("Epoch %d was the best on the held-out pictures", result.bestEpoch());
            return report(run, result, records, used);
        }
    }

    private RunConfig config(FashionRecords records, int used) {
        int heldOut = (int) Math.round(used * recipe.heldOutFraction());
        if (heldOut < 1 || heldOut >= used) {
            throw new UsageException("--limit leaves too few pictures to hold some out: " + used);
        }
        RecordSchema schema;
        try (RecordReader reader = RecordReader.open(records.train())) {
            schema = reader.schema();
        }
        String file = records.train().toAbsolutePath().toString();
        return new RunConfig(
                new NetworkSpec(
                        recipe.network(),
                        schema.height(),
                        schema.width(),
                        schema.channels(),
                        schema.classNames().size(),
                        NetworkSpec.FAST_NORM),
                new DataSpec(
                        new DataSpec.Part(file, 0, used - heldOut),
                        new DataSpec.Part(file, used - heldOut, used),
                        Normalization.standardize(schema),
                        schema.classNames()),
                recipe.augmentation(),
                recipe.epochs(),
                recipe.batchSize(),
                true,
                recipe.optimizer(),
                recipe.schedule(),
                recipe.labelSmoothing(),
                RunConfig.Judge.VAL_ACC,
                0,
                true,
                1,
                LoaderSettings.DEFAULT,
                compute.settings());
    }

    /** The test images are looked at here, once, with the weights that the held-out images chose. */
    private Map<String, Object> report(TrainingRun run, TrainingResult result, FashionRecords records, int used)
            throws IOException {
        Evaluation evaluation = run.evaluate(DataSpec.Part.whole(records.test()));
        List<String> names = run.config().data().classNames();
        console.print("");
        console.print(ClassificationReport.of(evaluation.confusion(), names).toString());
        console.print(
                "Test: %.2f %% right (rank-1), %.2f %% among the first five, loss %.4f",
                100 * evaluation.rank1(), 100 * evaluation.rank5(), evaluation.loss());
        Path plot = output.resolve("plot.png");
        Path predictions = output.resolve("predictions.png");
        boolean drawn = draw(run.classifier(), result, records, plot, predictions);
        console.print(
                "Trained in %s, %.0f pictures/s", ProgressBar.duration(result.seconds()), result.imagesPerSecond());
        console.print("Checkpoint:  %s", result.checkpoint());
        console.print("Try it:      ./tenon predict %s PICTURE...", output);

        Map<String, Object> values = new LinkedHashMap<>();
        values.put("dataset", "fashion-mnist");
        values.put("train_images", used);
        values.put("test_images", records.testCount());
        values.put("epochs", result.epochs());
        values.put("test_top1", evaluation.rank1());
        values.put("train_images_per_second", result.imagesPerSecond());
        values.put("seconds", result.seconds());
        values.put("loader_wait_share", result.waitShare());
        values.put("peak_rss_mb", peakResidentMegabytes());
        values.put("checkpoint", result.checkpoint().toString());
        values.put("plot", drawn ? plot.toString() : null);
        return values;
    }

    /** Draws both pictures; a machine without fonts gets a warning instead: the network is trained all the same. */
    private boolean draw(
            Classifier classifier, TrainingResult result, FashionRecords records, Path plot, Path predictions)
            throws IOException {
        if (!Fonts.available()) {
            console.warn("no pictures drawn: no fonts on this machine (./tenon doctor says what to install)");
            return false;
        }
        Plots.training(plot, "Training Loss and Accuracy (Fashion-MNIST)", result.history());
        PredictionSheet.write(predictions, classifier, records.test());
        console.print("Plot:        %s", plot);
        console.print("Predictions: %s", predictions);
        return true;
    }

    private static Double peakResidentMegabytes() {
        var bytes = SystemFacts.HERE.peakResident();
        return bytes.isPresent() ? Math.round(bytes.getAsLong() / 1e5) / 10.0 : null;
    }
}
