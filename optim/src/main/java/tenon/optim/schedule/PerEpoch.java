package tenon.optim.schedule;

record PerEpoch(Schedule schedule, long stepsPerEpoch) implements Schedule {
    PerEpoch {
        Check.positive("perEpoch", "stepsPerEpoch", stepsPerEpoch);
    }

    @Override
    public double rate(long step) {
        return schedule.rate(step / stepsPerEpoch);
    }
}
