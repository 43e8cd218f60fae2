package tenon.optim.schedule;

record Cosine(double rate, double end, long steps) implements Schedule {
    Cosine {
        Check.rate("cosine", "rate", rate);
        Check.rate("cosine", "end", end);
        Check.positive("cosine", "steps", steps);
    }

    @Override
    public double rate(long step) {
        return between(rate, end, (double) Math.min(step, steps) / steps);
    }

    /** Half a cosine from {@code from} at progress 0 to {@code to} at progress 1. */
    static double between(double from, double to, double progress) {
        return to + (from - to) * (1 + StrictMath.cos(Math.PI * progress)) / 2;
    }
}
