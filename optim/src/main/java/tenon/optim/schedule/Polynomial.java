package tenon.optim.schedule;

record Polynomial(double rate, double end, double power, long steps) implements Schedule {
    Polynomial {
        Check.rate("polynomial", "rate", rate);
        Check.rate("polynomial", "end", end);
        Check.positive("polynomial", "power", power);
        Check.positive("polynomial", "steps", steps);
    }

    @Override
    public double rate(long step) {
        return end + (rate - end) * StrictMath.pow(1 - (double) Math.min(step, steps) / steps, power);
    }
}
