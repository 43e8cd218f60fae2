package tenon.io.data;

import java.util.Locale;

/** What a source does with a sample that cannot be read or decoded. */
public enum OnError {
    /** {@code next} throws at the sample's batch. */
    STOP,
    /**
     * The sample's place goes to the next good one in the epoch's order (from the end on to its beginning), which the epoch so visits twice; sizes of batches
     * do not change, and neither does any other place. The source counts the samples it left out.
     */
    SKIP;

    @Override
    public String toString() {
        return name().toLowerCase(Locale.ROOT);
    }
}
