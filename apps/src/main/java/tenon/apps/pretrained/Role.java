package tenon.apps.pretrained;

/** What a tensor is to its layer. */
enum Role {
    /** A convolution's weights. */
    FILTERS,
    /** A dense layer's weights. */
    ROWS,
    /** Of a convolution or dense layer. */
    BIAS,
    GAMMA,
    BETA,
    MEAN,
    VARIANCE,
    /** Of PReLU. */
    SLOPE
}
