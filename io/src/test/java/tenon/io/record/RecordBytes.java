package tenon.io.record;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.zip.CRC32C;
import tenon.io.record.RecordFormat.Entry;
import tenon.io.record.RecordFormat.Footer;

/** A record file's bytes, changed and made right again. */
final class RecordBytes {
    private RecordBytes() {}

    /** A copy with magic numbers, version, length and every checksum made right, as far as the footer's offsets lie inside. */
    static byte[] sealed(byte[] given) {
        byte[] bytes = given.clone();
        int footer = bytes.length - RecordFormat.FOOTER_BYTES;
        if (footer < RecordFormat.HEADER_BYTES) {
            return bytes;
        }
        ByteBuffer buffer = ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN);
        buffer.put(0, RecordFormat.MAGIC);
        buffer.putInt(RecordFormat.Header.VERSION, RecordFormat.VERSION);
        buffer.put(footer + Footer.END_MAGIC, RecordFormat.END_MAGIC);
        buffer.putLong(footer + Footer.FILE_BYTES, bytes.length);
        long index = buffer.getLong(footer + Footer.INDEX_OFFSET);
        long count = buffer.getLong(footer + Footer.SAMPLE_COUNT);
        for (long i = 0; i < count && index >= 0 && index <= footer - (i + 1) * RecordFormat.ENTRY_BYTES; i++) {
            int entry = (int) (index + i * RecordFormat.ENTRY_BYTES);
            long from = buffer.getLong(entry + Entry.OFFSET);
            long to = from + buffer.getInt(entry + Entry.IMAGE_BYTES) + buffer.getInt(entry + Entry.LABEL_BYTES);
            if (0 <= from && from <= to && to <= footer) {
                buffer.putInt(entry + Entry.CRC, crc(bytes, (int) from, (int) to));
            }
        }
        long dataOffset = buffer.getLong(footer + Footer.DATA_OFFSET);
        if (dataOffset >= 0 && dataOffset <= footer) {
            buffer.putInt(footer + Footer.HEADER_CRC, crc(bytes, 0, (int) dataOffset));
        }
        long dataEnd = buffer.getLong(footer + Footer.DATA_END);
        if (dataEnd >= 0 && dataEnd <= footer) {
            buffer.putInt(footer + Footer.INDEX_CRC, crc(bytes, (int) dataEnd, footer));
        }
        buffer.putInt(footer + Footer.FOOTER_CRC, crc(bytes, footer, footer + Footer.FOOTER_CRC));
        return bytes;
    }

    private static int crc(byte[] bytes, int from, int to) {
        CRC32C crc = new CRC32C();
        crc.update(bytes, from, to - from);
        return (int) crc.getValue();
    }
}
