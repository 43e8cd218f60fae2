package tenon.apps.training;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import com.fasterxml.jackson.databind.node.ObjectNode;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;
import tenon.apps.cli.ComputeSettings;
import tenon.apps.cli.UsageException;
import tenon.engine.Precision;
import tenon.engine.TenonException;
import tenon.io.data.Normalization;
import tenon.optim.metrics.ConfusionMatrix;
import tenon.optim.schedule.Schedule;

class RunPartsTest {
    @Test
    void schedulesInEpochs() {
        Schedule step = new ScheduleSpec(ScheduleSpec.Kind.STEP, 0.3, 0).schedule(10, 9);
        assertThat(step.rate(29)).isCloseTo(0.3, within(1e-12));
        assertThat(step.rate(30)).isCloseTo(0.03, within(1e-12));
        assertThat(step.rate(60)).isCloseTo(0.003, within(1e-12));
        Schedule cosine = new ScheduleSpec(ScheduleSpec.Kind.COSINE, 0.2, 1).schedule(10, 3);
        assertThat(cosine.rate(0)).isCloseTo(0.02, within(1e-12));
        assertThat(cosine.rate(10)).isCloseTo(0.2, within(1e-12));
        assertThat(cosine.rate(20)).isCloseTo(0.1, within(1e-12));
        assertThat(cosine.rate(30)).isCloseTo(0, within(1e-12));
        Schedule cycle = new ScheduleSpec(ScheduleSpec.Kind.ONE_CYCLE, 0.5, 0).schedule(10, 5);
        assertThat(cycle.rate(0)).isCloseTo(0.02, within(1e-12));
        assertThat(cycle.rate(9)).isCloseTo(0.5, within(1e-12));
        assertThat(cycle.rate(49)).isCloseTo(0.5 / 25 / 1e3, within(1e-12));
        Schedule exponential = ScheduleSpec.exponential(0.8, 0.5).schedule(10, 4);
        assertThat(exponential.rate(9)).isCloseTo(0.8, within(1e-12));
        assertThat(exponential.rate(10)).isCloseTo(0.4, within(1e-12));
        assertThat(exponential.rate(39)).isCloseTo(0.1, within(1e-12));
    }

    @ParameterizedTest
    @EnumSource(value = ScheduleSpec.Kind.class, mode = EnumSource.Mode.EXCLUDE, names = "PIECEWISE")
    void everyScheduleTakesARunOfOneStep(ScheduleSpec.Kind kind) {
        double rate = new ScheduleSpec(kind, 0.1, 0).schedule(1, 1).rate(0);
        assertThat(rate).isPositive().isLessThanOrEqualTo(0.1);
    }

    @Test
    void contradictionsAreUsageErrors() {
        assertThatThrownBy(() -> new ScheduleSpec(ScheduleSpec.Kind.ONE_CYCLE, 0.1, 2))
                .isInstanceOf(UsageException.class);
        assertThatThrownBy(() -> new ScheduleSpec(ScheduleSpec.Kind.CONSTANT, Double.NaN, 0))
                .isInstanceOf(UsageException.class);
        assertThatThrownBy(() -> ScheduleSpec.exponential(0.1, 1.5))
                .isInstanceOf(UsageException.class)
                .hasMessage("--lr-factor is exponential's, and lies in (0, 1]: 1.5 with exponential");
        assertThatThrownBy(() -> new OptimizerSpec(OptimizerSpec.Kind.ADAM, 0, true, 0))
                .isInstanceOf(UsageException.class)
                .hasMessage("--nesterov needs sgd with a momentum");
        assertThatThrownBy(() -> new OptimizerSpec(OptimizerSpec.Kind.SGD, 1, false, 0))
                .isInstanceOf(UsageException.class);
    }

    /** With the short last batch and without it: the first networks', ImageNet's of 1,231,167 pictures, and dogs and cats'. */
    @ParameterizedTest
    @CsvSource({
        "2250, 32, 71, 70",
        "48000, 200, 240, 240",
        "50000, 128, 391, 390",
        "1231167, 1024, 1203, 1202",
        "1231167, 384, 3207, 3206",
        "1231167, 256, 4810, 4809",
        "20000, 128, 157, 156",
    })
    void stepsPerEpoch(int samples, int batch, int all, int whole) {
        assertThat(config(samples, batch, false).stepsPerEpoch()).isEqualTo(all);
        assertThat(config(samples, batch, true).stepsPerEpoch()).isEqualTo(whole);
    }

    @Test
    void configurationNamesTheExperiment() {
        RunConfig plain = config(100, 32, false);
        RunConfig config = new RunConfig(
                plain.network(),
                plain.data(),
                plain.augmentation(),
                plain.epochs(),
                plain.batchSize(),
                plain.dropLast(),
                plain.optimizer(),
                plain.schedule(),
                plain.labelSmoothing(),
                plain.judge(),
                plain.patience(),
                plain.restoreBest(),
                plain.checkpointEvery(),
                plain.loader(),
                plain.compute(),
                null,
                null,
                null,
                new Original("alexnet-3", 0.57, 0.7952));
        assertThat(config.toJson().get("original").get("name").textValue()).isEqualTo("alexnet-3");
        RunConfig read = RunConfig.fromJson(config.toJson(), Path.of("run.json"));
        assertThat(read.original()).isEqualTo(config.original());
        assertThat(read.isSame(config)).isTrue();
        assertThat(read.step()).isEqualTo(StepSettings.PLAIN);
    }

    /** As a version wrote it that could not erase. */
    @Test
    void aRunOfBeforeErasingErasesNothing() {
        ObjectNode saved = (ObjectNode) config(100, 32, false).toJson();
        ((ObjectNode) saved.get("step")).remove("erasing");
        assertThat(RunConfig.fromJson(saved, Path.of("run.json")).step()).isEqualTo(StepSettings.PLAIN);
    }

    @Test
    void schedulesOfStoppedRuns() {
        ScheduleSpec spec = ScheduleSpec.piecewise(
                0.1, List.of(new ScheduleSpec.Change(2, 0.01), new ScheduleSpec.Change(3, 0.001)));
        Schedule piecewise = spec.schedule(10, 5);
        assertThat(piecewise.rate(19)).isEqualTo(0.1);
        assertThat(piecewise.rate(20)).isEqualTo(0.01);
        assertThat(piecewise.rate(30)).isEqualTo(0.001);
        Schedule on = spec.goingOn(3, 0.2, ScheduleSpec.Kind.LINEAR).schedule(10, 5);
        assertThat(on.rate(30)).isEqualTo(0.2);
        assertThat(on.rate(40)).isCloseTo(0.1, within(1e-12));
        assertThat(on.rate(50)).isZero();
        assertThatThrownBy(() -> ScheduleSpec.piecewise(
                        0.1, List.of(new ScheduleSpec.Change(3, 0.01), new ScheduleSpec.Change(3, 0.001))))
                .isInstanceOf(UsageException.class)
                .hasMessageContaining("epochs must rise: 3, then 3");
        assertThatThrownBy(() -> new OptimizerSpec(OptimizerSpec.Kind.ADAM, 0.9, false, 0))
                .hasMessage("adam has no momentum but --beta1: 0.9");
    }

    @Test
    void configurationSurvivesItsFile() {
        RunConfig config = config(100, 32, false);
        RunConfig read = RunConfig.fromJson(config.toJson(), Path.of("run.json"));
        assertThat(read.isSame(config)).isTrue();
        assertThat(read.isSame(config.withEpochs(7))).isFalse();
        assertThat(read.schedule()).isEqualTo(config.schedule());
        var incomplete = config.toJson().deepCopy();
        ((ObjectNode) incomplete).remove("epochs");
        assertThatThrownBy(() -> RunConfig.fromJson(incomplete, Path.of("run.json")))
                .isInstanceOf(TenonException.class)
                .hasMessageStartingWith("run.json: holds no configuration of a training run of this version");
    }

    @Test
    void confusionAsText() {
        ConfusionMatrix matrix = new ConfusionMatrix(2);
        for (int i = 0; i < 12; i++) {
            matrix.add(0, 0);
        }
        matrix.add(1, 0);
        assertThat(ConfusionText.of(matrix, List.of("cat", "doggy")).lines())
                .containsExactly("         0  1", "0 cat   12  0", "1 doggy  1  0");
    }

    private static RunConfig config(int samples, int batch, boolean dropLast) {
        return new RunConfig(
                new NetworkSpec(NetworkSpec.Kind.SMALLVGG, 64, 64, 3, 3, NetworkSpec.SLOW_NORM),
                new DataSpec(
                        new DataSpec.Part("train.trec", 0, samples),
                        new DataSpec.Part("test.trec", 0, 10),
                        Normalization.UNIT,
                        List.of("a", "b", "c")),
                Augmentation.AFFINE,
                75,
                batch,
                dropLast,
                new OptimizerSpec(OptimizerSpec.Kind.SGD, 0, false, 0),
                new ScheduleSpec(ScheduleSpec.Kind.TIME_DECAY, 0.01, 0),
                0,
                RunConfig.Judge.VAL_ACC,
                0,
                false,
                1,
                LoaderSettings.DEFAULT,
                new ComputeSettings("cpu", 1, Precision.FP32, false, true, 42, false));
    }
}
