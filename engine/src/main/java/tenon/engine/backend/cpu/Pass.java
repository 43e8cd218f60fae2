package tenon.engine.backend.cpu;

/** Which primitive of an op. */
enum Pass {
    FORWARD,
    INFERENCE,
    BACKWARD,
    BACKWARD_INPUT,
    ACCUMULATE_INPUT,
    BACKWARD_WEIGHT
}
