package tenon.apps.training;

import java.nio.file.Path;
import tenon.optim.train.History;

/**
 * What a run came to.
 *
 * @param epochs epochs done, those before a resume included
 * @param bestEpoch number of the best epoch, from 1; 0 when there was none
 * @param stoppedEpoch index from 0 of the epoch after which early stopping ended the run, or −1
 * @param interrupted whether somebody stopped it
 * @param limit the limit that stopped it before its end, e.g. {@code --until 65}, or null
 * @param seconds training and validation, over all epochs and a begun one, to a tenth
 * @param imagesPerSecond training images per second without validation and checkpoints, to a tenth
 * @param waitShare part of the training time that was spent waiting for the loader, in [0, 1]
 * @param skipped samples that could not be read and were skipped, training's and validation's
 * @param checkpoint the best one, or the last one if no epoch was judged
 */
public record TrainingResult(
        History history,
        int epochs,
        int bestEpoch,
        int stoppedEpoch,
        boolean interrupted,
        String limit,
        double seconds,
        double imagesPerSecond,
        double waitShare,
        int skipped,
        Path checkpoint) {}
