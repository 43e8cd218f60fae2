package tenon.io.record;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import tenon.io.record.RecordFormat.Entry;
import tenon.io.record.RecordFormat.Footer;
import tenon.io.record.RecordFormat.Header;

/**
 * Header, index and footer of a record file, copied out of the mapping and checked: sizes first, then checksums, then every offset and length
 * against the file. Nothing is allocated that the file's own size does not bound.
 */
final class RecordIndex {
    static final String DAMAGED = " (the file is damaged or was not written completely: build it again)";

    private final Path path;
    private final Arena arena;
    private final MemorySegment map;
    private final MemorySegment entries;
    private final MemorySegment strings;
    final RecordSchema schema;
    final long dataOffset;
    final long segmentBytes;
    final int sampleCount;
    final int largestSampleBytes;

    RecordIndex(Path path, MemorySegment map, Arena arena) {
        this.path = path;
        this.map = map;
        this.arena = arena;
        long fileBytes = map.byteSize();
        check(fileBytes >= RecordFormat.MAGIC.length, "the file has " + fileBytes + " bytes and is no record file");
        check(
                map.asSlice(0, RecordFormat.MAGIC.length).mismatch(MemorySegment.ofArray(RecordFormat.MAGIC)) < 0,
                "bytes 0 to 8 are not those of a record file (is this another kind of file?)");
        check(
                fileBytes >= RecordFormat.PAGE + RecordFormat.FOOTER_BYTES,
                "the file ends after " + fileBytes + " bytes" + DAMAGED);
        checkVersion(map.get(RecordFormat.INT, Header.VERSION));

        long footerOffset = fileBytes - RecordFormat.FOOTER_BYTES;
        MemorySegment footer = copy(footerOffset, RecordFormat.FOOTER_BYTES);
        check(
                footer.asSlice(Footer.END_MAGIC).mismatch(MemorySegment.ofArray(RecordFormat.END_MAGIC)) < 0,
                "the end mark is missing at byte " + (footerOffset + Footer.END_MAGIC) + DAMAGED);
        checkCrc(
                "footer",
                footerOffset,
                footer.get(RecordFormat.INT, Footer.FOOTER_CRC),
                footer.asSlice(0, Footer.FOOTER_CRC));
        long count = footer.get(RecordFormat.LONG, Footer.SAMPLE_COUNT);
        dataOffset = footer.get(RecordFormat.LONG, Footer.DATA_OFFSET);
        long dataEnd = footer.get(RecordFormat.LONG, Footer.DATA_END);
        long indexOffset = footer.get(RecordFormat.LONG, Footer.INDEX_OFFSET);
        long stringsOffset = footer.get(RecordFormat.LONG, Footer.STRINGS_OFFSET);
        long recorded = footer.get(RecordFormat.LONG, Footer.FILE_BYTES);
        check(recorded == fileBytes, "the file has " + fileBytes + " bytes and says it has " + recorded + DAMAGED);
        boolean ordered = RecordFormat.PAGE <= dataOffset
                && dataOffset % RecordFormat.PAGE == 0
                && dataOffset <= dataEnd
                && dataEnd <= indexOffset
                && indexOffset - dataEnd < 8
                && indexOffset <= stringsOffset
                && stringsOffset <= footerOffset
                && count >= 0
                && count <= Integer.MAX_VALUE
                && stringsOffset - indexOffset == count * RecordFormat.ENTRY_BYTES;
        check(ordered, "the offsets in the footer at byte " + footerOffset + " contradict each other" + DAMAGED);
        check(
                dataOffset <= RecordFormat.MAX_HEADER_BYTES,
                "the header ends at byte " + dataOffset + ", past " + RecordFormat.MAX_HEADER_BYTES + DAMAGED);

        MemorySegment header = copy(0, dataOffset);
        checkCrc("header", 0, footer.get(RecordFormat.INT, Footer.HEADER_CRC), header);
        segmentBytes = header.get(RecordFormat.LONG, Header.SEGMENT_BYTES);
        check(
                segmentBytes >= RecordFormat.PAGE
                        && segmentBytes <= RecordFormat.SEGMENT_BYTES
                        && Long.bitCount(segmentBytes) == 1,
                "segmentBytes at byte 24 must be a power of two from " + RecordFormat.PAGE + " to "
                        + RecordFormat.SEGMENT_BYTES + ": " + segmentBytes + DAMAGED);
        schema = parseSchema(header);
        MemorySegment tail = copy(dataEnd, footerOffset - dataEnd);
        checkCrc("index", dataEnd, footer.get(RecordFormat.INT, Footer.INDEX_CRC), tail);
        entries = tail.asSlice(indexOffset - dataEnd, stringsOffset - indexOffset);
        strings = tail.asSlice(stringsOffset - dataEnd);
        sampleCount = (int) count;
        largestSampleBytes = checkEntries(dataEnd, indexOffset);
    }

    private void checkVersion(int version) {
        check(
                version != 1,
                "the file has format version 1 (at byte 8), this release reads version " + RecordFormat.VERSION
                        + " (build it again with this release)");
        check(
                version == RecordFormat.VERSION,
                "unknown format version at byte 8: version=" + Integer.toUnsignedString(version) + ", known="
                        + RecordFormat.VERSION
                        + " (the file was written by a later release, or is damaged: update, or build it again)");
    }

    /** What follows reads only this copy: nobody can change it after its check. */
    private MemorySegment copy(long offset, long byteSize) {
        return arena.allocate(byteSize, 8).copyFrom(map.asSlice(offset, byteSize));
    }

    private RecordSchema parseSchema(MemorySegment header) {
        int schemaBytes = header.get(RecordFormat.INT, Header.SCHEMA_BYTES);
        check(
                schemaBytes >= 0
                        && schemaBytes <= dataOffset - RecordFormat.HEADER_BYTES
                        && header.get(RecordFormat.LONG, Header.DATA_OFFSET) == dataOffset,
                "the lengths in the header at byte " + Header.SCHEMA_BYTES + " contradict the footer" + DAMAGED);
        try {
            return RecordFormat.fromJson(
                    header.asSlice(RecordFormat.HEADER_BYTES, schemaBytes).toArray(ValueLayout.JAVA_BYTE));
        } catch (IOException | RecordException e) {
            throw new RecordException(
                    "record file " + path + ": the schema at byte " + RecordFormat.HEADER_BYTES + " is invalid: "
                            + e.getMessage() + DAMAGED,
                    e);
        }
    }

    /**
     * Samples follow each other without overlap, and so do their strings.
     *
     * @return bytes of the largest sample
     */
    private int checkEntries(long dataEnd, long indexOffset) {
        long position = dataOffset;
        long stringPosition = 0;
        int largest = 0;
        for (int i = 0; i < sampleCount; i++) {
            int keyBytes = entryInt(i, Entry.KEY_BYTES);
            int sourceBytes = entryInt(i, Entry.SOURCE_BYTES);
            check(
                    keyBytes >= 0
                            && keyBytes <= RecordFormat.MAX_STRING_BYTES
                            && sourceBytes >= 0
                            && sourceBytes <= RecordFormat.MAX_STRING_BYTES
                            && entryLong(i, Entry.STRING_OFFSET) == stringPosition
                            && keyBytes <= strings.byteSize() - stringPosition
                            && sourceBytes <= strings.byteSize() - stringPosition - keyBytes,
                    "sample " + i + " (index entry at byte " + (indexOffset + (long) i * RecordFormat.ENTRY_BYTES)
                            + "): key and source must follow those of the sample before and end inside the file"
                            + DAMAGED);
            stringPosition += keyBytes + (long) sourceBytes;
            long imageBytes = entryInt(i, Entry.IMAGE_BYTES);
            long labelBytes = entryInt(i, Entry.LABEL_BYTES);
            long size = imageBytes + labelBytes;
            check(
                    imageBytes >= 0 && labelBytes >= 0 && size <= segmentBytes,
                    at(i) + "the sizes must lie in [0, " + segmentBytes + "]: image=" + imageBytes + ", label="
                            + labelBytes + DAMAGED);
            long expected = RecordFormat.place(position, size, segmentBytes);
            check(
                    offset(i) == expected && size <= dataEnd - expected,
                    at(i) + "its bytes must follow the sample before, from " + expected + ", and end before " + dataEnd
                            + DAMAGED);
            checkFitsSchema(i, (int) imageBytes, (int) labelBytes);
            position = expected + size;
            largest = Math.max(largest, (int) size);
        }
        check(
                position == dataEnd && stringPosition == strings.byteSize(),
                "the index leaves bytes without a sample, from byte " + position + DAMAGED);
        return largest;
    }

    private void checkFitsSchema(int i, int imageBytes, int labelBytes) {
        check(
                schema.encoding() == ImageEncoding.ENCODED || imageBytes == schema.rawImageBytes(),
                at(i) + "a raw image must have height·width·channels bytes: given=" + imageBytes + DAMAGED);
        int classIndex = entryInt(i, Entry.CLASS_INDEX);
        boolean labelFits = switch (schema.label()) {
            case NONE -> labelBytes == 0 && classIndex == -1;
            case CLASS ->
                labelBytes == 0
                        && classIndex >= 0
                        && classIndex < schema.classNames().size();
            case VECTOR -> labelBytes == 4L * schema.labelSize() && classIndex == -1;
            case BOXES -> labelBytes % RecordFormat.BOX_BYTES == 0 && classIndex == -1;
        };
        check(
                labelFits,
                at(i) + "the label does not fit the schema: bytes=" + labelBytes + ", class=" + classIndex + DAMAGED);
    }

    private void check(boolean holds, String what) {
        if (!holds) {
            throw new RecordException("record file " + path + ": " + what);
        }
    }

    private void checkCrc(String part, long offset, int stored, MemorySegment bytes) {
        int computed = RecordFormat.crc32c(bytes);
        check(
                stored == computed,
                part + " checksum differs (bytes " + offset + " to " + (offset + bytes.byteSize()) + "): "
                        + mismatch(stored, computed) + DAMAGED);
    }

    static String mismatch(int stored, int computed) {
        return "stored=" + Integer.toHexString(stored) + ", computed=" + Integer.toHexString(computed);
    }

    String key(int sample) {
        return string(sample, 0, entryInt(sample, Entry.KEY_BYTES));
    }

    String source(int sample) {
        return string(sample, entryInt(sample, Entry.KEY_BYTES), entryInt(sample, Entry.SOURCE_BYTES));
    }

    /** Number, key, source and offset of a sample, to begin a message with. */
    String at(int sample) {
        String source = source(sample);
        return "sample " + sample + " (key '" + key(sample) + "'"
                + (source.isEmpty() ? "" : ", source '" + source + "'") + ", at byte " + offset(sample) + "): ";
    }

    private String string(int sample, int skip, int byteSize) {
        long offset = entryLong(sample, Entry.STRING_OFFSET) + skip;
        return new String(strings.asSlice(offset, byteSize).toArray(ValueLayout.JAVA_BYTE), StandardCharsets.UTF_8);
    }

    long offset(int sample) {
        return entryLong(sample, Entry.OFFSET);
    }

    int imageBytes(int sample) {
        return entryInt(sample, Entry.IMAGE_BYTES);
    }

    int labelBytes(int sample) {
        return entryInt(sample, Entry.LABEL_BYTES);
    }

    int classIndex(int sample) {
        return entryInt(sample, Entry.CLASS_INDEX);
    }

    int crc(int sample) {
        return entryInt(sample, Entry.CRC);
    }

    private int entryInt(int sample, int field) {
        return entries.get(RecordFormat.INT, (long) sample * RecordFormat.ENTRY_BYTES + field);
    }

    private long entryLong(int sample, int field) {
        return entries.get(RecordFormat.LONG, (long) sample * RecordFormat.ENTRY_BYTES + field);
    }
}
