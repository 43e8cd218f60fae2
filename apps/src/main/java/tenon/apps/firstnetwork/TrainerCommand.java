package tenon.apps.firstnetwork;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import tenon.apps.cli.BuildBar;
import tenon.apps.cli.ComputeOptions;
import tenon.apps.cli.Console;
import tenon.apps.cli.TenonCommand;
import tenon.apps.cli.UsageException;
import tenon.apps.training.DataSpec;
import tenon.apps.training.EpochPrinter;
import tenon.apps.training.LoaderSettings;
import tenon.apps.training.NetworkSpec;
import tenon.apps.training.Plots;
import tenon.apps.training.RunConfig;
import tenon.apps.training.RunFolder;
import tenon.apps.training.SavedModel;
import tenon.apps.training.TrainingResult;
import tenon.apps.training.TrainingRun;
import tenon.engine.TenonException;
import tenon.io.build.BuildReport;
import tenon.io.build.BuildSettings;
import tenon.io.build.ImageFolderBuilder;
import tenon.io.build.ImageStore;
import tenon.io.data.Normalization;
import tenon.optim.metrics.ClassificationReport;
import tenon.optim.metrics.Evaluation;

/**
 * What the two trainers share. Pictures are read as R, G, B here and in {@link PredictCommand} (the original has B, G, R in both). Two classes need
 * no special loss: two logits with softmax cross-entropy are the binary cross-entropy of their difference.
 */
@Command
abstract class TrainerCommand extends TenonCommand {
    @Option(
            names = {"-d", "--dataset"},
            required = true,
            paramLabel = "FOLDER",
            description = "Folder with one folder of pictures per class.")
    private Path dataset;

    @Option(
            names = {"-m", "--model"},
            required = true,
            paramLabel = "FILE",
            description = "Where the trained network goes.")
    private Path model;

    @Option(
            names = {"-l", "--label-bin"},
            required = true,
            paramLabel = "FILE",
            description = "Where the class names go.")
    private Path labels;

    @Option(
            names = {"-p", "--plot"},
            required = true,
            paramLabel = "PNG",
            description = "Where the chart of loss and accuracy goes.")
    private Path plot;

    @Option(
            names = "--epochs",
            paramLabel = "N",
            defaultValue = "" + Program.EPOCHS,
            description = "Epochs, for trial runs. Default: ${DEFAULT-VALUE}.")
    private int epochs;

    @Mixin
    private ComputeOptions compute;

    private final Program program;

    TrainerCommand(Program program) {
        this.program = program;
    }

    @Override
    protected final Map<String, ?> run(Console console) throws IOException {
        compute.settings();
        if (epochs < 1) {
            throw new UsageException("--epochs must be at least 1: " + epochs);
        }
        // Beside the model, so that the same command goes on after an interruption.
        Path work = model.toAbsolutePath().resolveSibling(model.getFileName() + ".work");
        try {
            console.print("[INFO] loading images...");
            return train(config(build(work, console)), work, console);
        } finally {
            // An interrupted run keeps its folder.
            RunFolder.deleteIfFinished(work);
        }
    }

    private Map<String, Object> train(RunConfig config, Path work, Console console) throws IOException {
        try (TrainingRun run = TrainingRun.startOrContinue(config, work, console)) {
            console.print("[INFO] training network...");
            int trained = config.data().train().size();
            int tested = config.data().validation().size();
            if (!program.dropLast()) {
                console.print("Train on %d samples, validate on %d samples", trained, tested);
            }
            TrainingResult result = run.train(program.dropLast() ? EpochPrinter.Unit.STEPS : EpochPrinter.Unit.SAMPLES);
            if (result.interrupted()) {
                throw new TenonException("interrupted after epoch " + result.epochs()
                        + ": the same command goes on from the checkpoint in " + work);
            }
            console.print("[INFO] evaluating network...");
            Evaluation evaluation = run.evaluate(config.data().validation());
            List<String> names = config.data().classNames();
            console.print(ClassificationReport.of(evaluation.confusion(), names).toString());
            Plots.training(plot, "Training Loss and Accuracy (" + program.title() + ")", result.history());
            console.print("[INFO] serializing network and label binarizer...");
            SavedModel.write(model, run.classifier());
            LabelFile.write(labels, new LabelBinarizer(names));
            return summary(result, evaluation, trained, tested);
        }
    }

    private BuildReport build(Path work, Console console) throws IOException {
        Files.createDirectories(work);
        return new ImageFolderBuilder(dataset)
                .split("test", Program.TEST_SHARE)
                .build(BuildSettings.into(work)
                        .seed(Program.SEED)
                        .store(ImageStore.raw(program.side(), program.side(), 3))
                        .progress(new BuildBar(console)));
    }

    private RunConfig config(BuildReport pictures) {
        List<String> names = DataSpec.classNames(pictures.part("train").file());
        return new RunConfig(
                new NetworkSpec(
                        program.network(), program.side(), program.side(), 3, names.size(), NetworkSpec.SLOW_NORM),
                new DataSpec(
                        DataSpec.Part.whole(pictures.part("train").file()),
                        DataSpec.Part.whole(pictures.part("test").file()),
                        Normalization.UNIT,
                        names),
                program.augmentation(),
                epochs,
                Program.BATCH_SIZE,
                program.dropLast(),
                program.optimizer(),
                program.scheduleSpec(),
                0,
                RunConfig.Judge.VAL_ACC,
                0,
                false,
                epochs,
                LoaderSettings.DEFAULT,
                compute.settings());
    }

    private Map<String, Object> summary(TrainingResult result, Evaluation evaluation, int trained, int tested) {
        Map<String, Object> values = new LinkedHashMap<>();
        values.put("train_images", trained);
        values.put("test_images", tested);
        values.put("epochs", result.epochs());
        values.put("test_top1", evaluation.rank1());
        values.put("model", model.toString());
        values.put("labels", labels.toString());
        values.put("plot", plot.toString());
        return values;
    }
}
