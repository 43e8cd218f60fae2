package tenon.optim.train;

/**
 * One line of the history. A value that was not measured is NaN.
 *
 * @param epoch number of the epoch, from 1
 * @param step updates done when it ended
 * @param rate learning rate of its last step
 * @param loss mean over the epoch's samples, each measured before its batch's update
 * @param accuracy rank-1, measured likewise
 * @param accuracy5 rank-5
 * @param seconds wall-clock time with validation, without interruptions
 */
public record EpochRecord(
        int epoch,
        long step,
        double rate,
        double loss,
        double accuracy,
        double accuracy5,
        double validationLoss,
        double validationAccuracy,
        double validationAccuracy5,
        double seconds) {

    /** The same line without its time, for comparing runs. */
    public EpochRecord withoutTime() {
        return new EpochRecord(
                epoch,
                step,
                rate,
                loss,
                accuracy,
                accuracy5,
                validationLoss,
                validationAccuracy,
                validationAccuracy5,
                0);
    }
}
