package tenon.apps.experiments;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import tenon.apps.Cli;

class ExperimentsCommandTest {
    @TempDir
    static Path folder;

    @Test
    void tellsWhatWasDoneAndReached() {
        Cli.Result result = Cli.run("experiments", "alexnet", "--runs", folder.resolve("none"));
        assertThat(result.exitCode()).isZero();
        assertThat(result.out()).startsWith("""
            alexnet-1: ReLU, batch norm before it
                data       ImageNet, 227x227x3, augmentation alexnet, batch 1024 (8 devices of 128)
                optimizer  sgd, momentum 0.9, weight decay 0.0005 of all parameters
                rates      1-50: 0.01 (tried to 70); 51-65: 0.001 (tried to 70); 66-80: 0.0001; 81-90: 0.00001
                published  validation 54.14 % (rank-5 77.90 %)
            alexnet-2: ReLU, batch norm behind it
            """);
        assertThat(result.out())
                .contains("    published  validation 57.00 % (rank-5 79.52 %), test 59.80 % (rank-5 81.74 %)");
        assertThat(Cli.run("experiments", "smallvgg").out())
                .contains("    rates      1-75: 0.01, divided by 1 + 0.01/75 t at update t");
        assertThat(Cli.run("experiments", "mobilenet-v1").out()).contains("""
            mobilenet-v1-6: width 1, 160x160
                data       ImageNet, 160x160x3, augmentation resized-crop, batch 96
                optimizer  rmsprop, momentum 0.9, weight decay 0.00004 of weights, epsilon 1
                rates      1-300: 0.045, times 0.98 after each epoch
                published  validation 67.20 %
            """);
        assertThat(Cli.run("experiments", "resnet50").out()).endsWith("""
            resnet50-features-1: logistic regression on features of a network that knows ImageNet
                data       Dogs vs. Cats, 224x224x3, augmentation dogs-cats-features, the last 25 % held out
                choice     C of 0.0001, 0.001, 0.01, 0.1, 1 by 3 folds: 0.001 was the best
                published  test 98.69 %
                remark     82 errors of 6250; printed as 0.986
            """);
        assertThat(Cli.run("experiments", "resnet18").out())
                .startsWith("The course trains no resnet18: there is no experiment");
    }

    @Test
    void allAsJson() {
        JsonNode experiments = Cli.run("experiments", "--json", "--runs", folder.resolve("none"))
                .json()
                .get("experiments");
        assertThat(experiments).hasSize(27);
        assertThat(experiments.get(20).get("width_multiplier").asDouble()).isEqualTo(0.75);
        JsonNode features = Cli.run("experiments", "--json", "--runs", folder.resolve("none"))
                .json()
                .get("features");
        assertThat(features).hasSize(1);
        assertThat(features.get(0).get("name").asText()).isEqualTo("resnet50-features-1");
        assertThat(features.get(0).get("published").asDouble()).isEqualTo(98.69);
        JsonNode first = experiments.get(5);
        assertThat(first.get("name").asText()).isEqualTo("alexnet-1");
        assertThat(first.get("experiment").asInt()).isEqualTo(1);
        assertThat(first.get("variant").get("batch_norm").asText()).isEqualTo("before-activation");
        assertThat(first.get("variant").get("activation").asText()).isEqualTo("relu");
        assertThat(first.get("batch").asInt()).isEqualTo(1024);
        assertThat(first.get("phases").get(1).get("rate").asDouble()).isEqualTo(1e-3);
        assertThat(first.get("published").get("validation").get("rank5").asDouble())
                .isEqualTo(77.90);
        assertThat(first.get("published").has("test")).isFalse();
        assertThat(first.get("own")).isEmpty();
    }

    @Test
    void resultsOfRuns() throws IOException {
        Path runs = folder.resolve("runs");
        write(runs.resolve("a"), "{\"config\": {\"original\": {\"name\": \"vgg16-1\"}}}", """
            {"epoch": [1, 2], "step": [10, 20], "rate": [0.01, 0.01], "loss": [2, 1], "acc": [0.1, 0.2],
             "val_acc": [0.25, 0.5], "val_acc5": [0.5, 0.75]}\
            """);
        write(runs.resolve("deep/b"), "{\"config\": {\"original\": {\"name\": \"vgg16-1\"}}}", """
            {"epoch": [1], "step": [10], "val_acc": [0.125]}\
            """);
        write(runs.resolve("other"), "{\"config\": {}}", "{\"epoch\": [1], \"step\": [1], \"val_acc\": [0.9]}");
        write(runs.resolve("broken"), "{\"config\": ", "{}");
        write(
                runs.resolve("empty"),
                "{\"config\": {\"original\": {\"name\": \"vgg16-1\"}}}",
                "{\"epoch\": [], \"step\": []}");

        Cli.Result result = Cli.run("experiments", "vgg16", "--runs", runs, "--json");
        assertThat(result.err()).isEmpty();
        assertThat(result.out())
                .contains(
                        "    own        validation 50.00 % (rank-5 75.00 %) after epoch 2 (" + runs.resolve("a") + ")")
                .contains("    own        validation 12.50 % after epoch 1 (" + runs.resolve("deep/b") + ")");
        JsonNode own = result.json().get("experiments").get(0).get("own");
        assertThat(own).hasSize(2);
        assertThat(own.get(0).get("rank1").asDouble()).isEqualTo(50);
        assertThat(own.get(1).get("rank5").isNull()).isTrue();
    }

    @Test
    void theBestEpochAndWhatWasMeasuredOfCheckpointsStandBesideThePublishedResults() throws IOException {
        Path runs = folder.resolve("measured");
        Path run = runs.resolve("a");
        write(run, """
            {"config": {"original": {"name": "vgg16-1"}}, "branches": [
              {"number": 1, "parent": 0, "epoch": 0, "checkpoint": null, "rate": null},
              {"number": 2, "parent": 1, "epoch": 2, "checkpoint": "checkpoints/checkpoint-2-20", "rate": 0.1}]}
            """, """
            {"epoch": [1, 2, 3, 4], "step": [10, 20, 30, 40], "val_acc": [0.25, 0.625, 0.625, 0.5],
             "val_acc5": [0.5, 0.875, 0.75, 0.75]}\
            """);
        Files.writeString(run.resolve("evaluations.json"), """
            [{"checkpoint": "checkpoints/checkpoint-2-20", "epoch": 2, "data": "/data/test.trec", "split": "test",
              "crops": 1, "resize": null, "samples": 50000, "rank1": 0.5, "rank5": 0.75, "loss": 2.5,
              "date": "2026-05-01T12:30:00Z"},
             {"checkpoint": "checkpoints/checkpoint-4-40", "epoch": 4, "data": "/data/test.trec", "split": "test",
              "crops": 1, "resize": null, "samples": 50000, "rank1": 0.25, "rank5": 0.5, "loss": 3.5,
              "date": "2026-05-01T12:30:00Z"},
             {"checkpoint": "checkpoints-2/checkpoint-4-40", "epoch": 4, "data": "/data/test.trec", "split": "test",
              "crops": 10, "resize": 256, "precision": "bf16", "device": "cuda", "samples": 50000, "rank1": 0.53125, "rank5": 0.78125, "loss": 2.25,
              "date": "2026-05-02T12:30:00Z"}]
            """);
        Cli.Result result = Cli.run("experiments", "vgg16", "--runs", runs, "--json");
        assertThat(result.err()).isEmpty();
        assertThat(result.out()).contains("""
                published  validation 68.77 % (rank-5 88.78 %), test 71.42 % (rank-5 90.03 %)
                own        validation 50.00 % (rank-5 75.00 %) after epoch 4, at best 62.50 % (rank-5 87.50 %) after epoch 2 (RUN)
                           test 50.00 % (rank-5 75.00 %) after epoch 2 (50000 pictures of /data/test.trec, 2026-05-01)
                           test with 10 crops 53.13 % (rank-5 78.13 %) after epoch 4 (50000 pictures of /data/test.trec, \
            shorter side 256, bf16 on cuda, 2026-05-02)
            """.replace("RUN", run.toString()));
        // What branch 1 had come to after epoch 4 is no result of the run.
        assertThat(result.out()).doesNotContain("test 25.00 %");
        JsonNode own = result.json().at("/experiments/0/own/0");
        assertThat(own.get("rank1").asDouble()).isEqualTo(50);
        assertThat(own.at("/best/epoch").asInt()).isEqualTo(2);
        assertThat(own.at("/best/rank5").asDouble()).isEqualTo(87.5);
        assertThat(own.get("evaluations")).hasSize(2);
        assertThat(own.at("/evaluations/0/precision").asText()).isEqualTo("fp32");
        assertThat(own.at("/evaluations/1/crops").asInt()).isEqualTo(10);
        assertThat(own.at("/evaluations/1/rank1").asDouble()).isEqualTo(53.125);
        assertThat(own.at("/evaluations/1/samples").asInt()).isEqualTo(50_000);
    }

    private static void write(Path run, String config, String history) throws IOException {
        Files.createDirectories(run);
        Files.writeString(run.resolve("run.json"), config);
        Files.writeString(run.resolve("history.json"), history);
    }
}
