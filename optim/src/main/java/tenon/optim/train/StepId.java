package tenon.optim.train;

/**
 * Names a training step.
 *
 * @param epoch from 1
 * @param batch in the epoch, from 1
 * @param step since the run began, from 1
 * @param rate learning rate
 * @param samples in the batch
 */
record StepId(int epoch, int batch, long step, double rate, int samples) {}
