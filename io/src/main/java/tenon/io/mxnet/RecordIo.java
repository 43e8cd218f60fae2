package tenon.io.mxnet;

import java.nio.ByteOrder;

/**
 * Numbers of the RecordIO format (dmlc-core, MXNet), all little-endian. A record is one part or several; a part is the magic number, a word with the
 * continuation flag in its upper 3 and the length in its lower 29 bits, so many bytes, and zeros up to a multiple of 4. A payload that contains the magic number at a
 * multiple of 4 is split there: the number is left out between the parts, and put back when they are joined.
 */
final class RecordIo {
    static final int MAGIC = 0xCED7230A;
    static final int PART_HEADER_BYTES = 8;
    static final int WHOLE = 0;
    static final int FIRST = 1;
    static final int MIDDLE = 2;
    static final int LAST = 3;
    static final int MAX_LENGTH = (1 << 29) - 1;
    static final ByteOrder ORDER = ByteOrder.LITTLE_ENDIAN;

    private RecordIo() {}

    static int flag(int word) {
        return word >>> 29;
    }

    static int length(int word) {
        return word & MAX_LENGTH;
    }

    static int word(int flag, int length) {
        return flag << 29 | length;
    }

    static int padding(int length) {
        return -length & 3;
    }
}
