package tenon.apps.experiments;

import com.fasterxml.jackson.annotation.JsonInclude;

/**
 * What the original reached after its last epoch, in per cent; null where it says nothing.
 *
 * @param tenCrops on the test pictures, averaged over ten crops
 */
@JsonInclude(JsonInclude.Include.NON_NULL)
public record Published(Rank validation, Rank test, Rank tenCrops) {
    public static final Published NOTHING = new Published(null, null, null);

    /** @param rank5 null where there are too few classes for it to say anything */
    @JsonInclude(JsonInclude.Include.NON_NULL)
    public record Rank(double rank1, Double rank5) {
        public Rank {
            if (!(rank1 > 0 && rank1 <= 100) || rank5 != null && !(rank5 >= rank1 && rank5 <= 100)) {
                throw new IllegalArgumentException(
                        "published: ranks must be per cents, and rank-5 no less than rank-1: rank1=" + rank1
                                + ", rank5=" + rank5);
            }
        }
    }
}
