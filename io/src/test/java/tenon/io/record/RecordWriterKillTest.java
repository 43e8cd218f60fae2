package tenon.io.record;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.BufferedReader;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.SplittableRandom;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.Stream;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledOnOs;
import org.junit.jupiter.api.condition.OS;
import org.junit.jupiter.api.io.TempDir;

/** SIGKILL while files are written: each name leads to the last file that was committed, or to the whole next one. */
@Tag("slow")
@EnabledOnOs({OS.LINUX, OS.MAC})
class RecordWriterKillTest {
    private static final int KILLS = 200;
    /** Kills that come between two files prove nothing and do not count. */
    private static final int TRIES = 260;

    private static final int WRITERS = 3;

    @TempDir
    Path folder;

    /** The end of a process: for each writer the last generation it has reported. */
    private static int[] startAndKill(Path into, long delayMillis) throws IOException, InterruptedException {
        Process process = new ProcessBuilder(
                        Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                        "-XX:TieredStopAtLevel=1",
                        "-XX:+UseSerialGC",
                        "-XX:+UnlockDiagnosticVMOptions",
                        "-XX:-BytecodeVerificationRemote",
                        "-cp",
                        System.getProperty("java.class.path"),
                        EndlessWriter.class.getName(),
                        into.toString(),
                        Integer.toString(WRITERS))
                .redirectError(ProcessBuilder.Redirect.INHERIT)
                .start();
        int[] reported = new int[WRITERS];
        Arrays.fill(reported, -1);
        try (BufferedReader lines = process.inputReader()) {
            // Every writer has an old file before the clock starts.
            while (Arrays.stream(reported).anyMatch(generation -> generation < 0)) {
                take(lines.readLine(), reported);
            }
            Thread.sleep(delayMillis);
            // Not process.destroyForcibly(), which closes the stream and loses what was said last.
            process.toHandle().destroyForcibly();
            for (String line = lines.readLine(); line != null; line = lines.readLine()) {
                take(line, reported);
            }
        } finally {
            process.destroyForcibly().onExit().join();
        }
        assertThat(process.waitFor()).as("exit code of a killed process").isEqualTo(128 + 9);
        return reported;
    }

    private static void take(String line, int[] reported) {
        assertThat(line).as("the writing process ended by itself").isNotNull();
        String[] words = line.split(" ");
        reported[Integer.parseInt(words[0])] = Integer.parseInt(words[1]);
    }

    /** @return whether the kill came while a file was being written */
    private static boolean round(Path into, long delayMillis) throws IOException, InterruptedException {
        Files.createDirectory(into);
        int[] reported = startAndKill(into, delayMillis);
        List<Path> targets = new ArrayList<>();
        for (int writer = 0; writer < WRITERS; writer++) {
            Path file = EndlessWriter.file(into, writer);
            targets.add(file);
            try (RecordReader reader = RecordReader.open(file)) {
                assertThat(reader.sampleCount()).isEqualTo(EndlessWriter.SAMPLES);
                int generation = Integer.parseInt(reader.key(0).substring(1));
                assertThat(generation).isBetween(reported[writer], reported[writer] + 1);
                byte[] pixels = new byte[EndlessWriter.SCHEMA.rawImageBytes()];
                Arrays.fill(pixels, (byte) generation);
                for (int i = 0; i < EndlessWriter.SAMPLES; i++) {
                    assertThat(reader.key(i)).isEqualTo("g" + generation);
                    assertThat(Arrays.equals(reader.read(i).image(), pixels)).isTrue();
                }
            }
        }
        boolean whileWriting = list(into).size() > WRITERS;
        targets.forEach(
                target -> RecordWriter.create(target, EndlessWriter.SCHEMA).close());
        assertThat(list(into)).isEqualTo(targets);
        for (Path target : targets) {
            Files.delete(target);
        }
        return whileWriting;
    }

    private static List<Path> list(Path folder) throws IOException {
        try (Stream<Path> files = Files.list(folder)) {
            return files.sorted().toList();
        }
    }

    @Test
    void twoHundredKillsLeaveTheOldFileOrAWholeNewOne() throws Exception {
        AtomicInteger tries = new AtomicInteger();
        AtomicInteger hits = new AtomicInteger();
        Callable<Void> rounds = () -> {
            while (hits.get() < KILLS && tries.get() < TRIES) {
                int number = tries.getAndIncrement();
                if (round(folder.resolve("kill" + number), new SplittableRandom(number).nextInt(30))) {
                    hits.incrementAndGet();
                }
            }
            return null;
        };
        try (ExecutorService two = Executors.newFixedThreadPool(2)) {
            for (Future<Void> loop : two.invokeAll(List.of(rounds, rounds))) {
                loop.get();
            }
        }
        assertThat(hits.get()).as("kills while a file was being written").isGreaterThanOrEqualTo(KILLS);
    }
}
