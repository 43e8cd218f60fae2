package tenon.optim.logistic;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import org.junit.jupiter.api.Test;
import tenon.engine.Rng;

class LbfgsTest {
    /** A quadratic of condition 10³, whose minimum is known. */
    @Test
    void findsTheMinimumOfAnIllConditionedQuadratic() {
        int n = 30;
        double[] center = new double[n];
        Rng rng = new Rng(1, 2, 3);
        for (int i = 0; i < n; i++) {
            center[i] = rng.nextUniform(-2, 2);
        }
        Lbfgs.Objective quadratic = (x, gradient) -> {
            double value = 0;
            for (int i = 0; i < n; i++) {
                double curvature = Math.pow(10, 3.0 * i / (n - 1));
                double distance = x[i] - center[i];
                value += 0.5 * curvature * distance * distance;
                gradient[i] = curvature * distance;
            }
            return value;
        };
        Lbfgs.Minimum minimum = Lbfgs.minimize(quadratic, new double[n], 1e-9, 500, 10);
        assertThat(minimum.converged()).isTrue();
        assertThat(minimum.gradientNorm()).isLessThanOrEqualTo(1e-9);
        for (int i = 0; i < n; i++) {
            assertThat(minimum.x()[i]).isEqualTo(center[i], within(1e-8));
        }
    }

    /** Rosenbrock's valley, minimum 0 at (1, 1), from the classical start. */
    @Test
    void followsACurvedValley() {
        Lbfgs.Minimum minimum = Lbfgs.minimize(LbfgsTest::rosenbrock, new double[] {-1.2, 1}, 1e-10, 200, 10);
        assertThat(minimum.converged()).isTrue();
        assertThat(minimum.x()[0]).isEqualTo(1, within(1e-8));
        assertThat(minimum.x()[1]).isEqualTo(1, within(1e-8));
        assertThat(minimum.iterations()).isLessThan(60);
    }

    @Test
    void saysWhenIterationsRunOut() {
        Lbfgs.Minimum minimum = Lbfgs.minimize(LbfgsTest::rosenbrock, new double[] {-1.2, 1}, 1e-10, 3, 10);
        assertThat(minimum.converged()).isFalse();
        assertThat(minimum.iterations()).isEqualTo(3);
        assertThat(minimum.value()).isLessThan(rosenbrock(new double[] {-1.2, 1}, new double[2]));
    }

    /** Below the objective's own precision no step is better; the search must end, near the minimum. */
    @Test
    void endsAtTheLimitOfARoundedObjective() {
        Lbfgs.Objective rounded = (x, gradient) -> {
            gradient[0] = (float) (2 * (x[0] - 3)) + 1e-7;
            return (float) ((x[0] - 3) * (x[0] - 3) + 1);
        };
        Lbfgs.Minimum minimum = Lbfgs.minimize(rounded, new double[] {100}, 1e-12, 1000, 10);
        assertThat(minimum.x()[0]).isEqualTo(3, within(1e-3));
        assertThat(minimum.evaluations()).isLessThan(500);
    }

    @Test
    void theStartMayBeTheMinimum() {
        Lbfgs.Minimum minimum = Lbfgs.minimize(LbfgsTest::rosenbrock, new double[] {1, 1}, 1e-10, 10, 10);
        assertThat(minimum.converged()).isTrue();
        assertThat(minimum.iterations()).isZero();
    }

    private static double rosenbrock(double[] x, double[] gradient) {
        double a = 1 - x[0];
        double b = x[1] - x[0] * x[0];
        gradient[0] = -2 * a - 400 * x[0] * b;
        gradient[1] = 200 * b;
        return a * a + 100 * b * b;
    }
}
