package tenon.engine.backend;

/** What a back-end can be asked to support, per dtype; the support matrix is printed and asserted from this. */
public enum OpKind {
    GEMM,
    DENSE,
    CONV2D,
    MAX_POOL,
    AVG_POOL,
    BATCH_NORM,
    RELU,
    RELU6,
    LEAKY_RELU,
    ELU,
    SIGMOID,
    TANH,
    PRELU,
    DROPOUT,
    ADD,
    MUL,
    ADD_ACTIVATION,
    CONCAT,
    REDUCE,
    SOFTMAX,
    SOFTMAX_CROSS_ENTROPY,
    SIGMOID_CROSS_ENTROPY,
    MSE,
    TOP_K,
    SGD,
    ADAM,
    RMSPROP
}
