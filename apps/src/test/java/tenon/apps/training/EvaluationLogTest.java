package tenon.apps.training;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.tuple;

import java.io.BufferedReader;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

class EvaluationLogTest {
    private static final int WRITES = 30;

    @TempDir
    private Path run;

    private static EvaluationLog.Entry entry(String checkpoint, String precision, String device, double rank1) {
        return new EvaluationLog.Entry(
                checkpoint,
                2,
                "/data/test.trec",
                "test",
                1,
                null,
                precision,
                device,
                50,
                rank1,
                0.75,
                2.5,
                "2026-05-01T12:30:00Z");
    }

    @Test
    void onlyTheSameArithmeticReplacesAFigure() throws IOException {
        String checkpoint = "checkpoints/checkpoint-2-20";
        EvaluationLog.add(run, List.of(entry(checkpoint, "fp32", "cpu", 0.5)));
        EvaluationLog.add(run, List.of(entry(checkpoint, "bf16", "cpu", 0.25)));
        EvaluationLog.add(run, List.of(entry(checkpoint, "fp32", "cuda", 0.625)));
        EvaluationLog.add(run, List.of(entry(checkpoint, "tf32", "cuda", 0.75)));
        EvaluationLog.add(run, List.of(entry(checkpoint, "bf16", "cpu", 0.375)));
        assertThat(EvaluationLog.read(run))
                .extracting(EvaluationLog.Entry::precision, EvaluationLog.Entry::device, EvaluationLog.Entry::rank1)
                .containsExactly(
                        tuple("fp32", "cpu", 0.5),
                        tuple("fp32", "cuda", 0.625),
                        tuple("tf32", "cuda", 0.75),
                        tuple("bf16", "cpu", 0.375));
    }

    /** As a version wrote them that kept neither precision nor device. */
    @Test
    void figuresWithoutAnArithmeticAreOfFp32() throws IOException {
        Files.writeString(run.resolve(EvaluationLog.FILE), """
            [{"checkpoint": "checkpoints/checkpoint-2-20", "epoch": 2, "data": "/data/test.trec", "split": "test",
              "crops": 1, "resize": null, "samples": 50, "rank1": 0.5, "rank5": 0.75, "loss": 2.5,
              "date": "2026-05-01T12:30:00Z"}]
            """);
        EvaluationLog.Entry old = entry("checkpoints/checkpoint-2-20", "fp32", null, 0.5);
        assertThat(EvaluationLog.read(run)).containsExactly(old);
        EvaluationLog.Entry inBf16 = entry("checkpoints/checkpoint-2-20", "bf16", "cuda", 0.25);
        EvaluationLog.add(run, List.of(inBf16));
        assertThat(EvaluationLog.read(run)).containsExactly(old, inBf16);
        EvaluationLog.Entry again = entry("checkpoints/checkpoint-2-20", "fp32", "cuda", 0.5);
        EvaluationLog.add(run, List.of(again));
        assertThat(EvaluationLog.read(run)).containsExactly(inBf16, again);
    }

    /** In a process of its own: measures the same again and again, from when it says so until it is told to end. */
    static final class Writer {
        private Writer() {}

        public static void main(String[] arguments) throws IOException {
            Path run = Path.of(arguments[0]);
            EvaluationLog.add(run, List.of(entry("other", "fp32", "cpu", 0.5)));
            System.out.println("begun");
            while (System.in.available() == 0) {
                EvaluationLog.add(run, List.of(entry("other", "fp32", "cpu", 0.5)));
            }
        }
    }

    @Test
    @Timeout(60)
    void twoProcessesAndTwoThreadsLoseNothing() throws Exception {
        Process other = new ProcessBuilder(
                        Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                        "-XX:TieredStopAtLevel=1",
                        "-cp",
                        System.getProperty("surefire.test.class.path", System.getProperty("java.class.path")),
                        Writer.class.getName(),
                        run.toString())
                .redirectError(ProcessBuilder.Redirect.INHERIT)
                .start();
        try (BufferedReader out = other.inputReader()) {
            assertThat(out.readLine()).isEqualTo("begun");
            IntStream.range(0, WRITES).parallel().forEach(i -> {
                try {
                    EvaluationLog.add(run, List.of(entry("own-" + i, "fp32", "cpu", 0.5)));
                } catch (IOException e) {
                    throw new AssertionError(e);
                }
            });
            other.outputWriter().append("end\n").flush();
            assertThat(other.waitFor()).isZero();
        } finally {
            other.destroyForcibly();
        }
        assertThat(EvaluationLog.read(run)).hasSize(WRITES + 1);
    }

    /** Branch 2 left branch 1 after update 20; branch 3 left branch 2 in the middle of epoch 4, after update 35. */
    @Test
    void whatARunGaveUpIsNotOfItsWay() throws IOException {
        Files.writeString(run.resolve("run.json"), """
            {"branches": [
              {"number": 1, "parent": 0, "epoch": 0, "checkpoint": null, "rate": null},
              {"number": 2, "parent": 1, "epoch": 2, "checkpoint": "checkpoints/checkpoint-2-20", "rate": 0.1},
              {"number": 3, "parent": 2, "epoch": 3, "checkpoint": "checkpoints-2/checkpoint-3-35", "rate": 0.01}]}
            """);
        List<String> way = List.of(
                "checkpoints/checkpoint-1-10",
                "checkpoints/checkpoint-2-20",
                "checkpoints-2/checkpoint-3-30",
                "checkpoints-2/checkpoint-3-35",
                "checkpoints-3/checkpoint-9-90",
                "copies/checkpoint-9-90");
        List<String> left = List.of(
                "checkpoints/checkpoint-2-25",
                "checkpoints/checkpoint-3-30",
                "checkpoints-2/checkpoint-3-38",
                "checkpoints-2/checkpoint-4-40");
        for (List<String> checkpoints : List.of(left, way)) {
            EvaluationLog.add(
                    run,
                    checkpoints.stream()
                            .map(each -> entry(each, "fp32", "cpu", 0.5))
                            .toList());
        }
        assertThat(EvaluationLog.ofWholeWay(run))
                .extracting(EvaluationLog.Entry::checkpoint)
                .containsExactlyElementsOf(way);
        // Back to before where branch 2 began, from there on: all of it is given up.
        String branches = Files.readString(run.resolve("run.json"));
        Files.writeString(
                run.resolve("run.json"),
                branches.replace("\"parent\": 2, \"epoch\": 3", "\"parent\": 1, \"epoch\": 1")
                        .replace("checkpoints-2/checkpoint-3-35", "checkpoints/checkpoint-1-10"));
        assertThat(EvaluationLog.ofWholeWay(run))
                .extracting(EvaluationLog.Entry::checkpoint)
                .containsExactly(
                        "checkpoints/checkpoint-1-10", "checkpoints-3/checkpoint-9-90", "copies/checkpoint-9-90");
    }
}
