package tenon.apps.training;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import tenon.apps.Cli;
import tenon.apps.TestData;
import tenon.optim.checkpoint.CheckpointStore;
import tenon.simulator.SimulatedDevice;
import tenon.simulator.Simulator;

/** Training on two GPUs by command, simulated. */
class SeveralDevicesTest {
    @TempDir
    private static Path folder;

    private static Path records;
    private static Simulator simulator;
    private static Map<String, Long> liveBefore;

    @BeforeAll
    static void prepare() throws IOException {
        SimulatedDevice.why().ifPresent(Assumptions::abort);
        System.setProperty("tenon.cuda.path", SimulatedDevice.folder().toString());
        records = folder.resolve("records");
        TestData.records(folder.resolve("pictures"), records);
        simulator = new Simulator(SimulatedDevice.folder());
        simulator.reset();
        simulator.devices(2);
        liveBefore = simulator.live();
    }

    @AfterAll
    static void check() {
        if (simulator != null) {
            assertThat(simulator.violations()).isEmpty();
            assertThat(simulator.live()).as("left behind").isEqualTo(liveBefore);
            simulator.reset();
        }
    }

    /** 72 pictures in batches of 16: three updates an epoch on two devices, of which the last has one batch. */
    private static Cli.Result train(Path output, int epochs, Object... more) {
        List<Object> arguments = new ArrayList<>(List.of(
                "train",
                "dense3",
                "--data",
                records.resolve("train.trec"),
                "--val",
                records.resolve("val.trec"),
                "--batch",
                16,
                "--schedule",
                "constant",
                "--workers",
                1,
                "--epochs",
                epochs,
                "--output",
                output));
        arguments.addAll(List.of(more));
        return Cli.run(arguments.toArray());
    }

    private static List<String> history(Path run) throws IOException {
        return Files.readAllLines(run.resolve("history.csv")).stream()
                .map(line -> line.substring(0, line.lastIndexOf(',')))
                .toList();
    }

    @Test
    void twoDevicesTrainAsOneThatAccumulatesAndResumeToTheSameBits() throws IOException {
        Path two = folder.resolve("two");
        Cli.Result trained = train(two, 2, "--device", "cuda:0,cuda:1");
        assertThat(trained.exitCode()).as(trained.err()).isZero();
        assertThat(trained.out())
                .contains("Computing on cuda:0 (")
                .contains("together with cuda:1 (")
                .contains("a batch on each, 2 to an update")
                .contains("Gradients are summed through ");

        Path one = folder.resolve("one");
        assertThat(train(one, 2, "--device", "cuda:0", "--accumulate", 2).exitCode())
                .isZero();
        assertThat(history(two)).hasSize(3).isEqualTo(history(one));

        Path halves = folder.resolve("halves");
        assertThat(train(halves, 1, "--device", "cuda:all").exitCode()).isZero();
        Cli.Result resumed = Cli.run("resume", halves, "--epochs", 2);
        assertThat(resumed.exitCode()).as(resumed.err()).isZero();
        assertThat(history(halves)).isEqualTo(history(two));
        for (String file : List.of("model.safetensors", "optimizer.safetensors")) {
            assertThat(Files.mismatch(newest(halves).resolve(file), newest(two).resolve(file)))
                    .as(file)
                    .isEqualTo(-1);
        }

        Cli.Result moved = Cli.run("resume", two, "--epochs", 3, "--device", "cpu");
        assertThat(moved.exitCode()).as(moved.err()).isZero();
        JsonNode config = new ObjectMapper().readTree(two.resolve("run.json").toFile());
        assertThat(config.findValue("accumulate").asInt()).isEqualTo(2);
        assertThat(config.findValue("device").asText()).isEqualTo("cpu");
    }

    private static Path newest(Path run) {
        return CheckpointStore.open(run.resolve("checkpoints"), 1)
                .recover()
                .checkpoint()
                .orElseThrow();
    }

    @Test
    void aRehearsalSaysHowManyBatchesMakeAnUpdate() {
        Cli.Result dry = train(folder.resolve("dry"), 2, "--device", "cuda:0,cuda:1", "--accumulate", 2, "--dry-run");
        assertThat(dry.exitCode()).as(dry.err()).isZero();
        assertThat(dry.out()).contains("batches of 16, 4 to an update: 2 updates an epoch");
    }

    @Test
    void whatCannotBeIsRefusedBeforeAnyWork() {
        assertThat(train(folder.resolve("no"), 1, "--device", "cuda:0,cuda:2").err())
                .contains("cuda:2: the machine has 2 GPUs");
        assertThat(Cli.run("evaluate", folder, "--data", records.resolve("val.trec"), "--device", "cuda:all")
                        .err())
                .contains("--device: several devices are for training: cuda:0,cuda:1");
        assertThat(Files.exists(folder.resolve("no"))).isFalse();
    }
}
