package tenon.apps.training;

import tenon.apps.cli.UsageException;

/**
 * What a training step does besides its network's loss. Null, in runs of before there was the choice, is none.
 *
 * @param accumulate batches of each device whose gradients make one update
 * @param mixup α of mixup's Beta distribution, 0 for none
 * @param erasing probability that a rectangle of a picture is erased
 * @param average decay of the averaged weights, 0 for none
 */
public record StepSettings(int accumulate, double mixup, Double erasing, double average) {
    public static final StepSettings PLAIN = new StepSettings(1, 0, 0.0, 0);

    public StepSettings {
        // Runs of before there was the choice.
        erasing = erasing == null ? 0.0 : erasing;
        if (accumulate < 1) {
            throw new UsageException("--accumulate must be at least 1: " + accumulate);
        }
        if (!(mixup >= 0 && mixup <= 100)) {
            throw new UsageException("--mixup must lie in [0, 100]: " + mixup);
        }
        if (!(erasing >= 0 && erasing <= 1)) {
            throw new UsageException("--random-erasing must lie in [0, 1]: " + erasing);
        }
        if (!(average >= 0 && average < 1)) {
            throw new UsageException("--ema must lie in [0, 1): " + average);
        }
    }

    /**
     * The same with {@code batches} to an update on so many devices.
     *
     * @throws UsageException when each device cannot have as many
     */
    StepSettings spreading(int batches, int devices) {
        if (batches % devices != 0) {
            throw new UsageException("--device: " + batches + (batches == 1 ? " batch makes" : " batches make")
                    + " an update, which cannot be spread evenly over " + devices + " devices");
        }
        return new StepSettings(batches / devices, mixup, erasing, average);
    }
}
