package tenon.apps.training;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.nio.file.Path;
import java.util.Locale;
import tenon.apps.cli.ComputeSettings;
import tenon.apps.cli.UsageException;
import tenon.engine.TenonException;

/**
 * Everything that decides what a training run computes. It is written into the run's folder, and a run is resumed from it.
 *
 * @param augmentation random changes of training pictures
 * @param dropLast whether a shorter last batch of an epoch is left out
 * @param judge what decides which epoch was best
 * @param patience epochs in a row without a better one after which training stops early; 0 never stops early
 * @param restoreBest whether the weights of the best epoch are put back at the end
 * @param checkpointEvery epochs between checkpoints
 * @param loader how pictures are read
 * @param step what a step does besides
 * @param start where weights come from and which move
 * @param checkpoints which further ones are written, and which are kept
 * @param original the published experiment that the run repeats, or null
 */
public record RunConfig(
        NetworkSpec network,
        DataSpec data,
        Augmentation augmentation,
        int epochs,
        int batchSize,
        boolean dropLast,
        OptimizerSpec optimizer,
        ScheduleSpec schedule,
        double labelSmoothing,
        Judge judge,
        int patience,
        boolean restoreBest,
        int checkpointEvery,
        LoaderSettings loader,
        ComputeSettings compute,
        StepSettings step,
        FineTuning start,
        CheckpointSettings checkpoints,
        Original original) {

    private static final ObjectMapper JSON =
            new ObjectMapper().enable(DeserializationFeature.FAIL_ON_NULL_FOR_PRIMITIVES);

    /** What decides which epoch was best. */
    public enum Judge {
        VAL_ACC,
        VAL_LOSS;

        /** Name of the quantity in the history. */
        @Override
        public String toString() {
            return name().toLowerCase(Locale.ROOT);
        }
    }

    public RunConfig {
        // Runs of before there was the choice.
        loader = loader == null ? LoaderSettings.DEFAULT : loader;
        step = step == null ? StepSettings.PLAIN : step;
        start = start == null ? FineTuning.NONE : start;
        checkpoints = checkpoints == null ? CheckpointSettings.DEFAULT : checkpoints;
        atLeast(1, "--epochs", epochs);
        atLeast(1, "--batch", batchSize);
        atLeast(0, "--patience", patience);
        atLeast(1, "--checkpoint-every", checkpointEvery);
        if (!(labelSmoothing >= 0 && labelSmoothing < 1)) {
            throw new UsageException("--label-smoothing must lie in [0, 1): " + labelSmoothing);
        }
        if (dropLast && data.train().size() < batchSize) {
            throw new UsageException("a batch of " + batchSize + " needs as many training pictures: there are "
                    + data.train().size() + " (make --batch smaller)");
        }
    }

    /** A run without anything special in its steps, its beginning and its checkpoints. */
    public RunConfig(
            NetworkSpec network,
            DataSpec data,
            Augmentation augmentation,
            int epochs,
            int batchSize,
            boolean dropLast,
            OptimizerSpec optimizer,
            ScheduleSpec schedule,
            double labelSmoothing,
            Judge judge,
            int patience,
            boolean restoreBest,
            int checkpointEvery,
            LoaderSettings loader,
            ComputeSettings compute) {
        this(
                network,
                data,
                augmentation,
                epochs,
                batchSize,
                dropLast,
                optimizer,
                schedule,
                labelSmoothing,
                judge,
                patience,
                restoreBest,
                checkpointEvery,
                loader,
                compute,
                null,
                null,
                null,
                null);
    }

    private static void atLeast(int least, String option, int given) {
        if (given < least) {
            throw new UsageException(option + " must be at least " + least + ": " + given);
        }
    }

    /** Batches whose gradients make one update, those of all devices. */
    public int batchesPerStep() {
        return Math.multiplyExact(step.accumulate(), compute.devices().size());
    }

    /** Updates of the weights in an epoch. */
    public int stepsPerEpoch() {
        int batches = dropLast
                ? data.train().size() / batchSize
                : Math.ceilDiv(data.train().size(), batchSize);
        return Math.ceilDiv(batches, batchesPerStep());
    }

    RunConfig withEpochs(int count) {
        return with(count, schedule, compute, step);
    }

    /** On another device, or another number of them; as many batches make an update. */
    RunConfig withDevice(String device) {
        ComputeSettings there = compute.withDevice(device);
        return with(
                epochs,
                schedule,
                there,
                step.spreading(batchesPerStep(), there.devices().size()));
    }

    RunConfig withSchedule(ScheduleSpec newSchedule) {
        return with(epochs, newSchedule, compute, step);
    }

    private RunConfig with(int newEpochs, ScheduleSpec newSchedule, ComputeSettings newCompute, StepSettings newStep) {
        return new RunConfig(
                network,
                data,
                augmentation,
                newEpochs,
                batchSize,
                dropLast,
                optimizer,
                newSchedule,
                labelSmoothing,
                judge,
                patience,
                restoreBest,
                checkpointEvery,
                loader,
                newCompute,
                newStep,
                start,
                checkpoints,
                original);
    }

    JsonNode toJson() {
        return JSON.valueToTree(this);
    }

    /** @param where the file that it was read from, for messages */
    static RunConfig fromJson(JsonNode json, Path where) {
        try {
            return JSON.treeToValue(json, RunConfig.class);
        } catch (JsonProcessingException | IllegalArgumentException e) {
            throw new TenonException(
                    where + ": holds no configuration of a training run of this version: " + e.getMessage(), e);
        }
    }

    /** Whether two runs compute the same. */
    boolean isSame(RunConfig other) {
        // As text: reading JSON changes the types of numbers, not how they are written.
        return toJson().toString().equals(other.toJson().toString());
    }
}
