package tenon.optim.train;

import tenon.layers.Module;
import tenon.optim.Optimizer;

/** A network like the trainer's on another device, with an optimizer of its own; weights and state are made equal to the trainer's when training begins. */
public record Replica(Module model, Optimizer optimizer) {}
