package tenon.optim.logistic;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import java.util.function.ToDoubleFunction;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import tenon.engine.Rng;
import tenon.engine.Scope;
import tenon.engine.ShapeException;
import tenon.engine.Tensor;
import tenon.engine.backend.Backend;
import tenon.engine.backend.cpu.CpuBackend;

class LogisticRegressionTest {
    private Backend backend;
    private Scope scope;

    @BeforeEach
    void open() {
        backend = CpuBackend.open(2);
        scope = Scope.open("test", backend);
    }

    @AfterEach
    void close() {
        scope.close();
        backend.close();
    }

    /** Gaussian clouds, one per class, row i of class i mod classes. */
    private record Clouds(float[] features, int[] labels, int classes, int d) {
        static Clouds of(int n, int d, int classes, double distance, long seed) {
            Rng rng = new Rng(seed, 1, 1);
            float[] features = new float[n * d];
            int[] labels = new int[n];
            for (int i = 0; i < n; i++) {
                labels[i] = i % classes;
                for (int j = 0; j < d; j++) {
                    double center = j % classes == labels[i] ? distance : 0;
                    features[i * d + j] = (float) (center + rng.gaussian((long) i * d + j));
                }
            }
            return new Clouds(features, labels, classes, d);
        }

        LogisticRegression problem() {
            return new LogisticRegression(Tensor.of(features, labels.length, d), labels, classes);
        }

        float[] row(int i) {
            return java.util.Arrays.copyOfRange(features, i * d, (i + 1) * d);
        }

        /** ½·Σ w² + c·Σ −log p, by the definition. */
        double objective(LogisticModel model, double c, boolean penalizeIntercept) {
            double sum = model.squaredNorm() / 2;
            for (float b : model.intercepts()) {
                sum += penalizeIntercept ? (double) b * b / 2 : 0;
            }
            for (int i = 0; i < labels.length; i++) {
                sum -= c * Math.log(model.probabilities(row(i))[labels[i]]);
            }
            return sum;
        }
    }

    /** No small change of any weight or intercept makes the objective, written out by its definition, smaller. */
    @ParameterizedTest
    @CsvSource({"2, 0.01, false", "2, 1, true", "3, 0.1, false", "5, 10, true"})
    void endsInTheMinimum(int classes, double c, boolean penalizeIntercept) {
        Clouds clouds = Clouds.of(60, 7, classes, 1, 4);
        LogisticOptions options = LogisticOptions.of(c).withPenalizedIntercept(penalizeIntercept);
        try (LogisticRegression problem = clouds.problem()) {
            LogisticRegression.Fit fit = problem.fit(options);
            assertThat(fit.converged()).isTrue();
            ToDoubleFunction<LogisticModel> objective = model -> clouds.objective(model, c, penalizeIntercept);
            double least = objective.applyAsDouble(fit.model());
            assertThat(fit.objective()).isEqualTo(least, within(1e-4 * least));
            float step = 0.02f;
            for (float[] row : fit.model().weights()) {
                for (int i = 0; i < row.length; i++) {
                    risesBothWays(row, i, step, () -> objective.applyAsDouble(fit.model()), least);
                }
            }
            for (int i = 0; i < fit.model().intercepts().length; i++) {
                // Softmax does not change when all intercepts move together, but it does when one moves.
                risesBothWays(fit.model().intercepts(), i, step, () -> objective.applyAsDouble(fit.model()), least);
            }
        }
    }

    private static void risesBothWays(
            float[] values, int i, float step, java.util.function.DoubleSupplier objective, double least) {
        float value = values[i];
        values[i] = value + step;
        assertThat(objective.getAsDouble()).as("value %d up", i).isGreaterThan(least);
        values[i] = value - step;
        assertThat(objective.getAsDouble()).as("value %d down", i).isGreaterThan(least);
        values[i] = value;
    }

    /** One feature, two points: w solves w = 2·c·σ(−w) by symmetry (intercept 0). */
    @Test
    void twoPointsByHand() {
        try (LogisticRegression problem =
                new LogisticRegression(Tensor.of(new float[] {-1, 1}, 2, 1), new int[] {0, 1}, 2)) {
            LogisticModel model = problem.fit(LogisticOptions.of(1)).model();
            double w = 0.5;
            for (int i = 0; i < 200; i++) {
                w = 0.5 * w + 0.5 * 2 / (1 + Math.exp(w));
            }
            assertThat((double) model.weights()[0][0]).isEqualTo(w, within(1e-4));
            assertThat((double) model.intercepts()[0]).isEqualTo(0, within(1e-4));
        }
    }

    @Test
    void separatesDistantClouds() {
        Clouds clouds = Clouds.of(400, 2048, 2, 0.3, 9);
        try (LogisticRegression problem = clouds.problem()) {
            LogisticModel weak = problem.fit(LogisticOptions.of(1e-4)).model();
            LogisticModel strong = problem.fit(LogisticOptions.of(1e-1)).model();
            assertThat(weak.weights().length * (weak.features() + 1)).isEqualTo(2049);
            assertThat(strong.squaredNorm()).isGreaterThan(weak.squaredNorm());
            int right = 0;
            int[] predicted = problem.predict(weak);
            for (int i = 0; i < predicted.length; i++) {
                right += predicted[i] == clouds.labels()[i] ? 1 : 0;
            }
            assertThat(right / 400.0).isGreaterThanOrEqualTo(0.99);
        }
    }

    @Test
    void theGridSearchRefitsTheBestOnAllRows() {
        Clouds clouds = Clouds.of(90, 20, 3, 0.8, 12);
        double[] cs = {1e-4, 1e-3, 1e-2, 1e-1, 1};
        int[] calls = {0};
        try (LogisticRegression problem = clouds.problem()) {
            GridSearch.Result result =
                    GridSearch.search(problem, clouds.labels(), cs, 3, LogisticOptions.of(1), (done, all) -> {
                        assertThat(done).isEqualTo(++calls[0]);
                        assertThat(all).isEqualTo(16);
                    });
            assertThat(calls[0]).isEqualTo(16);
            assertThat(result.candidates()).hasSize(5);
            for (GridSearch.Candidate candidate : result.candidates()) {
                assertThat(candidate.mean()).isLessThanOrEqualTo(result.best().mean());
            }
            LogisticModel direct =
                    problem.fit(LogisticOptions.of(result.best().c())).model();
            assertThat(result.fit().model().weights()).isDeepEqualTo(direct.weights());
            assertThat(result.fit().model().intercepts()).containsExactly(direct.intercepts());
        }
    }

    @Test
    void rowsLeftOutDoNotCount() {
        Clouds clouds = Clouds.of(40, 5, 2, 1, 3);
        boolean[] leftOut = new boolean[40];
        java.util.Arrays.fill(leftOut, 30, 40, true);
        Clouds first = new Clouds(
                java.util.Arrays.copyOf(clouds.features(), 30 * 5), java.util.Arrays.copyOf(clouds.labels(), 30), 2, 5);
        try (LogisticRegression all = clouds.problem();
                LogisticRegression some = first.problem()) {
            LogisticModel masked = all.fit(LogisticOptions.of(1), leftOut).model();
            LogisticModel cut = some.fit(LogisticOptions.of(1)).model();
            for (int i = 0; i < 5; i++) {
                assertThat((double) masked.weights()[0][i]).isEqualTo(cut.weights()[0][i], within(2e-3));
            }
        }
    }

    @Test
    void foldsAreStratified() {
        int[] labels = {0, 0, 1, 0, 1, 0, 1, 0, 0, 0};
        assertThat(GridSearch.stratifiedFolds(labels, 3)).containsExactly(0, 0, 0, 0, 1, 1, 2, 1, 2, 2);
        assertThatThrownBy(() -> GridSearch.stratifiedFolds(new int[] {0, 0, 1}, 2))
                .isInstanceOf(ShapeException.class)
                .hasMessageContaining("class=1, rows=1");
    }

    @Test
    void badInputIsRefused() {
        Tensor features = Tensor.of(new float[] {1, 2, 3, 4}, 2, 2);
        assertThatThrownBy(() -> new LogisticRegression(features, new int[] {0, 2}, 2))
                .isInstanceOf(ShapeException.class)
                .hasMessageContaining("row=1, label=2");
        assertThatThrownBy(() -> new LogisticRegression(features, new int[] {0}, 2))
                .isInstanceOf(ShapeException.class)
                .hasMessageContaining("labels=1");
        assertThatThrownBy(() -> LogisticOptions.of(0)).isInstanceOf(IllegalArgumentException.class);
    }
}
