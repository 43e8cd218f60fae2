package tenon.optim.schedule;

record Delayed(Schedule schedule, long steps) implements Schedule {
    Delayed {
        Check.positive("delayed", "steps", steps);
    }

    @Override
    public double rate(long step) {
        return schedule.rate(Math.max(0, step - steps));
    }
}
