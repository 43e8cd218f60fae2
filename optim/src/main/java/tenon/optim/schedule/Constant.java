package tenon.optim.schedule;

record Constant(double rate) implements Schedule {
    Constant {
        Check.rate("constant", "rate", rate);
    }

    @Override
    public double rate(long step) {
        return rate;
    }
}
