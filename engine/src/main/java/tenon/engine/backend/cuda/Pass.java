package tenon.engine.backend.cuda;

/** What a layer computes. */
enum Pass {
    FORWARD,
    BACKWARD_INPUT,
    /** Adds to the input's gradient. */
    ACCUMULATE_INPUT,
    BACKWARD_WEIGHT
}
