package tenon.io.record;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.catchThrowableOfType;
import static org.assertj.core.api.Assertions.fail;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Whatever goes wrong while a file is written, its name leads to the old file or to a whole new one, and nothing else is left. */
class RecordWriterFailureTest {
    private static final RecordSchema LARGE = RecordSchema.rawClasses("train", 512, 1024, 1, TestRecords.CLASSES);

    @TempDir
    Path folder;

    @Test
    void aFileThatItsCheckRefusesDoesNotReplaceTheOldOne() throws IOException {
        Path target = folder.resolve("a.trec");
        RecordSchema schema = RecordSchema.rawClasses("train", 1, 1, 1, List.of("x"));
        for (int value = 1; value <= 2; value++) {
            boolean refuse = value == 2;
            try (RecordWriter writer = RecordWriter.create(target, schema)) {
                writer.add(new byte[] {(byte) value}, Label.ofClass(0), "k", "");
                writer.commit(file -> {
                    try (RecordReader reader = RecordReader.open(file)) {
                        reader.verify();
                    }
                    if (refuse) {
                        throw new IllegalStateException("refused");
                    }
                });
            } catch (IllegalStateException e) {
                assertThat(refuse).isTrue();
            }
            try (RecordReader reader = RecordReader.open(target)) {
                assertThat(reader.read(0).image()).containsExactly(1);
            }
            try (Stream<Path> files = Files.list(folder)) {
                assertThat(files).containsExactly(target);
            }
        }
    }

    /** A file whose operations fail from number {@code failAt} on, after having written half of what they should. */
    private static final class FailingFile implements RecordFile {
        private final RecordFile file;
        private final int failAt;
        private int operations;
        private String failed;

        FailingFile(Path path, int failAt) throws IOException {
            this.file = RecordFile.open(path);
            this.failAt = failAt;
        }

        private boolean fails(String operation) {
            boolean fails = operations++ >= failAt;
            if (fails && failed == null) {
                failed = operation;
            }
            return fails;
        }

        private static IOException full() {
            return new IOException("No space left on device");
        }

        @Override
        public void write(ByteBuffer from, long position) throws IOException {
            if (fails("write")) {
                file.write(from.slice(from.position(), from.remaining() / 2), position);
                throw full();
            }
            file.write(from, position);
        }

        @Override
        public void force() throws IOException {
            if (fails("force")) {
                throw full();
            }
            file.force();
        }

        @Override
        public void close() throws IOException {
            if (fails("close")) {
                file.close();
                throw full();
            }
            file.close();
        }

        @Override
        public void rename(Path from, Path target) throws IOException {
            if (fails("rename")) {
                throw full();
            }
            file.rename(from, target);
        }

        @Override
        public void forceFolder(Path path) throws IOException {
            if (fails("forceFolder")) {
                throw full();
            }
            file.forceFolder(path);
        }
    }

    /** Three samples of half a MiB, more than the writer buffers. */
    private static void writeLarge(Path file, int value, RecordFile.Opener opener) {
        try (RecordWriter writer = RecordWriter.create(file, LARGE, opener, RecordFormat.SEGMENT_BYTES)) {
            for (int i = 0; i < 3; i++) {
                byte[] pixels = new byte[LARGE.rawImageBytes()];
                Arrays.fill(pixels, (byte) value);
                writer.add(pixels, Label.ofClass(i), "k" + i, "");
            }
            writer.commit();
        }
    }

    @Test
    void failuresAtEveryWriteSyncAndRenameLeaveTheOldFileOrAWholeNewOne() throws IOException {
        Path file = folder.resolve("a.trec");
        writeLarge(file, 1, RecordFile::open);
        byte[] old = Files.readAllBytes(file);
        FailingFile[] last = {null};
        RecordFile.Opener counting = path -> last[0] = new FailingFile(path, Integer.MAX_VALUE);
        writeLarge(file, 2, counting);
        byte[] renewed = Files.readAllBytes(file);
        int operations = last[0].operations;
        List<String> failed = new ArrayList<>();
        for (int failAt = 0; failAt < operations; failAt++) {
            Files.write(file, old);
            int at = failAt;
            RecordException e = catchThrowableOfType(
                    RecordException.class, () -> writeLarge(file, 2, path -> last[0] = new FailingFile(path, at)));
            failed.add(last[0].failed);
            assertThat(e).as(last[0].failed).hasMessageStartingWith("record file " + file + ": ");
            assertThat(e).hasMessageContaining("No space left on device");
            if (last[0].failed.equals("forceFolder")) {
                assertThat(e).hasMessageContaining("the new file is whole and in its place");
                assertThat(Files.readAllBytes(file)).isEqualTo(renewed);
            } else {
                assertThat(e).hasMessageContaining("writing failed after").hasMessageContaining("free bytes");
                assertThat(Files.readAllBytes(file)).isEqualTo(old);
            }
            assertOnly(file);
            Files.delete(file);
            assertThatThrownBy(() -> writeLarge(file, 2, path -> new FailingFile(path, at)))
                    .isInstanceOf(RecordException.class);
            assertThat(Files.exists(file)).isEqualTo(last[0].failed.equals("forceFolder"));
        }
        // Data, rest with index and footer, header; then the ways to the final name.
        assertThat(failed).containsExactly("write", "write", "write", "force", "close", "rename", "forceFolder");
    }

    private void assertOnly(Path file) throws IOException {
        try (Stream<Path> files = Files.list(folder)) {
            assertThat(files).containsExactly(file);
        }
    }

    @Test
    void aFailedWriterTakesNothingMore() {
        Path file = folder.resolve("a.trec");
        try (RecordWriter writer =
                RecordWriter.create(file, LARGE, path -> new FailingFile(path, 0), RecordFormat.SEGMENT_BYTES)) {
            byte[] pixels = new byte[LARGE.rawImageBytes()];
            writer.add(pixels, Label.ofClass(0), "k0", "");
            writer.add(pixels, Label.ofClass(0), "k1", "");
            assertThatThrownBy(() -> writer.add(pixels, Label.ofClass(0), "k2", ""))
                    .hasMessageContaining("No space left");
            assertThatThrownBy(() -> writer.add(pixels, Label.ofClass(0), "k3", ""))
                    .isInstanceOf(RecordException.class);
            assertThatThrownBy(writer::commit).isInstanceOf(RecordException.class);
        }
        assertThat(file).doesNotExist();
        assertThat(folder).isEmptyDirectory();
    }

    @Test
    void withoutCommitTheOldFileStaysAndNothingElseIsLeft() throws IOException {
        Path file = folder.resolve("a.trec");
        TestRecords.GREY_CLASSES.write(file);
        byte[] before = Files.readAllBytes(file);
        try (RecordWriter writer = RecordWriter.create(file, TestRecords.GREY_CLASSES.schema())) {
            writer.add(new byte[6], Label.ofClass(0), "other", "");
        }
        assertThat(Files.readAllBytes(file)).isEqualTo(before);
        assertOnly(file);
    }

    /** The same on a real file system of 1 MiB, where this user may mount one. */
    @Test
    void aReallyFullDiskIsAClearErrorAndLeavesTheOldFile() throws Exception {
        Path disk = Files.createDirectory(folder.resolve("disk"));
        Assumptions.assumeTrue(
                run("mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", disk.toString()),
                "only root may mount a small file system; the injected failures above stand for it");
        try {
            Path file = disk.resolve("a.trec");
            TestRecords.GREY_CLASSES.write(file);
            byte[] before = Files.readAllBytes(file);
            assertThatThrownBy(() -> writeLarge(file, 2, RecordFile::open))
                    .isInstanceOf(RecordException.class)
                    .hasMessageContaining("record file " + file + ": writing failed after")
                    .hasMessageContaining("No space left on device")
                    .hasMessageContaining("free bytes in its folder")
                    .hasMessageContaining("an earlier file of this name is unchanged");
            assertThat(Files.readAllBytes(file)).isEqualTo(before);
            try (Stream<Path> files = Files.list(disk)) {
                assertThat(files).containsExactly(file);
            }
        } finally {
            if (!run("umount", disk.toString())) {
                fail("cannot unmount " + disk);
            }
        }
    }

    private static boolean run(String... command) throws Exception {
        try {
            Process process = new ProcessBuilder(command)
                    .redirectErrorStream(true)
                    .redirectOutput(ProcessBuilder.Redirect.DISCARD)
                    .start();
            return process.waitFor(20, TimeUnit.SECONDS) && process.exitValue() == 0;
        } catch (IOException _) {
            return false;
        }
    }

    @Test
    void whatAKilledWriterLeftIsRemovedByTheNextOneAndALiveWritersFileIsNot() throws IOException {
        Path file = folder.resolve("a.trec");
        Path abandoned = Files.writeString(folder.resolve(".a.trec.12345-abc.tmp"), "part");
        Path other = Files.writeString(folder.resolve(".b.trec.12345-abc.tmp"), "part of another file");
        try (RecordWriter first = RecordWriter.create(file, TestRecords.GREY_CLASSES.schema())) {
            assertThat(abandoned).doesNotExist();
            assertThat(other).exists();
            TestRecords.GREY_CLASSES.write(file);
            first.add(new byte[6], Label.ofClass(0), "k", "");
            first.commit();
        }
        Files.delete(other);
        assertOnly(file);
        try (RecordReader reader = RecordReader.open(file)) {
            assertThat(reader.sampleCount()).isEqualTo(1);
        }
    }
}
