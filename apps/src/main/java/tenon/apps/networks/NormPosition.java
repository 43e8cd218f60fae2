package tenon.apps.networks;

/** Where batch norm stands behind a convolution or dense layer. */
public enum NormPosition {
    BEFORE_ACTIVATION,
    AFTER_ACTIVATION
}
