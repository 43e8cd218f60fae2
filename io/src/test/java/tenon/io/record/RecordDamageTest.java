package tenon.io.record;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.fail;

import com.sun.management.ThreadMXBean;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.management.ManagementFactory;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.Arrays;
import java.util.function.Supplier;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;
import tenon.io.record.RecordFormat.Footer;
import tenon.io.record.RecordFormat.Header;

/** Damaged and hostile files: the right samples or an error that says where, and never a hang, nor more memory than the file has, plus 1 MiB. */
@Timeout(300)
class RecordDamageTest {
    private static final ThreadMXBean THREADS = (ThreadMXBean) ManagementFactory.getThreadMXBean();
    private static final long MIB = 1 << 20;

    @TempDir
    Path folder;

    /** Counts what is taken outside the heap. */
    private static final class CountingArena implements Arena {
        private final Arena arena = Arena.ofConfined();
        private long bytes;

        @Override
        public MemorySegment allocate(long byteSize, long byteAlignment) {
            bytes += byteSize;
            return arena.allocate(byteSize, byteAlignment);
        }

        @Override
        public MemorySegment.Scope scope() {
            return arena.scope();
        }

        @Override
        public void close() {
            arena.close();
        }
    }

    /** Opens and reads everything; counts the samples that were errors, 3 when the file cannot be opened. */
    private static int damagedSamples(TestRecords kind, Path name, Supplier<RecordReader> open) {
        int damaged = 0;
        try (RecordReader reader = open.get()) {
            if (reader.sampleCount() != 3 || !reader.schema().classNames().equals(TestRecords.CLASSES)) {
                fail("a header that is not the file's: " + reader.schema() + ", samples " + reader.sampleCount());
            }
            for (int i = 0; i < 3; i++) {
                try {
                    if (!kind.isSample(i, reader.read(i))) {
                        fail("sample " + i + " is wrong: " + reader.read(i));
                    }
                } catch (RecordException e) {
                    damaged++;
                    checkMessage(e, name);
                    if (!e.getMessage().contains("sample " + i + " (key 'k" + i + "'")
                            || !e.getMessage().contains("at byte " + reader.offset(i))) {
                        fail("must name sample " + i + ": " + e.getMessage());
                    }
                }
            }
            int[] reported = {0};
            reader.verify((_, _) -> {}, (_, _) -> reported[0]++, _ -> {});
            // Unused bytes in front of a sample: reported, though all samples can be read.
            return Math.max(damaged, reported[0]);
        } catch (RecordException e) {
            checkMessage(e, name);
            return 3;
        }
    }

    private static void checkMessage(RecordException e, Path name) {
        if (!e.getMessage().startsWith("record file " + name + ": ")
                || !e.getMessage().contains("byte")) {
            fail("must name the file and the place: " + e.getMessage());
        }
    }

    private static int damagedSamples(TestRecords kind, byte[] bytes) {
        return damagedSamples(kind, bytes, MIB);
    }

    /** @param allowance bytes that may be allocated altogether beyond the file's own */
    private static int damagedSamples(TestRecords kind, byte[] bytes, long allowance) {
        Path name = Path.of("in-memory.trec");
        CountingArena arena = new CountingArena();
        long before = THREADS.getCurrentThreadAllocatedBytes();
        int damaged = damagedSamples(kind, name, () -> {
            try {
                return new RecordReader(name, MemorySegment.ofArray(bytes), arena);
            } catch (RecordException e) {
                arena.close();
                throw e;
            }
        });
        long allocated = THREADS.getCurrentThreadAllocatedBytes() - before;
        if (arena.bytes > bytes.length || allocated > bytes.length + allowance) {
            fail("allocated too much: " + allocated + " on the heap, " + arena.bytes + " outside");
        }
        return damaged;
    }

    @ParameterizedTest
    @EnumSource
    void everyFlippedBitIsFoundAndNoSampleIsEverWrong(TestRecords kind) throws IOException {
        byte[] bytes = kind.bytes(folder);
        assertThat(damagedSamples(kind, bytes)).isZero();
        int one = 0;
        for (int bit = 0; bit < 8 * bytes.length; bit++) {
            bytes[bit / 8] ^= (byte) (1 << bit % 8);
            int damaged = damagedSamples(kind, bytes);
            if (damaged != 1 && damaged != 3) {
                fail("bit " + bit + " leaves damaged samples: " + damaged);
            }
            one += damaged == 1 ? 1 : 0;
            bytes[bit / 8] ^= (byte) (1 << bit % 8);
        }
        // Exactly the bits of the data region damage one sample and leave the others.
        ByteBuffer fields = ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN);
        int footer = bytes.length - RecordFormat.FOOTER_BYTES;
        long dataBytes = fields.getLong(footer + Footer.DATA_END) - fields.getLong(footer + Footer.DATA_OFFSET);
        assertThat(one).isEqualTo((int) (8 * dataBytes));
    }

    @Test
    void everyFlippedBitOfAFileOnDiskIsFound() throws IOException {
        TestRecords kind = TestRecords.GREY_CLASSES;
        Path file = folder.resolve("flipped.trec");
        kind.write(file);
        byte[] bytes = Files.readAllBytes(file);
        try (FileChannel channel = FileChannel.open(file, StandardOpenOption.WRITE)) {
            for (int bit = 0; bit < 8 * bytes.length; bit++) {
                int at = bit / 8;
                channel.write(ByteBuffer.wrap(new byte[] {(byte) (bytes[at] ^ 1 << bit % 8)}), at);
                if (damagedSamples(kind, file, () -> RecordReader.open(file)) == 0) {
                    fail("bit " + bit + " was not found");
                }
                channel.write(ByteBuffer.wrap(bytes, at, 1), at);
            }
        }
        assertThat(damagedSamples(kind, file, () -> RecordReader.open(file))).isZero();
    }

    @ParameterizedTest
    @EnumSource
    void everyTruncationIsAnError(TestRecords kind) throws IOException {
        byte[] bytes = kind.bytes(folder);
        Path file = folder.resolve("short.trec");
        for (int length = 0; length < bytes.length; length++) {
            assertThat(damagedSamples(kind, Arrays.copyOf(bytes, length)))
                    .as("length %d", length)
                    .isEqualTo(3);
        }
        Files.write(file, bytes);
        try (FileChannel channel = FileChannel.open(file, StandardOpenOption.WRITE)) {
            for (int length = bytes.length - 1; length >= 0; length--) {
                channel.truncate(length);
                assertThatThrownBy(() -> RecordReader.open(file).close())
                        .as("length %d", length)
                        .isInstanceOf(RecordException.class)
                        .hasMessageContaining(file.toString());
            }
        }
    }

    @ParameterizedTest
    @EnumSource
    void numbersThatContradictTheFileAreRefusedEvenWithRightChecksums(TestRecords kind) throws IOException {
        byte[] good = kind.bytes(folder);
        assertThat(RecordBytes.sealed(good)).isEqualTo(good);
        int footer = good.length - RecordFormat.FOOTER_BYTES;
        int index = (int) ByteBuffer.wrap(good).order(ByteOrder.LITTLE_ENDIAN).getLong(footer + Footer.INDEX_OFFSET);
        long[] longs = {-1, Long.MIN_VALUE, Long.MAX_VALUE, Integer.MAX_VALUE, 1L << 32, good.length + 1, 1};
        // All of the footer's numbers but the length, which sealing makes right; header's; offsets of the entries.
        for (int field : new int[] {0, 8, 16, 24, 32}) {
            for (long value : longs) {
                expectRefused(kind, good, footer + field, value, 8);
            }
        }
        for (long value : longs) {
            expectRefused(kind, good, Header.DATA_OFFSET, value, 8);
            expectRefused(kind, good, Header.SEGMENT_BYTES, value, 8);
            expectRefused(kind, good, Header.SCHEMA_BYTES, value, 4);
        }
        for (int entry = 0; entry < 3; entry++) {
            for (int field : new int[] {0, 24}) {
                for (long value : longs) {
                    expectRefused(kind, good, index + entry * RecordFormat.ENTRY_BYTES + field, value, 8);
                }
            }
            for (int field : new int[] {8, 12, 16, 32, 36}) {
                for (int value : new int[] {-2, Integer.MIN_VALUE, Integer.MAX_VALUE, 1000, 1 << 30}) {
                    expectRefused(kind, good, index + entry * RecordFormat.ENTRY_BYTES + field, value, 4);
                }
            }
        }
    }

    private static void expectRefused(TestRecords kind, byte[] good, int at, long value, int size) {
        byte[] bytes = good.clone();
        ByteBuffer fields = ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN);
        if (size == 8) {
            fields.putLong(at, value);
        } else {
            fields.putInt(at, (int) value);
        }
        assertThat(damagedSamples(kind, RecordBytes.sealed(bytes)))
                .as("%d at byte %d of %d", value, at, bytes.length)
                .isEqualTo(3);
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "null",
                "[]",
                "{}",
                "{\"encoding\": \"raw-u8\"}",
                "{\"encoding\": \"encoded\", \"label\": \"none\", \"split\": \"a\", \"shardCount\": 0}",
                "{\"encoding\": \"encoded\", \"label\": \"none\", \"split\": \"a\", \"shardCount\": 1, \"classNames\":"
                        + " [null]}",
                "{\"encoding\": \"encoded\", \"label\": \"none\", \"split\": \"a\", \"shardCount\": 1, \"height\":"
                        + " 1.5}",
                "{\"encoding\": \"encoded\", \"label\": \"none\", \"split\": \"a\", \"shardCount\": 1, \"channels\":"
                        + " 2}",
                "{\"encoding\": \"encoded\", \"label\": \"none\", \"split\": \"a\", \"shardCount\": 1} x",
                "{\"encoding\": \"encoded\", \"label\": \"none\", \"split\": \"a\", \"shardCount\": 1,"
                        + " \"channelMeans\": [\"NaN\"], \"channelStds\": [1]}",
                "{\"encoding\": \"encoded\", \"label\": \"none\", \"split\": \"a\", \"shardCount\": 1,"
                        + " \"pixelCount\": -1}",
                "{\"encoding\": \"encoded\", \"label\": \"none\", \"split\": \"a\", \"shardCount\": 1, \"new\":"
                        + " [[[[[[[[[1]]]]]]]]]}"
            })
    void schemasThatAreNoneAreRefused(String json) throws IOException {
        byte[] bytes = withSchema(json);
        assertThat(damagedSamples(TestRecords.GREY_CLASSES, bytes)).isEqualTo(3);
        assertThatThrownBy(() -> new RecordReader(Path.of("a.trec"), MemorySegment.ofArray(bytes), Arena.ofAuto()))
                .isInstanceOf(RecordException.class)
                .hasMessageContaining("the schema at byte 32 is invalid");
    }

    /** {@link TestRecords#GREY_CLASSES} with another schema in its header, which grows as needed. */
    private byte[] withSchema(String json) throws IOException {
        byte[] good = TestRecords.GREY_CLASSES.bytes(folder);
        byte[] text = json.getBytes(StandardCharsets.UTF_8);
        int dataOffset = (int) RecordFormat.roundUp(RecordFormat.HEADER_BYTES + text.length, RecordFormat.PAGE);
        int shift = dataOffset - RecordFormat.PAGE;
        byte[] bytes = new byte[good.length + shift];
        System.arraycopy(good, 0, bytes, 0, RecordFormat.HEADER_BYTES);
        System.arraycopy(text, 0, bytes, RecordFormat.HEADER_BYTES, text.length);
        System.arraycopy(good, RecordFormat.PAGE, bytes, dataOffset, good.length - RecordFormat.PAGE);
        ByteBuffer fields = ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN);
        fields.putInt(Header.SCHEMA_BYTES, text.length).putLong(Header.DATA_OFFSET, dataOffset);
        int footer = bytes.length - RecordFormat.FOOTER_BYTES;
        for (int field : new int[] {Footer.DATA_OFFSET, Footer.DATA_END, Footer.INDEX_OFFSET, Footer.STRINGS_OFFSET}) {
            fields.putLong(footer + field, fields.getLong(footer + field) + shift);
        }
        int index = (int) fields.getLong(footer + Footer.INDEX_OFFSET);
        for (int i = 0; i < 3; i++) {
            int at = index + i * RecordFormat.ENTRY_BYTES;
            fields.putLong(at, fields.getLong(at) + shift);
        }
        return RecordBytes.sealed(bytes);
    }

    @Test
    void aSchemaWithAnotherValidHeaderIsReadWhereItLies() throws IOException {
        String json = "{\"encoding\": \"raw-u8\", \"height\": 2, \"width\": 3, \"channels\": 1, \"label\": \"class\","
                + " \"split\": \"train\", \"shardCount\": 1, \"classNames\": [\"cats\", \"dogs\", \"panda\"],"
                + " \"later\": {\"a\": [1]}, \"fill\": \"" + "x".repeat(10_000) + "\"}";
        assertThat(damagedSamples(TestRecords.GREY_CLASSES, withSchema(json))).isZero();
    }

    @Test
    void hugeListsAndTextsInASchemaTakeNoMoreThanTheFile() throws IOException {
        String begin = "{\"encoding\": \"encoded\", \"label\": \"none\", \"split\": \"a\", \"shardCount\": 1, ";
        int length = 4 << 20;
        for (String json : new String[] {
            begin + "\"channelMeans\": [" + "0,".repeat(length / 2) + "0]}",
            begin + "\"classNames\": [" + "\"\",".repeat(length / 3) + "\"\"]}",
            begin + "\"classNames\": [\"" + "x".repeat(length) + "\"]}",
            begin + "\"" + "x".repeat(length) + "\": 0}",
            begin + "\"height\": " + "1".repeat(length) + "}",
            begin + "\"x\": " + "[".repeat(length) + "}"
        }) {
            byte[] bytes = withSchema(json);
            // Together: the limits of the parser keep each of them below 1 MiB.
            assertThat(damagedSamples(TestRecords.GREY_CLASSES, bytes, 4 * MIB))
                    .as(json.substring(0, 120))
                    .isEqualTo(3);
        }
    }
}
