package tenon.optim.schedule;

import java.util.List;

record MultiStep(double rate, double factor, List<Long> milestones) implements Schedule {
    MultiStep {
        Check.rate("multiStep", "rate", rate);
        Check.positive("multiStep", "factor", factor);
        Check.rising("multiStep", "milestones", milestones);
    }

    @Override
    public double rate(long step) {
        int passed = 0;
        while (passed < milestones.size() && milestones.get(passed) <= step) {
            passed++;
        }
        return rate * StrictMath.pow(factor, passed);
    }
}
