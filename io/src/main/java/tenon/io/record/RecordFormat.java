package tenon.io.record;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.StreamReadConstraints;
import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.SerializationFeature;
import com.fasterxml.jackson.databind.json.JsonMapper;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;
import java.util.zip.CRC32C;

/** Positions and constants of the format that {@code docs/record-format.md} draws. All numbers are little-endian. */
final class RecordFormat {
    /** As in PNG, the line ends and the end-of-file sign reveal a transfer in text mode. */
    static final byte[] MAGIC = {(byte) 0x89, 'T', 'R', 'E', 'C', '\r', '\n', 0x1A};

    static final int VERSION = 2;
    static final int PAGE = 4096;
    static final int MAX_HEADER_BYTES = 64 << 20;

    /** No sample crosses a multiple of this, so a reader with windows of this size needs one per sample. */
    static final long SEGMENT_BYTES = 1L << 30;

    /** Header before the schema's JSON. */
    static final int HEADER_BYTES = 32;

    static final int ENTRY_BYTES = 40;

    static final int FOOTER_BYTES = 64;
    static final byte[] END_MAGIC = {'t', 'r', 'e', 'c'};

    static final ValueLayout.OfInt INT = ValueLayout.JAVA_INT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);
    static final ValueLayout.OfLong LONG = ValueLayout.JAVA_LONG_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);
    static final ValueLayout.OfFloat FLOAT = ValueLayout.JAVA_FLOAT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);

    /** Offsets inside the header; the schema's JSON follows at {@link #HEADER_BYTES}. */
    static final class Header {
        static final int VERSION = 8;
        static final int SCHEMA_BYTES = 12;
        static final int DATA_OFFSET = 16;
        static final int SEGMENT_BYTES = 24;

        private Header() {}
    }

    /** Offsets inside an index entry. */
    static final class Entry {
        static final int OFFSET = 0;
        static final int IMAGE_BYTES = 8;
        static final int LABEL_BYTES = 12;
        static final int CLASS_INDEX = 16;
        static final int CRC = 20;
        static final int STRING_OFFSET = 24;
        static final int KEY_BYTES = 32;
        static final int SOURCE_BYTES = 36;

        private Entry() {}
    }

    /** Offsets inside the footer. */
    static final class Footer {
        static final int SAMPLE_COUNT = 0;
        static final int DATA_OFFSET = 8;
        static final int DATA_END = 16;
        static final int INDEX_OFFSET = 24;
        static final int STRINGS_OFFSET = 32;
        static final int FILE_BYTES = 40;
        static final int HEADER_CRC = 48;
        static final int INDEX_CRC = 52;
        static final int FOOTER_CRC = 56;
        static final int END_MAGIC = 60;

        private Footer() {}
    }

    /** A box: class as an integer, x0, y0, x1, y1 as floats, flags as an integer. */
    static final int BOX_BYTES = 24;

    /** Longest key and longest source. */
    static final int MAX_STRING_BYTES = 65_535;

    /** A schema's JSON may be hostile: with these limits no list or text of it takes more memory than the file has, plus 1 MiB. */
    private static final StreamReadConstraints LIMITS = StreamReadConstraints.builder()
            .maxTokenCount(1 << 16)
            .maxStringLength(1 << 16)
            .maxNestingDepth(8)
            .build();

    private static final ObjectMapper JSON = JsonMapper.builder(
                    JsonFactory.builder().streamReadConstraints(LIMITS).build())
            .disable(DeserializationFeature.FAIL_ON_UNKNOWN_PROPERTIES)
            .enable(DeserializationFeature.FAIL_ON_TRAILING_TOKENS)
            .disable(DeserializationFeature.ACCEPT_FLOAT_AS_INT)
            .enable(SerializationFeature.ORDER_MAP_ENTRIES_BY_KEYS)
            .build();

    private RecordFormat() {}

    static byte[] toJson(RecordSchema schema) {
        try {
            return JSON.writeValueAsBytes(schema);
        } catch (JsonProcessingException e) {
            throw new RecordException("record schema: cannot be written as JSON: " + e.getOriginalMessage(), e);
        }
    }

    static RecordSchema fromJson(byte[] json) throws IOException {
        RecordSchema schema = JSON.readValue(json, RecordSchema.class);
        if (schema == null) {
            throw new RecordException("record schema: must be a JSON object: null");
        }
        return schema;
    }

    static long roundUp(long value, long multiple) {
        return Math.ceilDiv(value, multiple) * multiple;
    }

    /** Where a sample of {@code size} bytes goes that may begin at {@code position} and must not cross a segment's end. */
    static long place(long position, long size, long segmentBytes) {
        long left = segmentBytes - position % segmentBytes;
        return size <= left ? position : position + left;
    }

    static int crc32c(MemorySegment segment) {
        CRC32C crc = new CRC32C();
        long chunk = 1 << 30;
        for (long at = 0; at < segment.byteSize(); at += chunk) {
            crc.update(segment.asSlice(at, Math.min(chunk, segment.byteSize() - at))
                    .asByteBuffer());
        }
        return (int) crc.getValue();
    }
}
