/** Optimizers, learning-rate schedules, data parallelism, the trainer and checkpoints. */
package tenon.optim;
