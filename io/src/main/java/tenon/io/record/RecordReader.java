package tenon.io.record;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import tenon.io.record.RecordFormat.Entry;
import tenon.io.record.RecordFormat.Footer;

/**
 * Random access to the samples of a record file, which stays mapped into memory while open.
 *
 * <p>Opening checks footer, header and index by their checksums and every offset against the file, before anything is allocated from it. Reading
 * copies a sample out of the mapping and checks the copy, so what is decoded is what was checked, even if the file changes meanwhile.
 * All methods may be called from several threads, each with its own {@link SampleBuffer}; close only when no other thread reads.
 */
public final class RecordReader implements AutoCloseable {
    private static final String DAMAGED = " (the file is damaged or was not written completely: build it again)";

    private final Path path;
    private final Arena arena;
    private final MemorySegment map;
    private final MemorySegment index;
    private final MemorySegment strings;
    private final RecordSchema schema;
    private final int sampleCount;

    /**
     * Opens a file.
     *
     * @throws RecordException when it is absent, not a record file, of an unknown version, truncated or damaged outside the samples' bytes
     */
    public static RecordReader open(Path path) {
        try (FileChannel channel = FileChannel.open(path, StandardOpenOption.READ)) {
            Arena arena = Arena.ofShared();
            try {
                return new RecordReader(path, channel, arena);
            } catch (IOException | RuntimeException | InternalError e) {
                arena.close();
                throw e;
            }
        } catch (NoSuchFileException e) {
            throw new RecordException("record file " + path + ": there is no such file (build it first)", e);
        } catch (IOException e) {
            throw new RecordException("record file " + path + ": cannot be read: " + e, e);
        } catch (InternalError e) {
            throw new RecordException(
                    "record file " + path + ": cannot be read: the file shrank meanwhile, or the disk failed", e);
        }
    }

    private RecordReader(Path path, FileChannel channel, Arena arena) throws IOException {
        this.path = path;
        this.arena = arena;
        long fileBytes = channel.size();
        check(fileBytes >= RecordFormat.MAGIC.length, "the file has " + fileBytes + " bytes and is no record file");
        map = channel.map(FileChannel.MapMode.READ_ONLY, 0, fileBytes, arena);
        check(
                map.asSlice(0, 8).mismatch(MemorySegment.ofArray(RecordFormat.MAGIC)) < 0,
                "the first bytes are not those of a record file (is this another kind of file?)");
        check(
                fileBytes >= RecordFormat.PAGE + RecordFormat.FOOTER_BYTES,
                "the file ends after " + fileBytes + " bytes" + DAMAGED);
        int version = map.get(RecordFormat.INT, 8);
        check(
                version == RecordFormat.VERSION,
                "unknown format version: version=" + version + ", known=" + RecordFormat.VERSION
                        + " (the file was written by another release, or is damaged: build it again)");

        MemorySegment footer = copy(fileBytes - RecordFormat.FOOTER_BYTES, RecordFormat.FOOTER_BYTES);
        check(
                footer.asSlice(Footer.END_MAGIC).mismatch(MemorySegment.ofArray(RecordFormat.END_MAGIC)) < 0,
                "the end mark is missing" + DAMAGED);
        checkCrc("footer", footer.get(RecordFormat.INT, Footer.FOOTER_CRC), footer.asSlice(0, Footer.FOOTER_CRC));
        long footerOffset = fileBytes - RecordFormat.FOOTER_BYTES;
        long count = footer.get(RecordFormat.LONG, Footer.SAMPLE_COUNT);
        long dataOffset = footer.get(RecordFormat.LONG, Footer.DATA_OFFSET);
        long dataEnd = footer.get(RecordFormat.LONG, Footer.DATA_END);
        long indexOffset = footer.get(RecordFormat.LONG, Footer.INDEX_OFFSET);
        long stringsOffset = footer.get(RecordFormat.LONG, Footer.STRINGS_OFFSET);
        long recorded = footer.get(RecordFormat.LONG, Footer.FILE_BYTES);
        check(recorded == fileBytes, "the file has " + fileBytes + " bytes and says it has " + recorded + DAMAGED);
        boolean ordered = RecordFormat.HEADER_BYTES <= dataOffset
                && dataOffset <= dataEnd
                && dataEnd <= indexOffset
                && indexOffset - dataEnd < 8
                && indexOffset <= stringsOffset
                && stringsOffset <= footerOffset
                && count >= 0
                && count <= Integer.MAX_VALUE
                && stringsOffset - indexOffset == count * RecordFormat.ENTRY_BYTES;
        check(ordered, "the footer's offsets contradict each other" + DAMAGED);
        check(
                dataOffset <= RecordFormat.MAX_SCHEMA_BYTES,
                "the header is too long: " + dataOffset + " bytes" + DAMAGED);

        MemorySegment header = copy(0, dataOffset);
        checkCrc("header", footer.get(RecordFormat.INT, Footer.HEADER_CRC), header);
        schema = parseSchema(header, dataOffset);
        MemorySegment tail = copy(dataEnd, footerOffset - dataEnd);
        checkCrc("index", footer.get(RecordFormat.INT, Footer.INDEX_CRC), tail);
        index = tail.asSlice(indexOffset - dataEnd, stringsOffset - indexOffset);
        strings = tail.asSlice(stringsOffset - dataEnd);
        sampleCount = (int) count;
        for (int i = 0; i < sampleCount; i++) {
            checkEntry(i, dataOffset, dataEnd);
        }
    }

    /** What follows reads only this copy: nobody can change it after its check. */
    private MemorySegment copy(long offset, long byteSize) {
        return arena.allocate(byteSize, 8).copyFrom(map.asSlice(offset, byteSize));
    }

    private RecordSchema parseSchema(MemorySegment header, long dataOffset) {
        int schemaBytes = header.get(RecordFormat.INT, 12);
        check(
                schemaBytes >= 0
                        && schemaBytes <= dataOffset - RecordFormat.HEADER_BYTES
                        && header.get(RecordFormat.LONG, 16) == dataOffset,
                "the header's lengths contradict the footer" + DAMAGED);
        try {
            return RecordFormat.fromJson(
                    header.asSlice(RecordFormat.HEADER_BYTES, schemaBytes).toArray(ValueLayout.JAVA_BYTE));
        } catch (IOException | RecordException e) {
            throw new RecordException(
                    "record file " + path + ": the schema is invalid: " + e.getMessage() + DAMAGED, e);
        }
    }

    private void checkEntry(int i, long dataOffset, long dataEnd) {
        long offset = entryLong(i, Entry.PAYLOAD_OFFSET);
        int imageBytes = entryInt(i, Entry.IMAGE_BYTES);
        int labelBytes = entryInt(i, Entry.LABEL_BYTES);
        long stringOffset = entryLong(i, Entry.STRING_OFFSET);
        int keyBytes = entryInt(i, Entry.KEY_BYTES);
        int pathBytes = entryInt(i, Entry.PATH_BYTES);
        boolean stringsFit = stringOffset >= 0
                && keyBytes >= 0
                && pathBytes >= 0
                && stringOffset <= strings.byteSize() - keyBytes - pathBytes;
        check(stringsFit, "sample " + i + ": key and source lie outside the file" + DAMAGED);
        boolean payloadFits = imageBytes >= 0
                && labelBytes >= 0
                && (long) imageBytes + labelBytes <= Integer.MAX_VALUE - 16
                && offset >= dataOffset
                && offset <= dataEnd - imageBytes - labelBytes;
        check(payloadFits, at(i) + "bytes lie outside the data region" + DAMAGED);
        check(
                schema.encoding() != ImageEncoding.RAW_U8 || imageBytes == schema.rawImageBytes(),
                at(i) + "a raw image must have height·width·channels bytes" + DAMAGED);
        int classIndex = entryInt(i, Entry.CLASS_INDEX);
        boolean labelFits = switch (schema.label()) {
            case NONE -> labelBytes == 0;
            case CLASS ->
                labelBytes == 0
                        && classIndex >= 0
                        && classIndex < schema.classNames().size();
            case VECTOR -> labelBytes == 4L * schema.labelSize();
            case BOXES -> labelBytes % (4 * RecordFormat.BOX_FLOATS) == 0;
        };
        check(labelFits, at(i) + "the label does not fit the schema" + DAMAGED);
    }

    private void check(boolean holds, String what) {
        if (!holds) {
            throw new RecordException("record file " + path + ": " + what);
        }
    }

    private void checkCrc(String part, int stored, MemorySegment bytes) {
        int computed = RecordFormat.crc32c(bytes);
        check(stored == computed, part + " checksum differs: " + mismatch(stored, computed) + DAMAGED);
    }

    private static String mismatch(int stored, int computed) {
        return "stored=" + Integer.toHexString(stored) + ", computed=" + Integer.toHexString(computed);
    }

    // ---- description ----

    public Path path() {
        return path;
    }

    public RecordSchema schema() {
        return schema;
    }

    public int sampleCount() {
        return sampleCount;
    }

    public String key(int sample) {
        return string(sample, 0, entryInt(sample, Entry.KEY_BYTES));
    }

    /** Where the sample came from; may be empty. */
    public String source(int sample) {
        return string(sample, entryInt(sample, Entry.KEY_BYTES), entryInt(sample, Entry.PATH_BYTES));
    }

    /** Class index of a sample in a file of class labels, −1 otherwise. Reads the index only. */
    public int classIndex(int sample) {
        return schema.label() == LabelKind.CLASS ? entryInt(sample, Entry.CLASS_INDEX) : -1;
    }

    /** File, number, key and source of a sample, to begin a message with. */
    public String describe(int sample) {
        return "record file " + path + ": " + at(sample);
    }

    private String at(int sample) {
        String source = source(sample);
        return "sample " + sample + " (key '" + key(sample) + "'"
                + (source.isEmpty() ? "" : ", source '" + source + "'") + "): ";
    }

    private String string(int sample, int skip, int byteSize) {
        long offset = entryLong(sample, Entry.STRING_OFFSET) + skip;
        return new String(strings.asSlice(offset, byteSize).toArray(ValueLayout.JAVA_BYTE), StandardCharsets.UTF_8);
    }

    private int entryInt(int sample, int field) {
        return index.get(RecordFormat.INT, (long) sample * RecordFormat.ENTRY_BYTES + field);
    }

    private long entryLong(int sample, int field) {
        return index.get(RecordFormat.LONG, (long) sample * RecordFormat.ENTRY_BYTES + field);
    }

    // ---- samples ----

    /**
     * Copies a sample's bytes into the buffer and checks them.
     *
     * @param sample from 0 up to {@link #sampleCount()}
     * @throws RecordException when the checksum differs or the file has shrunk since it was opened
     */
    public void read(int sample, SampleBuffer into) {
        if (sample < 0 || sample >= sampleCount) {
            throw new IndexOutOfBoundsException(
                    "record file " + path + ": sample must lie in [0, " + sampleCount + "): sample=" + sample);
        }
        into.resize(entryInt(sample, Entry.IMAGE_BYTES), entryInt(sample, Entry.LABEL_BYTES));
        int byteSize = into.imageBytes + into.labelBytes;
        try {
            MemorySegment.copy(
                    map, ValueLayout.JAVA_BYTE, entryLong(sample, Entry.PAYLOAD_OFFSET), into.bytes, 0, byteSize);
        } catch (InternalError e) {
            // So the JVM reports a fault on a mapped page whose file has shrunk.
            throw new RecordException(
                    describe(sample) + "cannot be read: the file shrank while it was open, or the disk failed", e);
        }
        into.crc.reset();
        into.crc.update(into.bytes, 0, byteSize);
        int stored = entryInt(sample, Entry.CRC);
        int computed = (int) into.crc.getValue();
        if (stored != computed) {
            throw new RecordException(describe(sample) + "checksum differs: " + mismatch(stored, computed)
                    + " (the sample's bytes are damaged: build the file again)");
        }
    }

    /** A sample of its own memory; see {@link #read(int, SampleBuffer)}. */
    public Sample read(int sample) {
        SampleBuffer buffer = new SampleBuffer();
        read(sample, buffer);
        return new Sample(
                Arrays.copyOf(buffer.bytes, buffer.imageBytes), label(sample, buffer), key(sample), source(sample));
    }

    /** The label of the sample that {@code buffer} holds. */
    public Label label(int sample, SampleBuffer buffer) {
        return switch (schema.label()) {
            case NONE -> Label.NONE;
            case CLASS -> Label.ofClass(classIndex(sample));
            case VECTOR -> Label.ofVector(labelFloats(buffer));
            case BOXES -> Label.ofBoxes(boxes(sample, buffer));
        };
    }

    private static float[] labelFloats(SampleBuffer buffer) {
        return MemorySegment.ofArray(buffer.bytes)
                .asSlice(buffer.imageBytes, buffer.labelBytes)
                .toArray(RecordFormat.FLOAT);
    }

    private List<Label.Box> boxes(int sample, SampleBuffer buffer) {
        float[] values = labelFloats(buffer);
        List<Label.Box> boxes = new ArrayList<>();
        for (int i = 0; i < values.length; i += RecordFormat.BOX_FLOATS) {
            int classIndex = (int) values[i];
            if (classIndex < 0 || classIndex >= schema.classNames().size()) {
                throw new RecordException(describe(sample) + "class index of a box must lie in [0, "
                        + schema.classNames().size() + "): given=" + values[i]);
            }
            boxes.add(new Label.Box(classIndex, values[i + 1], values[i + 2], values[i + 3], values[i + 4]));
        }
        return boxes;
    }

    /** Copies the label vector that follows the image in {@code buffer} to {@code to}, starting at byte {@code offset}. */
    public void copyVector(SampleBuffer buffer, MemorySegment to, long offset) {
        MemorySegment.copy(
                MemorySegment.ofArray(buffer.bytes),
                RecordFormat.FLOAT,
                buffer.imageBytes,
                to,
                ValueLayout.JAVA_FLOAT_UNALIGNED,
                offset,
                buffer.labelBytes / Float.BYTES);
    }

    /** Reads and checks every sample; throws at the first damaged one. */
    public void verify() {
        SampleBuffer buffer = new SampleBuffer();
        for (int i = 0; i < sampleCount; i++) {
            read(i, buffer);
        }
    }

    @Override
    public void close() {
        arena.close();
    }
}
