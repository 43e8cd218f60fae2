package tenon.optim.train;

/**
 * Names a training step.
 *
 * @param epoch from 1
 * @param batch its first one, in the epoch, from 1
 * @param step since the run began, from 1
 * @param rate learning rate
 * @param batches whose gradients it adds up
 * @param samples in all of them
 */
record StepId(int epoch, int batch, long step, double rate, int batches, int samples) {}
