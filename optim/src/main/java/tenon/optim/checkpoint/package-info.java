/**
 * Tensors in files, and checkpoints that survive a crash at any instant. {@link tenon.optim.checkpoint.CheckpointStore} explains how.
 */
package tenon.optim.checkpoint;
