package tenon.apps.networks;

/** Numbers of filters and units at a multiple of a network's width. */
final class Widths {
    private static final int STEP = 8;

    private Widths() {}

    /** To the nearest multiple of 8, at least 8; as it is for multiplier 1. */
    static int scaled(int count, double multiplier) {
        return multiplier == 1 ? count : Math.max(1, (int) Math.round(multiplier * count / STEP)) * STEP;
    }

    static int[] scaled(int[] counts, double multiplier) {
        int[] scaled = new int[counts.length];
        for (int i = 0; i < counts.length; i++) {
            scaled[i] = scaled(counts[i], multiplier);
        }
        return scaled;
    }

    /**
     * As the authors of MobileNetV2 round: to the nearest multiple of 8, at least 8, and one step more where that took more than a tenth away
     * ({@code _make_divisible} in the published program).
     */
    static int divisible(double count) {
        int nearest = Math.max(STEP, (int) (count + STEP / 2.0) / STEP * STEP);
        return nearest < 0.9 * count ? nearest + STEP : nearest;
    }
}
