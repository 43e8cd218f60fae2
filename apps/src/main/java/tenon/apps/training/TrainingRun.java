package tenon.apps.training;

import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.stream.Collectors;
import tenon.apps.cli.Console;
import tenon.apps.cli.Decimals;
import tenon.apps.cli.Interruption;
import tenon.apps.cli.UsageException;
import tenon.engine.Precision;
import tenon.engine.Scope;
import tenon.engine.TenonException;
import tenon.engine.autograd.Autograd;
import tenon.engine.backend.Backend;
import tenon.layers.Module;
import tenon.optim.Optimizer;
import tenon.optim.checkpoint.CheckpointStore;
import tenon.optim.checkpoint.ModelFile;
import tenon.optim.metrics.Evaluation;
import tenon.optim.tensorboard.TensorBoardWriter;
import tenon.optim.train.EarlyStopping;
import tenon.optim.train.EpochRecord;
import tenon.optim.train.Evaluator;
import tenon.optim.train.History;
import tenon.optim.train.HistoryWriter;
import tenon.optim.train.Loss;
import tenon.optim.train.Monitor;
import tenon.optim.train.Replica;
import tenon.optim.train.Replicas;
import tenon.optim.train.RunManifest;
import tenon.optim.train.Trainer;
import tenon.optim.train.WeightAverage;

/**
 * A training run in its folder, from the configuration to the trained network. Confined to the thread that opened it; closing it frees the network
 * and the back-end.
 */
public final class TrainingRun implements AutoCloseable {
    private final RunConfig config;
    private final RunFolder folder;
    private final Console console;
    private final Start start;
    private final RunManifest manifest;
    private final Backend backend;
    /** Of the other devices. */
    private final List<Backend> further;

    private final Precision precision;
    private final Scope scope;
    private final Module network;
    private WeightsReader.Loaded loaded;

    /**
     * Where training begins.
     *
     * @param continued whether the folder's newest checkpoint is gone on from
     * @param branches of the run, the one to train last
     */
    private record Start(boolean continued, List<Branch> branches) {
        static final Start NEW = new Start(false, List.of(Branch.FIRST));

        Branch branch() {
            return branches.getLast();
        }
    }

    private TrainingRun(RunConfig config, RunFolder folder, Console console, Start start) {
        this.config = config;
        this.folder = folder;
        this.console = console;
        this.start = start;
        backend = config.compute().open();
        try {
            further = config.compute().openFurther();
        } catch (RuntimeException e) {
            backend.close();
            throw e;
        }
        scope = Scope.open("model", backend);
        try {
            Autograd.setCheckFinite(config.compute().checkFinite());
            precision = config.compute().precision(backend, console);
            network = network();
            console.print("Computing on %s in %s", backend.description(), precision);
            if (!further.isEmpty()) {
                console.print(
                        "together with %s: a batch on each, %d to an update; steps run operation by operation, not as"
                                + " CUDA graphs",
                        further.stream().map(Backend::description).collect(Collectors.joining(", ")),
                        config.batchesPerStep());
            }
            manifest = RunManifest.collect(
                    command(),
                    precision.toString(),
                    config.compute().seed(),
                    new TreeMap<>(Map.of(
                            "backend", config.compute().device(),
                            "threads", Integer.toString(config.compute().threads()),
                            "decoder", config.loader().library().description())));
            boolean fresh = !start.continued() || !folder.hasCheckpoint(start.branch());
            if (fresh && config.start().weights() != null) {
                loadPretrained();
            }
        } catch (RuntimeException e) {
            close();
            throw e;
        }
    }

    private Module network() {
        Module built = config.network().build();
        config.start().freeze(built);
        built.computeIn(precision);
        return built;
    }

    private Optimizer optimizer(Module of) {
        return config.optimizer().create(of, config.start().rateScale(of));
    }

    private Replicas replicas() {
        return Replicas.open(further, () -> {
            Module copy = network();
            return new Replica(copy, optimizer(copy));
        });
    }

    private void loadPretrained() {
        Path weights = Path.of(config.start().weights());
        loaded = WeightsReader.installed().load(weights, config.network(), network);
        console.print("Weights of %s", weights);
        loaded.text().lines().forEach(line -> console.print("    %s", line));
        Scaling known = loaded.scaling();
        if (known != null
                && !config.data().train().isSynthetic()
                && !known.normalization(null)
                        .isSame(config.data().normalization(), config.network().channels())) {
            console.warn("these weights know pictures whose values are " + known.description() + " (--normalize "
                    + known + "); this run scales them otherwise");
        }
    }

    private static List<String> command() {
        String command = System.getProperty("sun.java.command", "");
        return command.isEmpty() ? List.of() : List.of(command.split(" "));
    }

    /** Throws unless the folder holds no run yet; cheap, so that it comes before any work. */
    static void requireUnused(Path path) {
        if (new RunFolder(path).isUsed()) {
            throw new UsageException(path + " holds a training run already: go on with it (./tenon resume " + path
                    + ") or choose another --output");
        }
    }

    /** Begins a run in a folder that holds none. */
    public static TrainingRun start(RunConfig config, Path path, Console console) {
        requireUnused(path);
        return new TrainingRun(config, new RunFolder(path), console, Start.NEW);
    }

    /** Goes on with the folder's run if it was interrupted and computes the same; otherwise begins anew in its place. */
    public static TrainingRun startOrContinue(RunConfig config, Path path, Console console) throws IOException {
        RunFolder folder = new RunFolder(path);
        if (folder.isUsed()) {
            if (!folder.isFinished() && folder.readConfig().isSame(config)) {
                console.print("Going on with the run in %s", path);
                return new TrainingRun(config, folder, console, new Start(true, folder.branches()));
            }
            folder.clear();
        }
        return new TrainingRun(config, folder, console, Start.NEW);
    }

    /** Goes on with a run, as {@code how} says. */
    static TrainingRun resume(Path path, Resumption how, Console console) throws IOException {
        RunFolder folder = RunFolder.around(path);
        RunConfig config = how.applyTo(folder.readConfig());
        List<Branch> branches = new ArrayList<>(folder.branches());
        if (how.branches()) {
            Branch next = how.branch(folder, branches);
            config = how.onBranch(config, next);
            folder.keepHistory(branches.getLast());
            branches.add(next);
            console.print(
                    "Branch %d goes on from %s%s",
                    next.number(),
                    next.checkpoint(),
                    next.rate() == null ? "" : " with rate " + Decimals.plain(next.rate()));
        }
        return new TrainingRun(config, folder, console, new Start(true, List.copyOf(branches)));
    }

    public Path folder() {
        return folder.folder();
    }

    public RunConfig config() {
        return config;
    }

    /** What became of the weights that the run begins with; null where it begins with none, or goes on. */
    WeightsReader.Loaded loaded() {
        return loaded;
    }

    /** Trains to the end, or until early stopping or somebody ends it; afterwards the network holds the weights that the configuration asks for. */
    public TrainingResult train(EpochPrinter.Unit unit) throws IOException {
        return train(new Watching(new EpochPrinter(console, unit), StopLimits.NONE, 0));
    }

    TrainingResult train(Watching watching) throws IOException {
        Optional<String> earlierDecoder = start.continued() ? folder.decoder() : Optional.empty();
        folder.write(config, start.branches(), manifest, false);
        CheckpointStore store = folder.store(start.branch(), config.checkpoints());
        Monitor monitor = monitor();
        Throughput throughput = new Throughput();
        StopLimits.Watch limits = watching.limits().watch();
        EarlyStopping early = config.patience() > 0 ? new EarlyStopping(monitor, config.patience()) : null;
        try (Scope _ = Scope.open("trainer");
                Replicas replicas = replicas();
                DataFeed training = DataFeed.training(config);
                DataFeed validation = DataFeed.evaluation(config, config.data().validation());
                TensorBoardWriter tensorBoard = watching.tensorBoard(folder.folder(), start.branch())) {
            if (training.isEncoded()) {
                earlierDecoder.ifPresent(this::warnOfDecoder);
            }
            if (backend.augmentation() != null && training.records() != null) {
                console.print(
                        "Pictures are mirrored and normalized by %s",
                        training.records().finisher());
            }
            Trainer.Builder builder = builder(training, validation, replicas)
                    .checkpoints(
                            store,
                            config.checkpointEvery(),
                            config.checkpoints().everySteps())
                    .bestBy(monitor)
                    .manifest(manifest)
                    .callback(throughput)
                    .callback(watching.printer())
                    .callback(new HistoryWriter(folder.folder()))
                    .callback(limits);
            if (early != null) {
                builder.callback(early);
            }
            if (tensorBoard != null) {
                builder.callback(tensorBoard);
            }
            Trainer trainer = builder.build();
            if (start.continued()) {
                restore(trainer);
            }
            boolean interrupted;
            History history;
            try (Interruption interruption =
                    new Interruption(console, "finishing this step and saving a checkpoint", trainer::requestStop)) {
                history = trainer.fit(Math.max(watching.limits().epochs(config.epochs()), trainer.epoch()));
                interrupted = interruption.requested() && trainer.epoch() < config.epochs();
                if (interrupted) {
                    console.print("\nSaved. To go on: ./tenon resume %s", folder.folder());
                }
            }
            boolean complete = trainer.epoch() >= config.epochs() || early != null && early.stoppedEpoch() >= 0;
            if (complete) {
                folder.write(config, start.branches(), manifest, true);
            }
            return finish(
                    store,
                    history,
                    early,
                    interrupted,
                    complete || interrupted ? null : limits.reached(),
                    throughput,
                    training,
                    validation);
        }
    }

    private Monitor monitor() {
        return Monitor.of(config.judge().toString());
    }

    /** What every way of training has. */
    private Trainer.Builder builder(DataFeed training, DataFeed validation, Replicas replicas) {
        int stepsPerEpoch = Math.ceilDiv(training.source().batchesPerEpoch(), config.batchesPerStep());
        Trainer.Builder builder = Trainer.builder(
                        network,
                        optimizer(network),
                        config.schedule().schedule(stepsPerEpoch, config.epochs()),
                        Loss.crossEntropy(config.labelSmoothing()),
                        training.source())
                .validation(validation.source())
                .seed(config.compute().seed())
                .accumulate(config.step().accumulate());
        if (replicas.size() > 0) {
            builder.replicas(replicas).callback(new CommunicationPrinter(console));
        }
        if (config.optimizer().isRestarted()) {
            builder.callback(new OptimizerRestarts(config.schedule().changeEpochs()));
        }
        if (config.step().average() > 0) {
            builder.average(new WeightAverage(network, config.step().average()));
        }
        return builder;
    }

    private void restore(Trainer trainer) {
        Optional<Path> found = trainer.resume();
        if (found.isEmpty() && start.branch().checkpoint() != null) {
            found = Optional.of(folder.folder().resolve(start.branch().checkpoint()));
            trainer.branchFrom(found.get());
            if (config.optimizer().isRestarted() && start.branch().rate() != null) {
                trainer.optimizer().restart();
            }
        }
        found.ifPresentOrElse(
                checkpoint -> console.print("Going on from %s", checkpoint),
                () -> console.print("There is no checkpoint yet: beginning anew"));
    }

    /**
     * Opens everything, trains two steps and writes nothing.
     *
     * @return what {@code --json} prints
     */
    Map<String, Object> rehearse() {
        try (Scope _ = Scope.open("trainer");
                Replicas replicas = replicas();
                DataFeed training = DataFeed.training(config);
                DataFeed validation = DataFeed.evaluation(config, config.data().validation())) {
            Throughput throughput = new Throughput();
            StopLimits.Watch limits = new StopLimits(null, 2L, null).watch();
            Trainer trainer = builder(training, validation, replicas)
                    .callback(throughput)
                    .callback(limits)
                    .build();
            trainer.fit(config.epochs());
            return Rehearsal.report(config, network, trainer, backend, console);
        }
    }

    private TrainingResult finish(
            CheckpointStore store,
            History history,
            EarlyStopping early,
            boolean interrupted,
            String limit,
            Throughput throughput,
            DataFeed training,
            DataFeed validation) {
        Path last = store.recover()
                .checkpoint()
                .or(() -> Optional.ofNullable(start.branch().checkpoint()).map(folder.folder()::resolve))
                .orElseThrow(() -> new TenonException("run " + folder.folder() + ": no whole checkpoint was written"));
        Path best = store.best().orElse(last);
        if (config.restoreBest() && !interrupted) {
            ModelFile.load(best, network);
        }
        double seconds =
                history.epochs().stream().mapToDouble(EpochRecord::seconds).sum() + throughput.unfinishedSeconds();
        return new TrainingResult(
                history,
                history.epochs().size(),
                bestEpoch(history),
                early == null ? -1 : early.stoppedEpoch(),
                interrupted,
                limit,
                tenths(seconds),
                tenths(throughput.imagesPerSecond()),
                throughput.share(training.waitNanos()),
                training.skipped() + validation.skipped(),
                config.restoreBest() ? best : last);
    }

    private void warnOfDecoder(String earlier) {
        String now = config.loader().library().description();
        if (!now.equals(earlier)) {
            console.warn("pictures were decoded by " + earlier + " before, and are decoded by " + now
                    + " now: their last bits differ, so the run will not be bit for bit what it would have been");
        }
    }

    private static double tenths(double value) {
        return Math.round(10 * value) / 10.0;
    }

    private int bestEpoch(History history) {
        Monitor monitor = monitor();
        double best = monitor.worst();
        int epoch = 0;
        for (EpochRecord record : history.epochs()) {
            double value = monitor.metric().of(record);
            if (monitor.isBetter(value, best)) {
                best = value;
                epoch = record.epoch();
            }
        }
        return epoch;
    }

    /** Measures the network as it is now; nothing is augmented. */
    public Evaluation evaluate(DataSpec.Part part) {
        try (Scope _ = Scope.open("evaluation");
                DataFeed feed = DataFeed.evaluation(config, part)) {
            Evaluation evaluation = Evaluator.evaluate(network, Loss.crossEntropy(), feed.source());
            if (feed.skipped() > 0) {
                console.warn(feed.skipped() + " pictures could not be read: others were counted in their places");
            }
            return evaluation;
        }
    }

    /** The network as it is now; valid until this is closed. */
    public Classifier classifier() {
        return new Classifier(
                config.network(),
                network,
                config.data().normalization(),
                config.augmentation(),
                config.data().classNames());
    }

    @Override
    public void close() {
        Autograd.setCheckFinite(false);
        scope.close();
        further.forEach(Backend::close);
        backend.close();
    }
}
