package tenon.benchmarks.compare;

import java.util.LinkedHashMap;
import java.util.Locale;
import java.util.Map;
import tenon.benchmarks.Statistics;
import tenon.benchmarks.Statistics.Ratio;

/** One series before and after. */
record Difference(String entry, double before, double after, Ratio ratio, Verdict verdict) {
    enum Verdict {
        BETTER,
        WORSE,
        WITHIN_NOISE,
        NO_BOUNDS;

        @Override
        public String toString() {
            return name().toLowerCase(Locale.ROOT).replace('_', ' ');
        }
    }

    static Difference of(String entry, Series before, Series after) {
        Ratio ratio = Statistics.ratio(before.values(), after.values());
        return new Difference(
                entry,
                Statistics.median(before.values()),
                Statistics.median(after.values()),
                ratio,
                verdict(ratio, before.lowerIsBetter()));
    }

    private static Verdict verdict(Ratio ratio, boolean lowerIsBetter) {
        if (!ratio.hasBounds()) {
            return Verdict.NO_BOUNDS;
        }
        if (!ratio.exceedsNoise()) {
            return Verdict.WITHIN_NOISE;
        }
        return ratio.value() > 1 != lowerIsBetter ? Verdict.BETTER : Verdict.WORSE;
    }

    String line() {
        String bounds = ratio.hasBounds()
                ? String.format(Locale.ROOT, "%.3f to %.3f", ratio.low(), ratio.high())
                : "measured once";
        return String.format(
                Locale.ROOT,
                "%-12s  x%.3f (%s)  %.4g -> %.4g  %s",
                verdict,
                ratio.value(),
                bounds,
                before,
                after,
                entry);
    }

    Map<String, Object> toMap() {
        Map<String, Object> map = new LinkedHashMap<>();
        map.put("entry", entry);
        map.put("before", before);
        map.put("after", after);
        map.put("ratio", ratio.value());
        map.put("low", ratio.hasBounds() ? ratio.low() : null);
        map.put("high", ratio.hasBounds() ? ratio.high() : null);
        map.put("verdict", verdict.toString());
        return map;
    }
}
