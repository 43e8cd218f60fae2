package tenon.apps.training;

import java.io.IOException;
import java.nio.file.Path;
import java.util.Locale;
import java.util.Map;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import tenon.apps.cli.ComputeOptions;
import tenon.apps.cli.ComputeSettings;
import tenon.apps.cli.Console;
import tenon.apps.cli.TenonCommand;
import tenon.apps.cli.UsageException;
import tenon.apps.experiments.Experiment;
import tenon.apps.experiments.Experiments;

/** {@code tenon train}: a network on a record file, a folder of class folders, or random pictures. */
@Command(
        name = "train",
        description = {
            "Trains a network on a record file (.trec) or on a folder with one folder of pictures per class.",
            "Ctrl-C finishes the step and saves; ./tenon resume goes on, and repeats an uninterrupted run exactly."
        },
        footerHeading = "%nExamples:%n",
        footer = {
            "  ./tenon train smallvgg --data animals --size 64x64x3 --epochs 50 \\",
            "      --lr 0.05 --schedule cosine --augment affine --output output/animals",
            "  ./tenon train alexnet --experiment 3 --data train.trec --val val.trec",
            "  ./tenon train resnet50 --synthetic --batch 16 --max-steps 50",
            "  ./tenon train minivgg --data animals --until 30 --output output/run",
            "  ./tenon plot output/run",
            "  ./tenon resume output/run --from-epoch 20 --lr 0.001"
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
            names = "--experiment",
            paramLabel = "N",
            description = "Repeat this experiment of the network: variant, augmentation, optimizer, rates by epoch,"
                    + " batches. Options that are given override it; ./tenon experiments lists all.")
    private Integer experiment;

    @Option(
            names = "--norm",
            paramLabel = "NAME",
            description = "Running averages of batch norm: slow (Keras's) or fast (PyTorch's and MXNet's)."
                    + " Default: as in the network's original experiment, e.g. slow for minivgg.")
    private Norm norm;

    @Option(
            names = "--epochs",
            paramLabel = "N",
            description = "Passes over the training pictures. Default: 20, or the experiment's.")
    private Integer epochs;

    @Option(
            names = "--batch",
            paramLabel = "N",
            description =
                    "Pictures at a time, on each device. Default: 32, or those of one of the experiment's devices.")
    private Integer batch;

    @Option(
            names = "--output",
            paramLabel = "DIR",
            defaultValue = "output/train",
            description = "Folder of the run. Default: ${DEFAULT-VALUE}.")
    private Path output;

    @Option(
            names = "--evaluate-only",
            description =
                    "Train nothing: measure --weights on the pictures to judge by, which the network sees as it was"
                            + " trained.")
    private boolean evaluateOnly;

    @Option(
            names = "--dry-run",
            description = "Open everything, train two updates, say what the run will be, and write nothing but packed"
                    + " pictures.")
    private boolean dryRun;

    @Mixin
    private NetworkOptions networkOptions;

    @Mixin
    private DataOptions data;

    @Mixin
    private OptimizerOptions optimizer;

    @Mixin
    private ScheduleOptions schedule;

    @Mixin
    private RegularizationOptions regularization;

    @Mixin
    private FineTuningOptions fineTuning;

    @Mixin
    private CheckpointOptions checkpoints;

    @Mixin
    private WatchOptions watch;

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
        Experiment repeated = experiment == null ? null : Experiments.find(network, experiment);
        checkCheaply(repeated);
        TrainingRun.requireUnused(output);
        NetworkVariant variant = variant(repeated, console);
        Trained trained = evaluateOnly ? trained() : null;
        RunConfig config = config(repeated, variant, trained, console);
        if (trained != null) {
            trained.check(config, console);
        }
        try (TrainingRun run = TrainingRun.start(config, output, console)) {
            Map<String, Object> values = evaluateOnly
                    ? Measurement.of(run, console)
                    : dryRun ? run.rehearse() : TrainingReport.train(run, output, watch, console);
            if (run.loaded() != null) {
                values.put("weights", run.loaded().values());
            }
            return values;
        }
    }

    /** That of the experiment, or of the weights to begin with where no option says another; null for that of the options. */
    private NetworkVariant variant(Experiment repeated, Console console) {
        if (repeated != null
                || !fineTuning.hasWeights()
                || !networkOptions.variant().equals(NetworkVariant.ORIGINAL)) {
            return repeated == null ? null : repeated.variant();
        }
        NetworkVariant variant = WeightsReader.installed().variant(fineTuning.weights(), network);
        if (!variant.equals(NetworkVariant.ORIGINAL)) {
            console.print("Variant of the weights: %s", variant.options());
        }
        return variant;
    }

    /** Of the weights; null where they do not say it, or are another network's, which do not fit. */
    private Trained trained() throws IOException {
        return SavedModel.trained(fineTuning.weights())
                .filter(known -> known.spec().kind() == network)
                .orElse(null);
    }

    /** What can be wrong with the options, before any work. */
    private void checkCheaply(Experiment repeated) {
        ComputeSettings computing = compute.settings();
        loader.settings();
        watch.limits();
        OptimizerSpec spec = optimizer.spec(repeated == null ? null : repeated.optimizer());
        schedule.spec(spec.kind(), repeated == null ? null : repeated.scheduleSpec());
        StepSettings step = step(repeated, computing);
        data.check(step);
        loader.given().forEach(option -> data.refuseWithoutEffect(option, true));
        checkpoints.settings(false);
        if (evaluateOnly && !fineTuning.hasWeights()) {
            throw new UsageException("--evaluate-only needs --weights: the network to measure");
        }
        if (evaluateOnly && step.erasing() > 0) {
            throw new UsageException(
                    "--random-erasing has no effect with --evaluate-only, which trains nothing: leave it out");
        }
        if (evaluateOnly && dryRun) {
            throw new UsageException("--evaluate-only and --dry-run exclude each other");
        }
    }

    /**
     * @param repeated what holds where nothing is given, or null
     * @param variant of the network; null for that of the options
     * @param trained what is to be measured as it was trained; null for training
     */
    private RunConfig config(Experiment repeated, NetworkVariant variant, Trained trained, Console console)
            throws IOException {
        ComputeSettings computing = compute.settings();
        if (repeated != null) {
            console.print("Experiment %s: %s", repeated.name(), repeated.title());
        }
        DataOptions.Prepared prepared = data.prepare(
                trained != null
                        ? trained.spec().picture()
                        : repeated == null ? network.defaultInput() : repeated.input(),
                repeated == null ? null : repeated.augmentation(),
                trained,
                output,
                computing.seed(),
                console);
        NetworkSpec spec = networkOptions.spec(
                network,
                prepared.input(),
                prepared.data().classNames().size(),
                norm == null && trained != null ? trained.spec().normMomentum() : norm(),
                trained != null ? trained.spec().multiplier() : repeated == null ? 1 : repeated.multiplier(),
                variant);
        OptimizerSpec optimizerSpec = optimizer.spec(repeated == null ? null : repeated.optimizer());
        return new RunConfig(
                spec,
                prepared.data(),
                prepared.augmentation(),
                epochs != null ? epochs : repeated != null ? repeated.epochs() : 20,
                batch != null ? batch : repeated != null ? repeated.batch().perDevice() : 32,
                repeated != null && repeated.batch().dropsLast(),
                optimizerSpec,
                schedule.spec(optimizerSpec.kind(), repeated == null ? null : repeated.scheduleSpec()),
                regularization.labelSmoothing(),
                checkpoints.judge(),
                checkpoints.patience(repeated == null ? 0 : repeated.patience()),
                true,
                checkpoints.every(),
                loader.settings(),
                computing,
                step(repeated, computing),
                fineTuning.settings(),
                checkpoints.settings(watch.stopsEarly() || repeated != null),
                repeated == null ? null : original(repeated));
    }

    private StepSettings step(Experiment repeated, ComputeSettings computing) {
        return regularization.step(
                repeated == null ? null : repeated.batch().devices(),
                computing.devices().size());
    }

    /** Also where nothing was published: the name says what the run repeats. */
    private static Original original(Experiment repeated) {
        return repeated.original() != null ? repeated.original() : new Original(repeated.name(), null, null);
    }
}
