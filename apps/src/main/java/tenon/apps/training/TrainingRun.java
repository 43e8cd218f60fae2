package tenon.apps.training;

import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import tenon.apps.cli.Console;
import tenon.apps.cli.Interruption;
import tenon.apps.cli.UsageException;
import tenon.engine.Precision;
import tenon.engine.Scope;
import tenon.engine.TenonException;
import tenon.engine.autograd.Autograd;
import tenon.engine.backend.Backend;
import tenon.io.data.RecordBatchSource;
import tenon.io.record.ImageEncoding;
import tenon.layers.Module;
import tenon.optim.Optimizer;
import tenon.optim.checkpoint.CheckpointStore;
import tenon.optim.checkpoint.ModelFile;
import tenon.optim.metrics.Evaluation;
import tenon.optim.train.EarlyStopping;
import tenon.optim.train.EpochRecord;
import tenon.optim.train.Evaluator;
import tenon.optim.train.History;
import tenon.optim.train.HistoryWriter;
import tenon.optim.train.Loss;
import tenon.optim.train.Monitor;
import tenon.optim.train.RunManifest;
import tenon.optim.train.Trainer;

/**
 * A training run in its folder, from the configuration to the trained network. Confined to the thread that opened it; closing it frees the network
 * and the back-end.
 */
public final class TrainingRun implements AutoCloseable {
    private final RunConfig config;
    private final RunFolder folder;
    private final Console console;
    private final boolean continued;
    private final RunManifest manifest;
    private final Backend backend;
    private final Scope scope;
    private final Module network;

    private TrainingRun(RunConfig config, RunFolder folder, Console console, boolean continued) {
        this.config = config;
        this.folder = folder;
        this.console = console;
        this.continued = continued;
        backend = config.compute().open();
        scope = Scope.open("model", backend);
        Autograd.setCheckFinite(config.compute().checkFinite());
        network = config.network().build();
        Precision precision = config.compute().precision(backend, console);
        network.computeIn(precision);
        console.print("Computing on %s in %s", backend.description(), precision);
        manifest = RunManifest.collect(
                command(),
                precision.toString(),
                config.compute().seed(),
                new TreeMap<>(Map.of(
                        "backend", backend.name(),
                        "threads", Integer.toString(config.compute().threads()),
                        "decoder", config.loader().library().description())));
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
        return new TrainingRun(config, new RunFolder(path), console, false);
    }

    /** Goes on with the folder's run if it was interrupted and computes the same; otherwise begins anew in its place. */
    public static TrainingRun startOrContinue(RunConfig config, Path path, Console console) throws IOException {
        RunFolder folder = new RunFolder(path);
        if (folder.isUsed()) {
            if (!folder.isFinished() && folder.readConfig().isSame(config)) {
                console.print("Going on with the run in %s", path);
                return new TrainingRun(config, folder, console, true);
            }
            folder.clear();
        }
        return new TrainingRun(config, folder, console, false);
    }

    /**
     * Goes on with a run from its newest whole checkpoint.
     *
     * @param epochs to train to, or null for as many as were planned
     * @param device to compute on, or null for the run's own
     */
    public static TrainingRun resume(Path path, Integer epochs, String device, Console console) throws IOException {
        RunFolder folder = RunFolder.around(path);
        RunConfig config = folder.readConfig();
        config = epochs == null ? config : config.withEpochs(epochs);
        return new TrainingRun(device == null ? config : config.withDevice(device), folder, console, true);
    }

    public Path folder() {
        return folder.folder();
    }

    public RunConfig config() {
        return config;
    }

    /** Trains to the end, or until early stopping or somebody ends it; afterwards the network holds the weights that the configuration asks for. */
    public TrainingResult train(EpochPrinter.Unit unit) throws IOException {
        Optional<String> earlierDecoder = continued ? folder.decoder() : Optional.empty();
        folder.write(config, manifest, false);
        CheckpointStore store = folder.store();
        Monitor monitor = Monitor.of(config.judge().toString());
        Throughput throughput = new Throughput();
        EarlyStopping early = config.patience() > 0 ? new EarlyStopping(monitor, config.patience()) : null;
        Loss loss = Loss.crossEntropy(config.labelSmoothing());
        try (Scope _ = Scope.open("trainer");
                RecordBatchSource training = trainingSource();
                RecordBatchSource validation = evaluationSource(config.data().validation())) {
            if (training.schema().encoding() == ImageEncoding.ENCODED) {
                earlierDecoder.ifPresent(this::warnOfDecoder);
            }
            Optimizer optimizer = config.optimizer().create(network);
            Trainer.Builder builder = Trainer.builder(
                            network,
                            optimizer,
                            config.schedule().schedule(training.batchesPerEpoch(), config.epochs()),
                            loss,
                            training)
                    .validation(validation)
                    .seed(config.compute().seed())
                    .checkpoints(store, config.checkpointEvery(), 0)
                    .bestBy(monitor)
                    .manifest(manifest)
                    .callback(throughput)
                    .callback(new EpochPrinter(console, unit))
                    .callback(new HistoryWriter(folder.folder()));
            if (early != null) {
                builder.callback(early);
            }
            Trainer trainer = builder.build();
            if (continued) {
                trainer.resume()
                        .ifPresentOrElse(
                                checkpoint -> console.print("Going on from %s", checkpoint),
                                () -> console.print("There is no checkpoint yet: beginning anew"));
            }
            boolean interrupted;
            History history;
            try (Interruption interruption =
                    new Interruption(console, "finishing this step and saving a checkpoint", trainer::requestStop)) {
                history = trainer.fit(config.epochs());
                interrupted = interruption.requested() && trainer.epoch() < config.epochs();
                if (interrupted) {
                    console.print("\nSaved. To go on: ./tenon resume %s", folder.folder());
                }
            }
            if (!interrupted) {
                folder.write(config, manifest, true);
            }
            return finish(store, history, early, interrupted, throughput, training, validation);
        }
    }

    private TrainingResult finish(
            CheckpointStore store,
            History history,
            EarlyStopping early,
            boolean interrupted,
            Throughput throughput,
            RecordBatchSource training,
            RecordBatchSource validation) {
        Path last = store.recover()
                .checkpoint()
                .orElseThrow(() -> new TenonException("run " + folder.folder() + ": no whole checkpoint was written"));
        Path best = store.best().orElse(last);
        if (config.restoreBest() && !interrupted) {
            ModelFile.load(best, network);
        }
        double seconds =
                history.epochs().stream().mapToDouble(EpochRecord::seconds).sum();
        return new TrainingResult(
                history,
                history.epochs().size(),
                bestEpoch(history),
                early == null ? -1 : early.stoppedEpoch(),
                interrupted,
                tenths(seconds),
                tenths(throughput.imagesPerSecond()),
                throughput.share(training.waitNanos()),
                training.skipped().size() + validation.skipped().size(),
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
        Monitor monitor = Monitor.of(config.judge().toString());
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

    private RecordBatchSource trainingSource() {
        RecordBatchSource.Builder source = source(config.data().train())
                .shuffle(config.loader().shuffle())
                .seed(config.compute().seed())
                .dropLast(config.dropLast());
        NetworkSpec input = config.network();
        return config.augmentation()
                .train(source, input.height(), input.width())
                .open();
    }

    private RecordBatchSource evaluationSource(DataSpec.Part part) {
        NetworkSpec input = config.network();
        return config.augmentation()
                .evaluate(source(part), input.height(), input.width())
                .open();
    }

    private RecordBatchSource.Builder source(DataSpec.Part part) {
        Path file = Path.of(part.file());
        return config.loader()
                .apply(RecordBatchSource.of(file))
                .batchSize(config.batchSize())
                .range(part.from(), part.to())
                .channels(config.network().channels())
                .normalize(config.data().normalization());
    }

    /** Measures the network as it is now; nothing is augmented. */
    public Evaluation evaluate(DataSpec.Part part) {
        try (Scope _ = Scope.open("evaluation");
                RecordBatchSource source = evaluationSource(part)) {
            Evaluation evaluation = Evaluator.evaluate(network, Loss.crossEntropy(), source);
            if (!source.skipped().isEmpty()) {
                console.warn(source.skipped().size() + " pictures could not be read: others were counted in their"
                        + " places");
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
        backend.close();
    }
}
