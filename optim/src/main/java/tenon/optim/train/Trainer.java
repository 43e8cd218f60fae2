package tenon.optim.train;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.function.BooleanSupplier;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import tenon.engine.Generator;
import tenon.engine.NonFiniteException;
import tenon.engine.Scope;
import tenon.engine.backend.Backend;
import tenon.engine.data.BatchIterator;
import tenon.engine.data.BatchSource;
import tenon.layers.Module;
import tenon.layers.Parameter;
import tenon.optim.Optimizer;
import tenon.optim.checkpoint.CheckpointException;
import tenon.optim.checkpoint.CheckpointStore;
import tenon.optim.metrics.Evaluation;
import tenon.optim.schedule.Schedule;

/**
 * Trains a network: forward, loss, backward, update, batch by batch, with validation, history, checkpoints and resume.
 *
 * <p>A resumed run is bit-identical to one that was never interrupted, at whatever step that happened: parameters, buffers, optimizer state, counters
 * and the sums of the unfinished epoch are in the checkpoint; dropout masks depend on seed and step only, batches on the source's seed and the epoch.
 *
 * <p>Runs on the thread that calls {@link #fit}, inside that thread's current scope; only {@link #requestStop} may be called from elsewhere.
 */
public final class Trainer {
    private static final Logger LOG = LoggerFactory.getLogger(Trainer.class);
    private static final String REQUESTED = "stop requested";

    private final Module model;
    private final Optimizer optimizer;
    private final Schedule schedule;
    private final Loss loss;
    private final BatchSource training;
    private final BatchSource validation;
    private final long seed;
    private final CheckpointStore store;
    private final int everyEpochs;
    private final long everySteps;
    private final Monitor best;
    private final boolean allowNonFinite;
    private final boolean captureSteps;
    private final int accumulate;
    private final Replicas replicas;
    private final WeightAverage average;
    private final RunManifest manifest;
    private final List<Callback> callbacks;
    private final TrainingCheckpoint checkpoint;

    private History history = new History();
    private final EpochMeter meter = new EpochMeter();
    private StepRunner steps;
    private int epoch;
    private int batch;
    private long step;
    private double rate = Double.NaN;
    private double bestSaved;
    private String stopReason;
    private boolean resumed;
    private boolean unsaved;
    private volatile boolean stopRequested;

    private Trainer(Builder builder) {
        model = builder.model;
        optimizer = builder.optimizer;
        schedule = builder.schedule;
        loss = builder.loss;
        training = builder.training;
        validation = builder.validation;
        seed = builder.seed;
        store = builder.store;
        everyEpochs = builder.everyEpochs;
        everySteps = builder.everySteps;
        best = builder.best != null ? builder.best : Monitor.of(validation == null ? "loss" : "val_loss");
        allowNonFinite = builder.allowNonFinite;
        captureSteps = builder.captureSteps;
        accumulate = builder.accumulate;
        replicas = builder.replicas;
        average = builder.average;
        manifest = builder.manifest;
        callbacks = List.copyOf(builder.callbacks);
        checkpoint = new TrainingCheckpoint(model, optimizer, callbacks);
        bestSaved = best.worst();
    }

    public static Builder builder(
            Module model, Optimizer optimizer, Schedule schedule, Loss loss, BatchSource training) {
        return new Builder(model, optimizer, schedule, loss, training);
    }

    /** What a trainer may be told besides. */
    public static final class Builder {
        private final Module model;
        private final Optimizer optimizer;
        private final Schedule schedule;
        private final Loss loss;
        private final BatchSource training;
        private BatchSource validation;
        private long seed;
        private CheckpointStore store;
        private int everyEpochs = 1;
        private long everySteps;
        private Monitor best;
        private boolean allowNonFinite;
        private boolean captureSteps = true;
        private int accumulate = 1;
        private Replicas replicas;
        private WeightAverage average;
        private RunManifest manifest;
        private final List<Callback> callbacks = new ArrayList<>();

        private Builder(Module model, Optimizer optimizer, Schedule schedule, Loss loss, BatchSource training) {
            this.model = model;
            this.optimizer = optimizer;
            this.schedule = schedule;
            this.loss = loss;
            this.training = training;
        }

        /** Data to measure the network with at every epoch's end. */
        public Builder validation(BatchSource source) {
            validation = source;
            return this;
        }

        /** Seed of dropout masks and other random ops; 0 unless set. */
        public Builder seed(long newSeed) {
            seed = newSeed;
            return this;
        }

        /** Saves at the end of every epoch, and at the end of {@code fit}. */
        public Builder checkpoints(CheckpointStore newStore) {
            return checkpoints(newStore, 1, 0);
        }

        /**
         * Saves every so many epochs and every so many steps (0: not on that account), on a stop request, and at the end of {@code fit}.
         */
        public Builder checkpoints(CheckpointStore newStore, int newEveryEpochs, long newEverySteps) {
            store = newStore;
            everyEpochs = newEveryEpochs;
            everySteps = newEverySteps;
            return this;
        }

        /** Which saved checkpoint is the best; by default the one of smallest validation loss, or training loss without validation. */
        public Builder bestBy(Monitor monitor) {
            best = monitor;
            return this;
        }

        public Builder callback(Callback callback) {
            callbacks.add(callback);
            return this;
        }

        /** Written into every checkpoint. */
        public Builder manifest(RunManifest newManifest) {
            manifest = newManifest;
            return this;
        }

        /** Goes on when the loss becomes NaN or infinite, instead of ending with an exception. */
        public Builder allowNonFiniteLoss() {
            allowNonFinite = true;
            return this;
        }

        /**
         * Whether a device that can record a step and repeat it by itself (a CUDA graph) does so; it does unless this says no. The numbers are the same; progress and
         * an end by a non-finite loss then lag by up to three steps.
         */
        public Builder captureSteps(boolean wanted) {
            captureSteps = wanted;
            return this;
        }

        /** Batches whose gradients make one update, 1 unless set: one of {@code count} times the batch, in the memory of one. At an epoch's end there may be fewer. */
        public Builder accumulate(int count) {
            if (count < 1) {
                throw new IllegalArgumentException("trainer: accumulate must be at least 1: count=" + count);
            }
            accumulate = count;
            return this;
        }

        /**
         * Further devices: an update takes a batch on each, {@link #accumulate} times, and computes the same as that many batches one after the other on one device, but for
         * running statistics, which are those of the trainer's network and its batches. Steps are not recorded. They stay open when training ends.
         *
         * <p>Parameters that a callback freezes are frozen on all devices from the next step on. Whatever else it changes in the network or the optimizer reaches the further
         * devices when an epoch begins.
         */
        public Builder replicas(Replicas further) {
            replicas = further;
            return this;
        }

        /** Validation and {@link Trainer#evaluate} measure this average of the weights instead of the weights. */
        public Builder average(WeightAverage newAverage) {
            if (!newAverage.isOf(model)) {
                throw new IllegalArgumentException("trainer: the average must be of the trainer's network");
            }
            average = newAverage;
            callbacks.addFirst(newAverage);
            return this;
        }

        public Trainer build() {
            if (training.batchesPerEpoch() < 1) {
                throw new IllegalArgumentException(
                        "trainer: the training data must have a batch: samples=" + training.sampleCount()
                                + ", batchSize=" + training.batchSize() + " (is the last, short batch dropped?)");
            }
            return new Trainer(this);
        }
    }

    // ---- training ----

    /**
     * Trains until {@code epochs} epochs are complete, those before a resume included, or until it is stopped; then {@link #stopReason} says why. May
     * be called again with a larger number.
     *
     * @throws NonFiniteException when the loss becomes NaN or infinite; the parameters are those before that step
     * @throws CheckpointException when a checkpoint cannot be written; nothing is lost, and {@code fit} may be called again
     */
    public History fit(int epochs) {
        if (store != null && !resumed && step == 0 && !store.list().isEmpty()) {
            throw new CheckpointException("trainer: a new run must not mix its checkpoints with another's: folder="
                    + store.folder() + " (resume it, or choose an empty folder)");
        }
        if (!isOver()) {
            stopReason = null;
        }
        Generator.current().manualSeed(seed);
        callbacks.forEach(callback -> callback.onTrainBegin(this, epochs));
        try (StepRunner runner = stepRunner()) {
            steps = runner;
            try {
                while (epoch < epochs && stopReason == null && !stopRequested) {
                    runEpoch(epochs);
                }
            } finally {
                steps = null;
                runner.finish();
            }
        }
        if (stopRequested && stopReason == null) {
            stopReason = REQUESTED;
        }
        stopRequested = false;
        if (store != null && unsaved) {
            save();
        }
        callbacks.forEach(callback -> callback.onTrainEnd(this));
        return history;
    }

    /** True when a callback ended the training for good. */
    private boolean isOver() {
        return stopReason != null && !stopReason.equals(REQUESTED);
    }

    /** Runs what is left of the epoch; after a stop the rest of it is left to a resumed run. */
    private void runEpoch(int epochs) {
        meter.startClock();
        model.train();
        callbacks.forEach(callback -> callback.onEpochBegin(this, epoch + 1));
        if (batch < training.batchesPerEpoch()) {
            try (var _ = Scope.open("epoch");
                    BatchIterator batches = training.iterate(epoch, batch)) {
                while (batches.hasNext()) {
                    trainStep(batches, epochs);
                    if (stopReason != null || stopRequested) {
                        steps.finish();
                        meter.stopClock();
                        return;
                    }
                    if (store != null && everySteps > 0 && step % everySteps == 0 && batches.hasNext()) {
                        save();
                    }
                }
                steps.finish();
            }
        }
        Evaluation measured = null;
        if (validation != null) {
            measured = measure(validation, () -> stopRequested);
            if (measured == null) {
                meter.stopClock();
                return;
            }
            if (!allowNonFinite && !Double.isFinite(measured.loss())) {
                throw new NonFiniteException("trainer: the validation loss must stay finite: epoch=" + (epoch + 1)
                        + ", step=" + step + ", rate=" + rate + ", val_loss=" + measured.loss()
                        + " (lower the learning rate; the last checkpoint is untouched)");
            }
        }
        EpochRecord record = new EpochRecord(
                epoch + 1,
                step,
                rate,
                meter.loss(),
                meter.ranks().rank1(),
                meter.ranks().rank5(),
                measured == null ? Double.NaN : measured.loss(),
                measured == null ? Double.NaN : measured.rank1(),
                measured == null ? Double.NaN : measured.rank5(),
                meter.seconds());
        history.add(record);
        epoch++;
        batch = 0;
        unsaved = true;
        meter.reset();
        callbacks.forEach(callback -> callback.onEpochEnd(this, record));
        if (store != null && everyEpochs > 0 && epoch % everyEpochs == 0) {
            save();
        }
    }

    private void trainStep(BatchIterator batches, int epochs) {
        Generator.current().beginStep(Math.toIntExact(step));
        rate = schedule.rate(step);
        int count = Math.min(batchesPerStep(), training.batchesPerEpoch() - batch);
        long before = (long) batch * training.batchSize();
        long samples = Math.min((long) count * training.batchSize(), training.sampleCount() - before);
        steps.run(batches, new StepId(epoch + 1, batch + 1, step + 1, rate, count, Math.toIntExact(samples)));
        step++;
        batch += count;
        unsaved = true;
        if (!callbacks.isEmpty()) {
            Progress progress = new Progress(
                    epoch + 1,
                    epochs,
                    batch,
                    training.batchesPerEpoch(),
                    step,
                    meter.samples(),
                    training.sampleCount(),
                    rate,
                    meter.loss(),
                    meter.ranks().rank1(),
                    meter.ranks().rank5(),
                    meter.imagesPerSecond());
            for (int i = 0; i < callbacks.size(); i++) {
                callbacks.get(i).onStepEnd(this, progress);
            }
        }
    }

    private StepRunner stepRunner() {
        StepBody body = new StepBody(model, optimizer, loss);
        Backend backend = body.backend();
        if (replicas != null) {
            return new ParallelSteps(body, replicas, training, meter, allowNonFinite);
        }
        return backend.capture() == null || !captureSteps
                ? new EagerSteps(body, meter, allowNonFinite)
                : new CapturedSteps(backend, body, meter, allowNonFinite, this::rollBack);
    }

    /** The step and those after it did not happen. */
    private void rollBack(StepId failed) {
        epoch = failed.epoch() - 1;
        batch = failed.batch() - 1;
        step = failed.step() - 1;
        rate = failed.rate();
    }

    /** Measures the network on other data, as at an epoch's end. */
    public Evaluation evaluate(BatchSource source) {
        return measure(source, () -> false);
    }

    private Evaluation measure(BatchSource source, BooleanSupplier stop) {
        if (average == null) {
            return Evaluator.evaluate(model, loss, source, (_, _) -> {}, stop);
        }
        average.swap();
        try {
            return Evaluator.evaluate(model, loss, source, (_, _) -> {}, stop);
        } finally {
            average.swap();
        }
    }

    /** Asks for an end after the current step, with a checkpoint; for Ctrl-C handlers, from any thread. */
    public void requestStop() {
        stopRequested = true;
    }

    /** Ends the training for good, after the current step or epoch; for callbacks. */
    public void stop(String reason) {
        stopReason = reason;
    }

    // ---- checkpoints ----

    /** Saves a checkpoint now; called between steps. Returns its folder. */
    public Path save() {
        if (steps != null) {
            steps.finish();
        }
        if (store == null) {
            throw new IllegalStateException("trainer: there is nowhere to save: give the builder a checkpoint store");
        }
        if (!allowNonFinite) {
            checkFinite();
        }
        double value = batch == 0 && !history.epochs().isEmpty()
                ? best.metric().of(history.epochs().getLast())
                : Double.NaN;
        boolean better = best.isBetter(value, bestSaved);
        double newBest = better ? value : bestSaved;
        TrainingState state = new TrainingState(
                TrainingState.FORMAT,
                epoch,
                batch,
                step,
                meter.state(),
                seed,
                training.batchSize(),
                training.batchesPerEpoch(),
                optimizer.settings(),
                optimizer.stepCount(),
                schedule.toString(),
                best.metric().key(),
                newBest,
                isOver() ? stopReason : null,
                checkpoint.callbackStates(),
                history.toJson(),
                manifest);
        Path saved = checkpoint.save(store, state, better);
        bestSaved = newBest;
        unsaved = false;
        return saved;
    }

    /** A finite loss may be followed by an update that is not: such weights must not take a good checkpoint's place. */
    private void checkFinite() {
        for (Parameter parameter : model.parameters()) {
            if (!parameter.value().backend().isFinite(parameter.value())) {
                throw new NonFiniteException("trainer: weights must stay finite: '" + parameter.name()
                        + "' holds NaN or infinity after step=" + step + ", epoch=" + (epoch + 1) + ", rate=" + rate
                        + " (lower the learning rate; nothing was saved, the last checkpoint is untouched)");
            }
        }
    }

    /** Restores the newest whole checkpoint of the store, if there is one; {@link #fit} then goes on from it. Returns its folder. */
    public Optional<Path> resume() {
        if (store == null) {
            throw new IllegalStateException(
                    "trainer: there is nothing to resume from: give the builder a checkpoint store");
        }
        Optional<Path> found = store.recover().checkpoint();
        found.ifPresent(this::restore);
        return found;
    }

    /**
     * Restores a checkpoint's folder into the model, the optimizer, the callbacks and this trainer, which must be made as those that were saved. The
     * schedule may be another one.
     *
     * @throws CheckpointException when the folder is not whole, or does not fit
     */
    public void resume(Path folder) {
        CheckpointStore.problem(folder).ifPresent(problem -> {
            throw new CheckpointException("trainer: the checkpoint must be whole: folder=" + folder + ": " + problem);
        });
        restore(folder);
    }

    /** As {@link #resume(Path)}, for a run that goes on from another's checkpoint in a store of its own, which has no best one yet. */
    public void branchFrom(Path folder) {
        resume(folder);
        bestSaved = best.worst();
        if (isOver()) {
            stopReason = null;
        }
    }

    private void restore(Path folder) {
        TrainingState state = TrainingState.read(folder);
        checkFits(folder, state);
        checkpoint.restore(folder, state);
        history = History.fromJson(state.history());
        epoch = state.epoch();
        batch = state.batch();
        step = state.step();
        meter.restore(state.running());
        rate = step == 0 ? Double.NaN : schedule.rate(step - 1);
        bestSaved = state.bestMetric().equals(best.metric().key()) ? state.bestValue() : best.worst();
        stopReason = state.stopReason();
        resumed = true;
        LOG.info("trainer: resumed from {}: epoch {}, batch {}, step {}", folder, epoch + 1, batch, step);
    }

    private void checkFits(Path folder, TrainingState state) {
        if (state.seed() != seed) {
            throw new CheckpointException("trainer: the checkpoint must be of the same seed: checkpoint=" + state.seed()
                    + ", trainer=" + seed + ", folder=" + folder);
        }
        boolean sameBatches =
                state.batchSize() == training.batchSize() && state.batchesPerEpoch() == training.batchesPerEpoch();
        if (!sameBatches && state.batch() > 0) {
            throw new CheckpointException("trainer: in the middle of an epoch the batches must be the same: checkpoint="
                    + state.batchesPerEpoch()
                    + " of " + state.batchSize() + ", trainer=" + training.batchesPerEpoch() + " of "
                    + training.batchSize() + ", folder=" + folder
                    + " (resume from an epoch's end)");
        }
        if (!sameBatches) {
            LOG.warn("trainer: batches differ from the checkpoint's: the run goes on with other data");
        }
        if (!schedule.toString().equals(state.schedule())) {
            LOG.info("trainer: the schedule differs: checkpoint={}, now={}", state.schedule(), schedule);
        }
    }

    // ---- state ----

    public Module model() {
        return model;
    }

    public Optimizer optimizer() {
        return optimizer;
    }

    /** Epochs measured so far, those before a resume included. */
    public History history() {
        return history;
    }

    /** Epochs complete. */
    public int epoch() {
        return epoch;
    }

    /** Batches done of the next epoch. */
    public int batch() {
        return batch;
    }

    /** How several devices exchange their gradients, for people, while they train; empty on one device. */
    public Optional<String> communication() {
        return Optional.ofNullable(steps).map(StepRunner::communication);
    }

    /** Updates of one epoch. */
    public int stepsPerEpoch() {
        return Math.ceilDiv(training.batchesPerEpoch(), batchesPerStep());
    }

    private int batchesPerStep() {
        return Math.multiplyExact(accumulate, replicas == null ? 1 : 1 + replicas.size());
    }

    /** Updates done. */
    public long step() {
        return step;
    }

    public BatchSource training() {
        return training;
    }

    /** Data of the validation, or null. */
    public BatchSource validation() {
        return validation;
    }

    /** Why {@code fit} returned before all epochs were complete, if it did. */
    public Optional<String> stopReason() {
        return Optional.ofNullable(stopReason);
    }
}
