package tenon.io.image;

import java.nio.charset.StandardCharsets;
import java.util.Arrays;

/** The bytes of an image file, of which every read is checked. */
final class ByteView {
    private final byte[] bytes;
    private final int length;
    private final String name;

    ByteView(byte[] bytes, int length, String name) {
        if (length < 0 || length > bytes.length) {
            throw new ImageException("image " + name + ": length must lie in the array: length=" + length + " of "
                    + bytes.length + " bytes");
        }
        this.bytes = bytes;
        this.length = length;
        this.name = name;
    }

    int length() {
        return length;
    }

    byte[] array() {
        return bytes;
    }

    String name() {
        return name;
    }

    /** How messages begin. */
    String what() {
        return "image " + name;
    }

    ImageException damaged(String why) {
        return new ImageException("image " + name + ": " + why);
    }

    boolean has(long at, long count) {
        return at >= 0 && count >= 0 && at <= length - count;
    }

    void need(long at, long count, String part) {
        if (!has(at, count)) {
            throw damaged("is truncated or damaged: " + part + " needs bytes " + at + " to " + (at + count)
                    + ", but the file has " + length);
        }
    }

    int u8(int at) {
        need(at, 1, "a value");
        return bytes[at] & 0xFF;
    }

    /** Two bytes, the higher first. */
    int u16(int at) {
        need(at, 2, "a value");
        return (bytes[at] & 0xFF) << 8 | bytes[at + 1] & 0xFF;
    }

    /** Two bytes, the lower first. */
    int u16le(int at) {
        return Short.reverseBytes((short) u16(at)) & 0xFFFF;
    }

    int i32(int at) {
        return u16(at) << 16 | u16(at + 2);
    }

    long u32(int at) {
        return i32(at) & 0xFFFFFFFFL;
    }

    int i32le(int at) {
        return Integer.reverseBytes(i32(at));
    }

    long u32le(int at) {
        return i32le(at) & 0xFFFFFFFFL;
    }

    /** One character a byte. */
    String text(int at, int count) {
        need(at, count, "a text");
        return new String(bytes, at, count, StandardCharsets.ISO_8859_1);
    }

    byte[] copy(int at, int count) {
        need(at, count, "a block");
        return Arrays.copyOfRange(bytes, at, at + count);
    }

    boolean startsWith(int at, int... values) {
        if (!has(at, values.length)) {
            return false;
        }
        for (int i = 0; i < values.length; i++) {
            if ((bytes[at + i] & 0xFF) != values[i]) {
                return false;
            }
        }
        return true;
    }
}
