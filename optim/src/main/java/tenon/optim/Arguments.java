package tenon.optim;

/** Argument checks of the optimizers. */
final class Arguments {
    private Arguments() {}

    static void fraction(String optimizer, String name, double value) {
        if (!(value >= 0 && value < 1)) {
            throw new IllegalArgumentException(optimizer + ": " + name + " must lie in [0, 1): " + name + "=" + value);
        }
    }

    static void positive(String optimizer, String name, double value) {
        if (!(value > 0 && value < Double.POSITIVE_INFINITY)) {
            throw new IllegalArgumentException(optimizer + ": " + name + " must be positive: " + name + "=" + value);
        }
    }
}
