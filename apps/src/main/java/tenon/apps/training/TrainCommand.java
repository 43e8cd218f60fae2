package tenon.apps.training;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Locale;
import java.util.Map;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import tenon.apps.cli.BuildBar;
import tenon.apps.cli.ComputeOptions;
import tenon.apps.cli.Console;
import tenon.apps.cli.ImageSize;
import tenon.apps.cli.TenonCommand;
import tenon.apps.cli.UsageException;
import tenon.io.build.BuildReport;
import tenon.io.build.BuildSettings;
import tenon.io.build.ImageFolderBuilder;
import tenon.io.record.LabelKind;
import tenon.io.record.RecordSchema;
import tenon.io.record.Records;

/** {@code tenon train}: a network on a record file or a folder of class folders. */
@Command(
        name = "train",
        description = {
            "Trains a network on a record file (.trec) or on a folder with one folder of pictures per class.",
            "Ctrl-C finishes the step and saves; ./tenon resume goes on, and repeats an uninterrupted run exactly."
        },
        footerHeading = "%nExample:%n",
        footer = {
            "  ./tenon train smallvgg --data animals --size 64x64x3 --epochs 50 \\",
            "      --lr 0.05 --schedule cosine --augment affine --output output/animals"
        })
public final class TrainCommand extends TenonCommand {
    @Parameters(
            paramLabel = "NETWORK",
            arity = "0..1",
            description = "One of ${COMPLETION-CANDIDATES}. Default: minivgg.")
    private NetworkSpec.Kind network;

    @Option(names = "--network", paramLabel = "NAME", description = "The same as an option.")
    private NetworkSpec.Kind networkOption;

    @Option(
            names = "--data",
            paramLabel = "PATH",
            required = true,
            description = "Record file, or folder of class folders.")
    private Path data;

    @Option(
            names = "--val",
            paramLabel = "FILE",
            description = "Record file to validate with (default: a share of --data, see --val-share).")
    private Path validation;

    @Option(
            names = "--val-share",
            paramLabel = "SHARE",
            defaultValue = "0.1",
            description =
                    "Share of --data held out without --val: random pictures of a folder, the last ones of a file."
                            + " Default: ${DEFAULT-VALUE}.")
    private double validationShare;

    @Option(
            names = "--size",
            paramLabel = "HxWxC",
            description = "Size that pictures are squashed to (default: as stored, or where sizes differ the network's"
                    + " original size, e.g. 64x64x3 for smallvgg).")
    private ImageSize size;

    @Option(
            names = "--normalize",
            paramLabel = "NAME",
            description = "How values become inputs, one of ${COMPLETION-CANDIDATES}. Default: as in the case study of"
                    + " --augment, unit without one.")
    private Scaling scaling;

    @Option(
            names = "--augment",
            paramLabel = "NAME",
            defaultValue = "none",
            description = "How pictures are stored, changed at random and looked at, one of ${COMPLETION-CANDIDATES}."
                    + " ./tenon augment says what each does, and shows it. Default: ${DEFAULT-VALUE}.")
    private Augmentation augmentation;

    @Mixin
    private NetworkOptions networkOptions;

    @Option(
            names = "--norm",
            paramLabel = "NAME",
            description = "Running averages of batch norm: slow (Keras's) or fast (PyTorch's and MXNet's)."
                    + " Default: as in the network's original experiment, e.g. slow for minivgg.")
    private Norm norm;

    @Option(
            names = "--epochs",
            paramLabel = "N",
            defaultValue = "20",
            description = "Passes over the training pictures. Default: ${DEFAULT-VALUE}.")
    private int epochs;

    @Option(
            names = "--batch",
            paramLabel = "N",
            defaultValue = "32",
            description = "Pictures per update. Default: ${DEFAULT-VALUE}.")
    private int batch;

    @Option(
            names = "--optimizer",
            paramLabel = "NAME",
            defaultValue = "sgd",
            description = "One of ${COMPLETION-CANDIDATES}. Default: ${DEFAULT-VALUE}.")
    private OptimizerSpec.Kind optimizer;

    @Option(
            names = "--lr",
            paramLabel = "RATE",
            description = "Learning rate (default: 0.01 for sgd, 0.001 for the others).")
    private Double rate;

    @Option(
            names = "--momentum",
            paramLabel = "M",
            defaultValue = "0.9",
            description = "Of sgd. Default: ${DEFAULT-VALUE}.")
    private double momentum;

    @Option(names = "--nesterov", description = "Let sgd look ahead.")
    private boolean nesterov;

    @Option(
            names = "--weight-decay",
            paramLabel = "D",
            defaultValue = "0",
            description = "L2 term on weights. Default: ${DEFAULT-VALUE}.")
    private double weightDecay;

    @Option(
            names = "--schedule",
            paramLabel = "NAME",
            defaultValue = "constant",
            description = "How the rate changes, one of ${COMPLETION-CANDIDATES}. Default: ${DEFAULT-VALUE}.")
    private ScheduleSpec.Kind schedule;

    @Option(
            names = "--warm-up",
            paramLabel = "EPOCHS",
            defaultValue = "0",
            description = "Epochs in which the rate rises to --lr. Default: ${DEFAULT-VALUE}.")
    private double warmUp;

    @Option(
            names = "--label-smoothing",
            paramLabel = "S",
            defaultValue = "0",
            description = "Share of each target spread over all classes. Default: ${DEFAULT-VALUE}.")
    private double labelSmoothing;

    @Option(
            names = "--best-by",
            paramLabel = "NAME",
            defaultValue = "val_acc",
            description =
                    "What the best epoch is chosen by, one of ${COMPLETION-CANDIDATES}. Default: ${DEFAULT-VALUE}.")
    private RunConfig.Judge judge;

    @Option(
            names = "--patience",
            paramLabel = "N",
            defaultValue = "0",
            description = "Stop after N epochs in a row without a better one; 0: never. Default: ${DEFAULT-VALUE}.")
    private int patience;

    @Option(
            names = "--checkpoint-every",
            paramLabel = "N",
            defaultValue = "1",
            description = "Epochs between checkpoints. Default: ${DEFAULT-VALUE}.")
    private int checkpointEvery;

    @Option(
            names = "--output",
            paramLabel = "DIR",
            defaultValue = "output/train",
            description = "Folder of the run. Default: ${DEFAULT-VALUE}.")
    private Path output;

    @Mixin
    private LoaderOptions loader;

    @Mixin
    private ComputeOptions compute;

    /** How fast batch norm's running averages follow. */
    public enum Norm {
        SLOW,
        FAST;

        @Override
        public String toString() {
            return name().toLowerCase(Locale.ROOT);
        }
    }

    private void chooseNetwork() {
        if (network != null && networkOption != null && network != networkOption) {
            throw new UsageException("one network, please: given " + network + " and --network " + networkOption);
        }
        if (network == null) {
            network = networkOption != null ? networkOption : NetworkSpec.Kind.MINIVGG;
        }
    }

    private double norm() {
        if (norm == null) {
            return network.defaultNormMomentum();
        }
        return norm == Norm.SLOW ? NetworkSpec.SLOW_NORM : NetworkSpec.FAST_NORM;
    }

    @Override
    protected Map<String, ?> run(Console console) throws IOException {
        chooseNetwork();
        compute.settings();
        loader.settings();
        if (!(validationShare > 0 && validationShare < 1)) {
            throw new UsageException("--val-share must lie between 0 and 1: " + validationShare);
        }
        TrainingRun.requireUnused(output);
        try (TrainingRun run = TrainingRun.start(config(console), output, console)) {
            return TrainingReport.train(run, output, console);
        }
    }

    private RunConfig config(Console console) throws IOException {
        Path file = data;
        Path held = validation;
        if (Files.isDirectory(data)) {
            BuildReport report = buildRecords(console);
            file = report.part("train").file();
            held = validation != null ? validation : report.part("val").file();
        }
        RecordSchema schema = schema(file);
        NetworkSpec spec = networkSpec(schema);
        DataSpec.Part all = DataSpec.Part.whole(file);
        DataSpec.Part train = all;
        DataSpec.Part judgedBy;
        if (held != null) {
            checkSameClasses(schema, held);
            judgedBy = DataSpec.Part.whole(held);
        } else {
            int count = Math.clamp(Math.round(all.size() * validationShare), 1, Math.max(1, all.size() - 1));
            train = new DataSpec.Part(all.file(), 0, all.size() - count);
            judgedBy = new DataSpec.Part(all.file(), all.size() - count, all.size());
        }
        double defaultRate = optimizer == OptimizerSpec.Kind.SGD ? 0.01 : 0.001;
        return new RunConfig(
                spec,
                new DataSpec(train, judgedBy, scaling(schema, console).normalization(schema), schema.classNames()),
                augmentation,
                epochs,
                batch,
                false,
                new OptimizerSpec(optimizer, optimizer == OptimizerSpec.Kind.SGD ? momentum : 0, nesterov, weightDecay),
                new ScheduleSpec(schedule, rate != null ? rate : defaultRate, warmUp),
                labelSmoothing,
                judge,
                patience,
                true,
                checkpointEvery,
                loader.settings(),
                compute.settings());
    }

    private Scaling scaling(RecordSchema training, Console console) {
        if (scaling != null) {
            return scaling;
        }
        if (augmentation.scaling() == Scaling.MEAN && training.channelMeans().isEmpty()) {
            console.print("The records do not say their channel means: subtracting ImageNet's (--normalize vgg-mean)");
            return Scaling.VGG_MEAN;
        }
        return augmentation.scaling();
    }

    /** A folder is packed first. */
    private BuildReport buildRecords(Console console) throws IOException {
        ImageSize stored = size != null ? size : network.defaultInput();
        ImageFolderBuilder builder = new ImageFolderBuilder(data).stratified(true);
        if (validation == null) {
            builder.split("val", validationShare);
        }
        Path folder = Files.createDirectories(output.resolve("data"));
        BuildReport report = builder.build(BuildSettings.into(folder)
                .seed(compute.settings().seed())
                .store(augmentation.fit().imageStore(stored))
                .progress(new BuildBar(console)));
        report.parts().forEach(part -> console.print("%s: %d pictures", part.split(), part.sampleCount()));
        return report;
    }

    private static RecordSchema schema(Path file) {
        try (Records reader = Records.open(file)) {
            if (reader.schema().label() != LabelKind.CLASS) {
                throw new UsageException(file + " must hold class labels: it holds labels of kind "
                        + reader.schema().label());
            }
            return reader.schema();
        }
    }

    private static void checkSameClasses(RecordSchema schema, Path held) {
        if (!schema(held).classNames().equals(schema.classNames())) {
            throw new UsageException("--val must have the classes of --data: "
                    + schema(held).classNames() + " in " + held + ", " + schema.classNames() + " in --data");
        }
    }

    private NetworkSpec networkSpec(RecordSchema schema) {
        return networkOptions.spec(network, input(schema), schema.classNames().size(), norm());
    }

    private ImageSize input(RecordSchema schema) {
        if (size != null) {
            return size;
        }
        // Where pictures are stored larger than they go in, their size says nothing.
        return schema.height() > 0 && augmentation.fit() == Fit.SQUASH
                ? new ImageSize(schema.height(), schema.width(), schema.channels())
                : network.defaultInput();
    }
}
