package tenon.optim.checkpoint;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;
import tenon.optim.checkpoint.CheckpointStore.Part;
import tenon.optim.checkpoint.CheckpointStore.Recovery;

class CheckpointStoreTest {
    @TempDir
    private Path folder;

    static byte[] contents(long step, int part) {
        byte[] bytes = new byte[2000 + part];
        new Random(step * 10 + part).nextBytes(bytes);
        return bytes;
    }

    static Map<String, Part> parts(long step) {
        Map<String, Part> parts = new LinkedHashMap<>();
        parts.put("model.safetensors", Part.of(contents(step, 0)));
        parts.put("optimizer.safetensors", Part.of(contents(step, 1)));
        parts.put("state.json", Part.of(contents(step, 2)));
        return parts;
    }

    static void assertHolds(Path checkpoint, long step) throws IOException {
        assertThat(checkpoint.resolve("model.safetensors")).hasBinaryContent(contents(step, 0));
        assertThat(checkpoint.resolve("optimizer.safetensors")).hasBinaryContent(contents(step, 1));
        assertThat(checkpoint.resolve("state.json")).hasBinaryContent(contents(step, 2));
    }

    private List<String> names() throws IOException {
        try (Stream<Path> entries = Files.list(folder)) {
            return entries.map(path -> path.getFileName().toString()).sorted().toList();
        }
    }

    @Test
    void keepsTheLastOnesAndTheBest() throws IOException {
        CheckpointStore store = CheckpointStore.open(folder, 2);
        assertThat(store.recover()).isEqualTo(new Recovery(Optional.empty(), List.of()));
        for (int epoch = 1; epoch <= 5; epoch++) {
            store.save(epoch, epoch * 70L, epoch == 2, parts(epoch));
        }
        assertThat(names())
                .containsExactly("best", "checkpoint-2-140", "checkpoint-4-280", "checkpoint-5-350", "latest");
        assertThat(store.recover().checkpoint()).contains(folder.resolve("checkpoint-5-350"));
        assertThat(store.best()).contains(folder.resolve("checkpoint-2-140"));
        assertHolds(folder.resolve("checkpoint-2-140"), 2);
        assertThat(Files.readString(folder.resolve("latest"))).isEqualTo("checkpoint-5-350\n");
    }

    @Test
    void aRunThatWasSetBackReplacesWhatItHadDoneSince() throws IOException {
        CheckpointStore store = CheckpointStore.open(folder, 3);
        for (int epoch = 1; epoch <= 5; epoch++) {
            store.save(epoch, epoch * 10L, epoch == 4, parts(epoch));
        }
        store.save(3, 35, false, parts(35));
        assertThat(names()).containsExactly("best", "checkpoint-3-30", "checkpoint-3-35", "checkpoint-4-40", "latest");
        assertHolds(store.recover().checkpoint().orElseThrow(), 35);
    }

    @Test
    void aSecondCheckpointOfTheSameStepDoesNotTouchTheFirst() throws IOException {
        CheckpointStore store = CheckpointStore.open(folder, 2);
        store.save(0, 10, false, parts(1));
        Path second = store.save(0, 10, false, parts(2));
        assertThat(second.getFileName()).hasToString("checkpoint-0-10-2");
        assertThat(store.list().getFirst()).isEqualTo(second);
        assertHolds(store.recover().checkpoint().orElseThrow(), 2);
        assertHolds(folder.resolve("checkpoint-0-10"), 1);
    }

    @Test
    void fallsBackToTheNewestWholeCheckpoint() throws IOException {
        CheckpointStore store = CheckpointStore.open(folder, 9);
        for (int step = 1; step <= 7; step++) {
            store.save(0, step, false, parts(step));
        }
        flipBit(folder.resolve("checkpoint-0-7/model.safetensors"));
        Files.delete(folder.resolve("checkpoint-0-6/COMPLETE"));
        Files.write(folder.resolve("checkpoint-0-5/state.json"), new byte[3]);
        Files.delete(folder.resolve("checkpoint-0-4/optimizer.safetensors"));
        Files.writeString(folder.resolve("checkpoint-0-3/COMPLETE"), "{\"files\":{\"mod");
        Files.writeString(folder.resolve("checkpoint-0-2/COMPLETE"), "{}");

        Recovery recovery = store.recover();
        assertThat(recovery.checkpoint()).contains(folder.resolve("checkpoint-0-1"));
        assertThat(recovery.skipped()).hasSize(6);
        assertThat(recovery.skipped().get(0))
                .isEqualTo("checkpoint-0-7 is not whole and was skipped: model.safetensors is damaged: its SHA-256"
                        + " differs");
        assertThat(recovery.skipped().get(1)).contains("checkpoint-0-6", "COMPLETE is missing");
        assertThat(recovery.skipped().get(2))
                .contains("checkpoint-0-5", "state.json has another size: bytes=3, wanted=2002");
        assertThat(recovery.skipped().get(3)).contains("checkpoint-0-4", "files are missing");
        assertThat(recovery.skipped().get(4)).contains("checkpoint-0-3", "COMPLETE is damaged");
        assertThat(recovery.skipped().get(5)).contains("checkpoint-0-2", "lists no files");
    }

    private static void flipBit(Path file) throws IOException {
        byte[] bytes = Files.readAllBytes(file);
        bytes[bytes.length / 2] ^= 4;
        Files.write(file, bytes);
    }

    @ParameterizedTest
    @ValueSource(strings = {"", "../../etc", "checkpoint-0-99", "checkpoint-x"})
    void doesWithoutAUsablePointer(String pointer) throws IOException {
        CheckpointStore store = CheckpointStore.open(folder, 9);
        store.save(0, 1, false, parts(1));
        store.save(0, 2, false, parts(2));
        Files.writeString(folder.resolve("latest"), pointer);
        assertThat(store.recover().checkpoint()).contains(folder.resolve("checkpoint-0-2"));
        Files.delete(folder.resolve("latest"));
        assertThat(store.recover().checkpoint()).contains(folder.resolve("checkpoint-0-2"));
    }

    /** Every write, sync, rename and deletion of a save goes wrong once; each time the old or the new checkpoint is there, whole. */
    @ParameterizedTest
    @EnumSource
    void survivesAFaultInEveryOperation(FaultyFiles.Fault fault) throws IOException {
        int operations = Integer.MAX_VALUE;
        int oldFound = 0;
        int newFound = 0;
        for (int failAt = 1; failAt <= operations; failAt++) {
            Path run = Files.createDirectory(folder.resolve(fault + "-" + failAt));
            CheckpointStore store = CheckpointStore.open(run, 1);
            store.save(1, 1, true, parts(1));
            store.save(2, 2, false, parts(2));

            FaultyFiles files = new FaultyFiles(failAt, fault);
            try {
                new CheckpointStore(run, 1, files).save(3, 3, true, parts(3));
                operations = Math.min(operations, files.operations());
            } catch (CheckpointException e) {
                assertThat(e)
                        .hasMessageContaining("epoch 3, step 3 could not be written")
                        .hasMessageContaining("(free some space");
            }
            if (fault == FaultyFiles.Fault.POWER_LOSS) {
                files.losePower();
            }

            Path found = store.recover().checkpoint().orElseThrow();
            boolean isNew = found.getFileName().toString().equals("checkpoint-3-3");
            assertHolds(found, isNew ? 3 : 2);
            oldFound += isNew ? 0 : 1;
            newFound += isNew ? 1 : 0;
            Path best = store.best().orElseThrow();
            assertHolds(best, best.getFileName().toString().equals("checkpoint-3-3") ? 3 : 1);

            store.save(4, 4, false, parts(4));
            assertHolds(store.recover().checkpoint().orElseThrow(), 4);
            assertThat(store.recover().skipped()).isEmpty();
            try (Stream<Path> entries = Files.list(run)) {
                assertThat(entries.map(path -> path.getFileName().toString()))
                        .noneMatch(name -> name.startsWith(".tmp-") || name.startsWith(".delete-"));
            }
        }
        assertThat(operations).isBetween(20, 100);
        assertThat(oldFound).isPositive();
        assertThat(newFound).isPositive();
    }

    @Test
    void aFullDiskIsReportedAndTheNextSaveWorks() throws IOException {
        CheckpointStore store = new CheckpointStore(folder, 1, new FaultyFiles(25, FaultyFiles.Fault.ERROR));
        store.save(1, 1, false, parts(1));
        assertThatThrownBy(() -> store.save(2, 2, false, parts(2)))
                .isInstanceOf(CheckpointException.class)
                .hasMessageContaining("No space left on device")
                .hasMessageContaining("MiB")
                .hasMessageContaining("earlier checkpoints are untouched");
        assertThat(names()).containsExactly("checkpoint-1-1", "latest");
        store.save(3, 3, false, parts(3));
        assertThat(names()).containsExactly("checkpoint-3-3", "latest");
    }
}
