package tenon.optim.schedule;

import java.util.List;

record Piecewise(List<Long> boundaries, List<Double> rates) implements Schedule {
    Piecewise {
        Check.rising("piecewise", "boundaries", boundaries);
        rates.forEach(rate -> Check.rate("piecewise", "rate", rate));
        if (rates.size() != boundaries.size() + 1) {
            throw new IllegalArgumentException("piecewise: there must be one rate more than boundaries: rates=" + rates
                    + ", boundaries=" + boundaries);
        }
    }

    @Override
    public double rate(long step) {
        int passed = 0;
        while (passed < boundaries.size() && boundaries.get(passed) <= step) {
            passed++;
        }
        return rates.get(passed);
    }
}
