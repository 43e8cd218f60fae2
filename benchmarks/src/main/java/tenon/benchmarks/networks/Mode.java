package tenon.benchmarks.networks;

import java.util.Locale;

/** What a step does. */
public enum Mode {
    /** Forward pass with dropout, loss, backward pass, SGD with momentum 0.9 and weight decay 5e-4. */
    TRAIN,
    /** Logits, with the running statistics and without dropout. */
    INFERENCE;

    @Override
    public String toString() {
        return name().toLowerCase(Locale.ROOT);
    }
}
