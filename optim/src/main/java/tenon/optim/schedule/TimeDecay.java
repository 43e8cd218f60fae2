package tenon.optim.schedule;

record TimeDecay(double rate, double decay) implements Schedule {
    TimeDecay {
        Check.rate("timeDecay", "rate", rate);
        Check.rate("timeDecay", "decay", decay);
    }

    @Override
    public double rate(long step) {
        return rate / (1 + decay * step);
    }
}
