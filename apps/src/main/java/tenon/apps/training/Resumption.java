package tenon.apps.training;

import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import tenon.apps.cli.UsageException;
import tenon.engine.TenonException;
import tenon.optim.train.TrainingPosition;

/**
 * How a run is gone on with; null leaves a setting as it is.
 *
 * @param epochs to train to in all
 * @param device to compute on
 * @param fromEpoch epochs done to go back to
 * @param rate learning rate from there on
 * @param schedule how it falls from there on, constant if null
 */
record Resumption(Integer epochs, String device, Integer fromEpoch, Double rate, ScheduleSpec.Kind schedule) {
    Resumption {
        if (fromEpoch != null && fromEpoch < 1) {
            throw new UsageException("--from-epoch must be at least 1: " + fromEpoch);
        }
        if (schedule != null && rate == null) {
            throw new UsageException("--schedule needs --lr: the rate that it begins with");
        }
        if (schedule == ScheduleSpec.Kind.PIECEWISE) {
            throw new UsageException("--schedule piecewise is for ./tenon train: stop and resume once more instead");
        }
    }

    RunConfig applyTo(RunConfig config) {
        RunConfig result = epochs == null ? config : config.withEpochs(epochs);
        return device == null ? result : result.withDevice(device);
    }

    /** Whether the run goes on in a branch of its own. */
    boolean branches() {
        return fromEpoch != null || rate != null;
    }

    Branch branch(RunFolder folder, List<Branch> branches) throws IOException {
        Branch newest = branches.getLast();
        Path checkpoint = fromEpoch != null
                ? folder.checkpointOfEpoch(fromEpoch)
                : folder.newestCheckpoint(newest)
                        .orElseThrow(() -> new TenonException("run " + folder.folder()
                                + ": there is no whole checkpoint yet to go on from at another rate"));
        String owner = checkpoint.getParent().getFileName().toString();
        int parent = branches.stream()
                .filter(branch -> branch.checkpoints().equals(owner))
                .findFirst()
                .orElse(newest)
                .number();
        return new Branch(
                branches.size() + 1,
                parent,
                TrainingPosition.read(checkpoint).epoch(),
                owner + "/" + checkpoint.getFileName(),
                rate);
    }

    RunConfig onBranch(RunConfig config, Branch branch) {
        if (branch.epoch() >= config.epochs()) {
            throw new UsageException("nothing is left to train after epoch " + branch.epoch() + " of " + config.epochs()
                    + " (say --epochs N)");
        }
        return rate == null
                ? config
                : config.withSchedule(config.schedule()
                        .goingOn(branch.epoch(), rate, schedule != null ? schedule : ScheduleSpec.Kind.CONSTANT));
    }
}
