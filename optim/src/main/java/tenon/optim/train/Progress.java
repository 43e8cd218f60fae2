package tenon.optim.train;

/**
 * Where an epoch stands after a step: what a progress bar shows.
 *
 * @param epoch number of the epoch, from 1
 * @param epochs how many there will be
 * @param batch number of the batch in the epoch, from 1
 * @param batches of an epoch
 * @param step updates done since the run began
 * @param samples seen in this epoch
 * @param sampleCount of an epoch
 * @param rate learning rate of the step
 * @param loss mean over the epoch's samples so far, each measured before its batch's update
 * @param accuracy share of them whose best class was the true one; NaN where there are no classes
 * @param accuracy5 share of them whose true class was among the best five
 * @param imagesPerSecond samples a second in this epoch since fit or resume
 */
public record Progress(
        int epoch,
        int epochs,
        int batch,
        int batches,
        long step,
        long samples,
        long sampleCount,
        double rate,
        double loss,
        double accuracy,
        double accuracy5,
        double imagesPerSecond) {}
