package tenon.apps.firstnetwork;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import tenon.apps.cli.BuildBar;
import tenon.apps.cli.ComputeOptions;
import tenon.apps.cli.Console;
import tenon.apps.cli.TenonCommand;
import tenon.apps.cli.UsageException;
import tenon.apps.training.Augmentation;
import tenon.apps.training.DataSpec;
import tenon.apps.training.EpochPrinter;
import tenon.apps.training.LoaderSettings;
import tenon.apps.training.NetworkSpec;
import tenon.apps.training.OptimizerSpec;
import tenon.apps.training.Plots;
import tenon.apps.training.RunConfig;
import tenon.apps.training.ScheduleSpec;
import tenon.apps.training.TrainingResult;
import tenon.apps.training.TrainingRun;
import tenon.engine.TenonException;
import tenon.io.FashionMnist;
import tenon.io.build.BuildSettings;
import tenon.io.build.IdxBuilder;
import tenon.io.data.Normalization;
import tenon.io.record.RecordReader;
import tenon.io.record.RecordSchema;

/** {@code tenon first-network early-stopping}: a dense 784-800-10 net that stops when validation accuracy stops rising. */
@Command(
        name = "early-stopping",
        description = {
            "Trains a dense 784-800-10 network on pictures in MNIST's format and stops when the validation accuracy"
                    + " has not risen for --patience epochs in a row.",
            "The last 20 %% of the training pictures validate. Adam with rate 0.001."
        },
        footerHeading = "%nExample:%n",
        footer = {
            "  ./tenon first-network early-stopping --data mnist --plot early.png",
            "  The folder mnist holds train-images-idx3-ubyte and train-labels-idx1-ubyte."
        })
public final class EarlyStoppingCommand extends TenonCommand {
    private static final double VALIDATION_SHARE = 0.2;

    @Option(
            names = "--data",
            paramLabel = "DIR",
            description = "Folder with train-images-idx3-ubyte and train-labels-idx1-ubyte, plain or .gz (default:"
                    + " Fashion-MNIST).")
    private Path data;

    @Option(
            names = "--epochs",
            paramLabel = "N",
            defaultValue = "25",
            description = "Epochs at most. Default: ${DEFAULT-VALUE}.")
    private int epochs;

    @Option(
            names = "--batch",
            paramLabel = "N",
            defaultValue = "200",
            description = "Pictures per update. Default: ${DEFAULT-VALUE}.")
    private int batch;

    @Option(
            names = "--patience",
            paramLabel = "N",
            defaultValue = "2",
            description = "Epochs in a row without a better validation accuracy that end training. Default:"
                    + " ${DEFAULT-VALUE}.")
    private int patience;

    @Option(names = "--restore-best", description = "Put the best epoch's weights back at the end.")
    private boolean restoreBest;

    @Option(names = "--plot", paramLabel = "PNG", description = "Draw both accuracies over the epochs.")
    private Path plot;

    @Option(
            names = "--output",
            paramLabel = "DIR",
            defaultValue = "output/early-stopping",
            description = "Where records, checkpoints and history go. Default: ${DEFAULT-VALUE}.")
    private Path output;

    @Mixin
    private ComputeOptions compute;

    @Override
    protected Map<String, ?> run(Console console) throws IOException {
        compute.settings();
        if (patience < 1) {
            throw new UsageException("--patience must be at least 1: " + patience);
        }
        try (TrainingRun run = TrainingRun.startOrContinue(config(build(console)), output, console)) {
            console.print(
                    "Train on %d samples, validate on %d samples",
                    run.config().data().train().size(),
                    run.config().data().validation().size());
            TrainingResult result = run.train(EpochPrinter.Unit.EPOCHS);
            if (result.interrupted()) {
                throw new TenonException("interrupted: the same command goes on from " + result.checkpoint());
            }
            console.print(
                    result.stoppedEpoch() < 0
                            ? "Not stopped early: " + result.epochs() + " epochs done"
                            : "Stopped after epoch " + result.epochs() + " (stopped_epoch " + result.stoppedEpoch()
                                    + ", counted from 0); epoch " + result.bestEpoch() + " was the best");
            if (plot != null) {
                Plots.accuracy(plot, result.history());
            }
            Map<String, Object> values = new LinkedHashMap<>();
            values.put("epochs", result.epochs());
            values.put("stopped_epoch", result.stoppedEpoch());
            values.put("best_epoch", result.bestEpoch());
            values.put(
                    "val_acc",
                    result.history().epochs().get(result.bestEpoch() - 1).validationAccuracy());
            values.put("checkpoint", result.checkpoint().toString());
            return values;
        }
    }

    private Path build(Console console) throws IOException {
        Path idxFolder = data != null ? data : FashionMnist.obtain(null, output, console::print);
        List<String> names = data != null
                ? IntStream.range(0, 10).mapToObj(Integer::toString).toList()
                : FashionMnist.CLASS_NAMES;
        Path folder = Files.createDirectories(output.resolve("data"));
        return new IdxBuilder(
                        find(idxFolder, "train-images-idx3-ubyte"), find(idxFolder, "train-labels-idx1-ubyte"), names)
                .build(BuildSettings.into(folder).progress(new BuildBar(console)))
                .part("train")
                .file();
    }

    private static Path find(Path folder, String name) {
        return Stream.of(name, name + ".gz")
                .map(folder::resolve)
                .filter(Files::isRegularFile)
                .findFirst()
                .orElseThrow(() -> new TenonException(folder + ": must hold " + name + " or " + name + ".gz"));
    }

    private RunConfig config(Path file) {
        RecordSchema schema;
        int count;
        try (RecordReader reader = RecordReader.open(file)) {
            schema = reader.schema();
            count = reader.sampleCount();
        }
        int trained = count - (int) Math.round(count * VALIDATION_SHARE);
        String path = file.toAbsolutePath().toString();
        return new RunConfig(
                new NetworkSpec(
                        NetworkSpec.Kind.MNIST,
                        schema.height(),
                        schema.width(),
                        1,
                        schema.classNames().size(),
                        NetworkSpec.SLOW_NORM),
                new DataSpec(
                        new DataSpec.Part(path, 0, trained),
                        new DataSpec.Part(path, trained, count),
                        Normalization.UNIT,
                        schema.classNames()),
                Augmentation.NONE,
                epochs,
                batch,
                false,
                new OptimizerSpec(OptimizerSpec.Kind.ADAM, 0, false, 0),
                new ScheduleSpec(ScheduleSpec.Kind.CONSTANT, 0.001, 0),
                0,
                RunConfig.Judge.VAL_ACC,
                patience,
                restoreBest,
                1,
                LoaderSettings.DEFAULT,
                compute.settings());
    }
}
