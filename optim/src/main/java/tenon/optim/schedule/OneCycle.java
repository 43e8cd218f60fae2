package tenon.optim.schedule;

record OneCycle(double peak, long steps, double upFraction, double startDivisor, double endDivisor)
        implements Schedule {
    OneCycle {
        Check.rate("oneCycle", "peak", peak);
        Check.positive("oneCycle", "startDivisor", startDivisor);
        Check.positive("oneCycle", "endDivisor", endDivisor);
        if (steps < 2 || !(upFraction > 0 && upFraction < 1) || upFraction * steps <= 1) {
            throw new IllegalArgumentException(
                    "oneCycle: upFraction must lie in (0, 1) and upFraction·steps exceed 1: upFraction=" + upFraction
                            + ", steps=" + steps);
        }
    }

    @Override
    public double rate(long step) {
        double start = peak / startDivisor;
        double top = upFraction * steps - 1;
        if (step <= top) {
            return Cosine.between(start, peak, step / top);
        }
        return Cosine.between(peak, start / endDivisor, Math.min(1, (step - top) / (steps - 1 - top)));
    }
}
