package tenon.apps.training;

import tenon.apps.cli.UsageException;

/**
 * Which checkpoints of a run are written and kept, besides one every few epochs.
 *
 * @param everySteps updates between checkpoints, 0: none on that account
 * @param keep newest ones to keep, besides the best; 0 keeps all
 */
public record CheckpointSettings(long everySteps, int keep) {
    public static final CheckpointSettings DEFAULT = new CheckpointSettings(0, 2);

    public CheckpointSettings {
        if (everySteps < 0) {
            throw new UsageException("--checkpoint-steps must be at least 0: " + everySteps);
        }
        if (keep < 0) {
            throw new UsageException("--keep must be at least 1, or all: " + keep);
        }
    }

    int kept() {
        return keep == 0 ? Integer.MAX_VALUE : keep;
    }
}
