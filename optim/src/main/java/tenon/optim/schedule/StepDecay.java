package tenon.optim.schedule;

record StepDecay(double rate, double factor, long every) implements Schedule {
    StepDecay {
        Check.rate("step", "rate", rate);
        Check.positive("step", "factor", factor);
        Check.positive("step", "every", every);
    }

    @Override
    public double rate(long step) {
        return rate * StrictMath.pow(factor, step / every);
    }
}
