package tenon.apps.onnx;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import tenon.optim.checkpoint.FileOps;

/**
 * A message in the wire format of Protocol Buffers, as far as ONNX needs it. Fields are written in the order of the calls; the contents of large ones are made
 * when the message is written, so that a network's weights never stand in memory twice.
 */
final class ProtoMessage {
    private static final int VARINT = 0;
    private static final int BYTES = 2;
    private static final int FIXED32 = 5;

    /** Contents of known length that are made late. */
    interface Source {
        long byteSize();

        void writeTo(FileOps.Output out) throws IOException;
    }

    private final List<Source> parts = new ArrayList<>();
    private final ByteArrayOutputStream open = new ByteArrayOutputStream();
    private long closedBytes;

    /** An integer, an enum or a boolean; negative ones take ten bytes, as everywhere in the format. */
    ProtoMessage number(int field, long value) {
        tag(field, VARINT);
        varint(value);
        return this;
    }

    ProtoMessage real(int field, float value) {
        tag(field, FIXED32);
        int bits = Float.floatToIntBits(value);
        for (int i = 0; i < 4; i++) {
            open.write(bits >>> (8 * i));
        }
        return this;
    }

    ProtoMessage text(int field, String value) {
        byte[] bytes = value.getBytes(StandardCharsets.UTF_8);
        tag(field, BYTES);
        varint(bytes.length);
        open.writeBytes(bytes);
        return this;
    }

    ProtoMessage message(int field, ProtoMessage value) {
        tag(field, BYTES);
        varint(value.byteSize());
        value.closePart();
        closePart();
        parts.addAll(value.parts);
        closedBytes += value.closedBytes;
        return this;
    }

    ProtoMessage bytes(int field, Source value) {
        tag(field, BYTES);
        varint(value.byteSize());
        closePart();
        parts.add(value);
        closedBytes += value.byteSize();
        return this;
    }

    private void tag(int field, int type) {
        varint((long) field << 3 | type);
    }

    private void varint(long value) {
        long rest = value;
        while ((rest & ~0x7FL) != 0) {
            open.write((int) (rest & 0x7F | 0x80));
            rest >>>= 7;
        }
        open.write((int) rest);
    }

    private void closePart() {
        if (open.size() > 0) {
            byte[] bytes = open.toByteArray();
            open.reset();
            parts.add(new Ready(bytes));
            closedBytes += bytes.length;
        }
    }

    long byteSize() {
        return closedBytes + open.size();
    }

    void writeTo(FileOps.Output out) throws IOException {
        closePart();
        for (Source part : parts) {
            part.writeTo(out);
        }
    }

    private record Ready(byte[] contents) implements Source {
        @Override
        public long byteSize() {
            return contents.length;
        }

        @Override
        public void writeTo(FileOps.Output out) throws IOException {
            out.write(ByteBuffer.wrap(contents));
        }
    }
}
