package tenon.io.mxnet;

import java.nio.ByteBuffer;
import tenon.io.build.BuildException;

/**
 * The payload of an image's record: flag, first label, id and a second id of 0 in 24 bytes, then {@code flag} further labels, then an image file. With one label
 * the flag is 0 and the label stands in the header.
 *
 * @param labels at least one
 * @param id unsigned
 * @param image bytes of an image file
 */
record ImageRecord(float[] labels, long id, byte[] image) {
    static final int HEADER_BYTES = 24;

    /** Bytes in front of the image of a record with this flag; more than any record has when the flag is nonsense. */
    static long prefixBytes(int flag) {
        return HEADER_BYTES + Float.BYTES * Integer.toUnsignedLong(flag);
    }

    static int flag(byte[] payload) {
        return ByteBuffer.wrap(payload).order(RecordIo.ORDER).getInt(0);
    }

    static long id(byte[] payload) {
        return ByteBuffer.wrap(payload).order(RecordIo.ORDER).getLong(8);
    }

    /**
     * The labels of a payload that may be cut off behind them.
     *
     * @param length of the whole payload
     * @param where to begin messages with
     */
    static float[] labels(byte[] payload, int length, String where) {
        checkLength(length >= HEADER_BYTES, where, "it has " + length + " bytes, an image's record at least 24");
        int flag = flag(payload);
        checkLength(
                prefixBytes(flag) < length,
                where,
                "there is no image behind its " + Integer.toUnsignedString(flag) + " labels: bytes=" + length);
        ByteBuffer from = ByteBuffer.wrap(payload).order(RecordIo.ORDER);
        float[] labels = new float[Math.max(1, flag)];
        for (int i = 0; i < labels.length; i++) {
            labels[i] = from.getFloat(flag == 0 ? 4 : HEADER_BYTES + Float.BYTES * i);
            checkLength(Float.isFinite(labels[i]), where, "label " + i + " must be a finite number: " + labels[i]);
        }
        return labels;
    }

    private static void checkLength(boolean holds, String where, String problem) {
        if (!holds) {
            throw new BuildException(where + ": " + problem);
        }
    }

    static ImageRecord parse(byte[] payload, String where) {
        float[] labels = labels(payload, payload.length, where);
        int start = (int) prefixBytes(flag(payload));
        byte[] image = new byte[payload.length - start];
        System.arraycopy(payload, start, image, 0, image.length);
        return new ImageRecord(labels, id(payload), image);
    }

    byte[] payload() {
        int flag = labels.length == 1 ? 0 : labels.length;
        ByteBuffer to = ByteBuffer.allocate(Math.addExact((int) prefixBytes(flag), image.length))
                .order(RecordIo.ORDER);
        to.putInt(flag).putFloat(flag == 0 ? labels[0] : 0).putLong(id).putLong(0);
        for (int i = 0; i < flag; i++) {
            to.putFloat(labels[i]);
        }
        return to.put(image).array();
    }
}
