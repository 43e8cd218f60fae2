package tenon.apps.training;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;
import picocli.CommandLine;
import tenon.apps.Cli;
import tenon.engine.Scope;
import tenon.engine.Shape;
import tenon.engine.backend.Backend;
import tenon.engine.backend.reference.ReferenceBackend;
import tenon.io.data.SyntheticBatchSource;
import tenon.layers.Dense;
import tenon.layers.Flatten;
import tenon.layers.Module;
import tenon.layers.Sequential;
import tenon.optim.Sgd;
import tenon.optim.UpdateRules;
import tenon.optim.schedule.Schedule;
import tenon.optim.train.Callback;
import tenon.optim.train.Loss;
import tenon.optim.train.Progress;
import tenon.optim.train.Trainer;

class StopLimitsTest {
    @ParameterizedTest
    @CsvSource({"90s, PT90S", "45m, PT45M", "12H, PT12H", "2d, PT48H", "1s, PT1S"})
    void timesHaveUnits(String text, Duration duration) {
        WatchOptions options = CommandLine.populateCommand(new WatchOptions(), "--max-time", text);
        assertThat(options.limits().maxTime()).isEqualTo(duration);
    }

    @ParameterizedTest
    @ValueSource(strings = {"90", "-1s", "1.5h", "1h30m", "m", "1w", "1234567890s"})
    void otherTimesAreUsageErrors(String text) {
        Cli.Result result = Cli.run("train", "--synthetic", "--max-time=" + text);
        assertThat(result.exitCode()).isEqualTo(2);
        assertThat(result.err()).contains("'" + text + "' must be a number with s, m, h or d, such as 90m");
    }

    @ParameterizedTest
    @CsvSource({
        "--max-time, 0s, must be at least 1s: 0s",
        "--max-time, 0d, must be at least 1s: 0s",
        "--max-steps, 0, must be at least 1: 0",
        "--until, 0, must be at least 1: 0",
    })
    void limitsOfNothingAreUsageErrors(String option, String value, String message) {
        for (String[] command : new String[][] {{"train", "--synthetic"}, {"resume", "nowhere"}}) {
            Cli.Result result = Cli.run(command[0], command[1], option, value);
            assertThat(result.exitCode()).isEqualTo(2);
            assertThat(result.errLines().getFirst()).isEqualTo("tenon " + command[0] + ": " + option + " " + message);
        }
    }

    /** Each step takes a minute. */
    @Test
    void stopsAtTheFirstStepThatEndsAfterTheTime() {
        AtomicLong clock = new AtomicLong(-5);
        StopLimits.Watch watch = new StopLimits(null, null, Duration.ofSeconds(150)).watch(clock::get);
        try (Backend backend = ReferenceBackend.open();
                Scope _ = Scope.open("run", backend)) {
            Module network = Sequential.of(new Flatten(), new Dense(4, 2));
            Trainer trainer = Trainer.builder(
                            network,
                            new Sgd(network.parameters(), UpdateRules.PLAIN),
                            Schedule.constant(0.01),
                            Loss.crossEntropy(),
                            new SyntheticBatchSource(backend, 20, 2, false, Shape.of(2, 2, 1), 2, 3))
                    .callback(new Callback() {
                        @Override
                        public void onStepEnd(Trainer of, Progress progress) {
                            clock.addAndGet(Duration.ofMinutes(1).toNanos());
                        }
                    })
                    .callback(watch)
                    .build();
            trainer.fit(1);
            assertThat(trainer.step()).isEqualTo(3);
        }
        assertThat(watch.reached()).isEqualTo("--max-time");
    }
}
