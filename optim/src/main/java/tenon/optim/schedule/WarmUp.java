package tenon.optim.schedule;

record WarmUp(Schedule schedule, long steps, double start) implements Schedule {
    WarmUp {
        Check.positive("warmUp", "steps", steps);
        Check.rate("warmUp", "start", start);
    }

    @Override
    public double rate(long step) {
        return step < steps ? start + (schedule.rate(0) - start) * step / steps : schedule.rate(step - steps);
    }
}
