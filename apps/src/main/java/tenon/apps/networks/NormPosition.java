package tenon.apps.networks;

import java.util.Locale;

/** Where batch norm stands behind a convolution or dense layer. */
public enum NormPosition {
    BEFORE_ACTIVATION,
    AFTER_ACTIVATION,
    /** There is none. */
    NONE;

    /** As typed on a command line: {@code before-activation} and so on. */
    @Override
    public String toString() {
        return name().toLowerCase(Locale.ROOT).replace('_', '-');
    }
}
