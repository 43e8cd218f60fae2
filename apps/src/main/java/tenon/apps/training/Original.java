package tenon.apps.training;

import java.util.Locale;

/**
 * What the experiment that a run repeats came to when it was published; plots draw it as a line. A null figure was not published.
 *
 * @param name of the experiment, e.g. {@code alexnet 3}
 * @param rank1 share of validation or test pictures, in [0, 1]
 */
public record Original(String name, Double rank1, Double rank5) {
    @Override
    public String toString() {
        return name
                + (rank1 == null ? ": nothing" : String.format(Locale.ROOT, ": rank-1 %.2f %%", 100 * rank1))
                + (rank5 == null ? "" : String.format(Locale.ROOT, ", rank-5 %.2f %%", 100 * rank5));
    }
}
