package tenon.io.record;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.function.Consumer;
import java.util.zip.CRC32C;
import tenon.io.image.Image;
import tenon.io.image.ImageCodec;
import tenon.io.record.RecordFormat.Footer;
import tenon.io.record.RecordFormat.Header;

/**
 * Writes a record file sample by sample. Everything goes to a temporary file in the same folder; {@link #commit} puts it on the disk and renames
 * it, so the target is at every instant the old file, absent, or the complete new one. Closing without commit removes the temporary file.
 *
 * <pre>{@code
 * try (RecordWriter writer = RecordWriter.create(path, schema)) {
 *     writer.add(image, Label.ofClass(3), key, source);
 *     writer.commit();
 * }
 * }</pre>
 *
 * The header gets the channel means and standard deviations that the schema states for encoded images, or else those of all samples' pixels: the writer
 * sees those of raw images itself and is told those of encoded ones. Confined to one thread.
 */
public final class RecordWriter implements AutoCloseable {
    private static final int BUFFER_BYTES = 1 << 20;

    private final Path target;
    private final Path temporary;
    private final RecordFile file;
    private final long segmentBytes;
    private final int dataOffset;
    private final ByteBuffer buffer = ByteBuffer.allocate(BUFFER_BYTES).order(ByteOrder.LITTLE_ENDIAN);
    private final ByteArrayOutputStream entries = new ByteArrayOutputStream();
    private final ByteArrayOutputStream strings = new ByteArrayOutputStream();
    private final ByteBuffer entry =
            ByteBuffer.allocate(RecordFormat.ENTRY_BYTES).order(ByteOrder.LITTLE_ENDIAN);
    private final CRC32C crc = new CRC32C();
    private RecordSchema schema;
    /** Of all samples so far; null when those of one are not known. */
    private ChannelStatistics statistics = new ChannelStatistics(1);

    private long position;
    private long flushed;
    private long sampleCount;
    private boolean failed;
    private boolean closed;

    private RecordWriter(Path target, Path temporary, RecordSchema schema, RecordFile file, long segmentBytes) {
        this.target = target;
        this.temporary = temporary;
        this.schema = schema;
        this.file = file;
        this.segmentBytes = segmentBytes;
        // Room for the channel statistics, which are known at the end: two lists of at most four doubles of at most 25
        // characters, and a number of pixels.
        int jsonBytes = RecordFormat.toJson(schema).length;
        dataOffset = (int) RecordFormat.roundUp(RecordFormat.HEADER_BYTES + jsonBytes + 256, RecordFormat.PAGE);
        position = dataOffset;
        flushed = dataOffset;
    }

    /**
     * Starts a file; missing folders are made. An existing target stays until {@link #commit}.
     *
     * @throws RecordException when the temporary file cannot be made
     */
    public static RecordWriter create(Path target, RecordSchema schema) {
        return create(target, schema, RecordFile::open, RecordFormat.SEGMENT_BYTES);
    }

    static RecordWriter create(Path target, RecordSchema schema, RecordFile.Opener opener, long segmentBytes) {
        checkReadable(target, schema);
        Path absolute = target.toAbsolutePath().normalize();
        Path temporary = RecordFile.temporary(absolute);
        try {
            Files.createDirectories(absolute.getParent());
            RecordFile.removeAbandoned(absolute);
            return new RecordWriter(absolute, temporary, schema, opener.open(temporary), segmentBytes);
        } catch (IOException e) {
            throw new RecordException(
                    "record file " + target + ": cannot be made: " + e + " (is the folder writable?)", e);
        }
    }

    /** A schema beyond the limits that readers set would make a file that nobody can open. */
    private static void checkReadable(Path target, RecordSchema schema) {
        byte[] json = RecordFormat.toJson(schema);
        try {
            if (json.length > RecordFormat.MAX_HEADER_BYTES / 2) {
                throw new IOException(
                        "its JSON must have at most " + RecordFormat.MAX_HEADER_BYTES / 2 + " bytes: " + json.length);
            }
            RecordFormat.fromJson(json);
        } catch (IOException e) {
            throw new RecordException(
                    "record file " + target + ": the schema is too large to be read again: " + e.getMessage(), e);
        }
    }

    public RecordSchema schema() {
        return schema;
    }

    public long sampleCount() {
        return sampleCount;
    }

    /** Adds a sample as {@link #add(byte[], Label, String, String, ChannelStatistics)} does; the pixels of an encoded one are unknown to the writer. */
    public void add(byte[] image, Label label, String key, String source) {
        add(image, label, key, source, null);
    }

    /** Adds a row of a file of features. */
    public void add(float[] features, Label label, String key, String source) {
        check(schema.encoding() == ImageEncoding.RAW_F32, key, "features need an encoding of raw-f32");
        add(floatBytes(features), label, key, source);
    }

    /**
     * Adds a sample.
     *
     * @param image H·W·C bytes for raw-u8 files, four times as many for raw-f32 ones, else a JPEG or PNG file's bytes
     * @param label of the schema's kind
     * @param key short unique name of the sample, e.g. {@code cats/0001.jpg}
     * @param source where the sample came from, for messages; may be empty
     * @param pixels statistics of the image's pixels; null when they are unknown, or for the writer to find those of a raw image
     * @throws RecordException when image or label do not fit the schema, or writing fails (then the file cannot be committed any more)
     */
    public void add(byte[] image, Label label, String key, String source, ChannelStatistics pixels) {
        check(!closed && !failed, key, "the writer must be open and without an earlier failure");
        checkImage(image, key);
        byte[] labelBytes = labelBytes(label, key);
        byte[] keyBytes = key.getBytes(StandardCharsets.UTF_8);
        byte[] sourceBytes = source.getBytes(StandardCharsets.UTF_8);
        check(
                keyBytes.length <= RecordFormat.MAX_STRING_BYTES && sourceBytes.length <= RecordFormat.MAX_STRING_BYTES,
                key,
                "key and source must each have at most " + RecordFormat.MAX_STRING_BYTES + " bytes: key="
                        + keyBytes.length + ", source=" + sourceBytes.length);
        long size = (long) image.length + labelBytes.length;
        check(size <= segmentBytes, key, "a sample must have at most " + segmentBytes + " bytes: given=" + size);
        pad(RecordFormat.place(position, size, segmentBytes));
        crc.reset();
        crc.update(image);
        crc.update(labelBytes);
        entry.clear();
        entry.putLong(position).putInt(image.length).putInt(labelBytes.length);
        entry.putInt(label instanceof Label.OfClass(int index) ? index : -1).putInt((int) crc.getValue());
        entry.putLong(strings.size()).putInt(keyBytes.length).putInt(sourceBytes.length);
        write(image);
        write(labelBytes);
        entries.writeBytes(entry.array());
        strings.writeBytes(keyBytes);
        strings.writeBytes(sourceBytes);
        addStatistics(image, pixels);
        sampleCount++;
    }

    private void addStatistics(byte[] image, ChannelStatistics pixels) {
        ChannelStatistics known = pixels;
        if (known == null && schema.encoding() == ImageEncoding.RAW_U8) {
            known = ChannelStatistics.of(new Image(schema.width(), schema.height(), schema.channels(), image));
        }
        statistics = statistics == null || known == null ? null : statistics.plus(known);
    }

    private void checkImage(byte[] image, String key) {
        if (schema.encoding() != ImageEncoding.ENCODED) {
            check(
                    image.length == schema.rawImageBytes(),
                    key,
                    "a raw image must have height·width·channels elements: bytes wanted=" + schema.rawImageBytes()
                            + ", given=" + image.length);
        } else {
            check(
                    ImageCodec.isJpegOrPng(image),
                    key,
                    "an encoded image must be a JPEG or PNG file (encode others as PNG first)");
        }
    }

    private byte[] labelBytes(Label label, String key) {
        check(
                label.kind() == schema.label(),
                key,
                "label must be of the schema's kind: schema=" + schema.label() + ", given=" + label.kind());
        return switch (label) {
            case Label.None() -> new byte[0];
            case Label.OfClass(int index) -> {
                checkClass(index, key);
                yield new byte[0];
            }
            case Label.OfVector(float[] values) -> {
                check(
                        values.length == schema.labelSize(),
                        key,
                        "label vector must have the schema's length: schema=" + schema.labelSize() + ", given="
                                + values.length);
                yield floatBytes(values);
            }
            case Label.OfBoxes(var boxes) -> {
                ByteBuffer bytes = ByteBuffer.allocate(Math.multiplyExact(boxes.size(), RecordFormat.BOX_BYTES))
                        .order(ByteOrder.LITTLE_ENDIAN);
                for (Label.Box box : boxes) {
                    checkClass(box.classIndex(), key);
                    bytes.putInt(box.classIndex());
                    bytes.putFloat(box.x0())
                            .putFloat(box.y0())
                            .putFloat(box.x1())
                            .putFloat(box.y1());
                    bytes.putInt(box.flags());
                }
                yield bytes.array();
            }
        };
    }

    private void checkClass(int index, String key) {
        check(
                index >= 0 && index < schema.classNames().size(),
                key,
                "class index must lie in [0, " + schema.classNames().size() + "): given=" + index);
    }

    private static byte[] floatBytes(float[] values) {
        byte[] bytes = new byte[values.length * Float.BYTES];
        ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN).asFloatBuffer().put(values);
        return bytes;
    }

    private void check(boolean holds, String key, String what) {
        if (!holds) {
            throw new RecordException(
                    "record file " + target + ": sample " + sampleCount + " (key '" + key + "'): " + what);
        }
    }

    /**
     * Writes index and footer, waits for the disk, and puts the file in place of the target.
     *
     * @throws RecordException when writing fails; the target is then as before
     */
    public void commit() {
        commit(_ -> {});
    }

    /**
     * As {@link #commit()}, after a look at the complete file.
     *
     * @param check given the file under its temporary name; what it throws leaves the target as before
     */
    public void commit(Consumer<Path> check) {
        check(!closed && !failed, "none", "commit needs an open writer without an earlier failure");
        boolean stated = schema.encoding() == ImageEncoding.ENCODED
                && !schema.channelMeans().isEmpty();
        if (!stated && statistics != null && sampleCount > 0) {
            schema = schema.withChannelStatistics(statistics.means(), statistics.stds(), statistics.pixelCount());
        }
        long dataEnd = position;
        long indexOffset = RecordFormat.roundUp(dataEnd, 8);
        byte[] padding = new byte[(int) (indexOffset - dataEnd)];
        crc.reset();
        byte[][] tail = {padding, entries.toByteArray(), strings.toByteArray()};
        for (byte[] part : tail) {
            crc.update(part);
            write(part);
        }
        byte[] header = header();
        byte[] footer = new byte[RecordFormat.FOOTER_BYTES];
        MemorySegment fields = MemorySegment.ofArray(footer);
        fields.set(RecordFormat.LONG, Footer.SAMPLE_COUNT, sampleCount);
        fields.set(RecordFormat.LONG, Footer.DATA_OFFSET, dataOffset);
        fields.set(RecordFormat.LONG, Footer.DATA_END, dataEnd);
        fields.set(RecordFormat.LONG, Footer.INDEX_OFFSET, indexOffset);
        fields.set(RecordFormat.LONG, Footer.STRINGS_OFFSET, indexOffset + tail[1].length);
        fields.set(RecordFormat.LONG, Footer.FILE_BYTES, position + footer.length);
        fields.set(RecordFormat.INT, Footer.HEADER_CRC, RecordFormat.crc32c(MemorySegment.ofArray(header)));
        fields.set(RecordFormat.INT, Footer.INDEX_CRC, (int) crc.getValue());
        fields.set(RecordFormat.INT, Footer.FOOTER_CRC, RecordFormat.crc32c(fields.asSlice(0, Footer.FOOTER_CRC)));
        System.arraycopy(RecordFormat.END_MAGIC, 0, footer, Footer.END_MAGIC, RecordFormat.END_MAGIC.length);
        write(footer);
        flush();
        try {
            file.write(ByteBuffer.wrap(header), 0);
            file.force();
            file.close();
            check.accept(temporary);
            file.rename(temporary, target);
        } catch (IOException e) {
            throw failure(e);
        }
        closed = true;
        try {
            file.forceFolder(target.getParent());
        } catch (IOException e) {
            throw new RecordException(
                    "record file " + target
                            + ": the new file is whole and in its place, but the folder cannot be synced, so"
                            + " that a power failure may still bring back the old one: " + e.getMessage(),
                    e);
        }
    }

    private byte[] header() {
        byte[] json = RecordFormat.toJson(schema);
        byte[] header = new byte[dataOffset];
        MemorySegment fields = MemorySegment.ofArray(header);
        System.arraycopy(RecordFormat.MAGIC, 0, header, 0, RecordFormat.MAGIC.length);
        fields.set(RecordFormat.INT, Header.VERSION, RecordFormat.VERSION);
        fields.set(RecordFormat.INT, Header.SCHEMA_BYTES, json.length);
        fields.set(RecordFormat.LONG, Header.DATA_OFFSET, dataOffset);
        fields.set(RecordFormat.LONG, Header.SEGMENT_BYTES, segmentBytes);
        System.arraycopy(json, 0, header, RecordFormat.HEADER_BYTES, json.length);
        return header;
    }

    /** Zeros up to {@code end}. */
    private void pad(long end) {
        while (position < end) {
            write(new byte[(int) Math.min(end - position, RecordFormat.PAGE)]);
        }
    }

    private void write(byte[] bytes) {
        int at = 0;
        while (at < bytes.length) {
            if (!buffer.hasRemaining()) {
                flush();
            }
            int n = Math.min(buffer.remaining(), bytes.length - at);
            buffer.put(bytes, at, n);
            at += n;
        }
        position += bytes.length;
    }

    /** Writes what is buffered. */
    private void flush() {
        buffer.flip();
        try {
            file.write(buffer, flushed);
        } catch (IOException e) {
            throw failure(e);
        }
        flushed += buffer.limit();
        buffer.clear();
    }

    private RecordException failure(IOException e) {
        failed = true;
        removeTemporary();
        return new RecordException(
                "record file " + target + ": writing failed after " + sampleCount + " samples, " + position + " bytes: "
                        + e.getMessage() + " (free bytes in its folder: " + freeBytes()
                        + "; an earlier file of this name is unchanged)",
                e);
    }

    private String freeBytes() {
        try {
            return Long.toString(Files.getFileStore(target.getParent()).getUsableSpace());
        } catch (IOException e) {
            return "unknown";
        }
    }

    private void removeTemporary() {
        closed = true;
        try {
            file.close();
        } catch (IOException _) {
            // The file is thrown away; the error that led here is the one to report.
        }
        try {
            Files.deleteIfExists(temporary);
        } catch (IOException _) {
            // As above.
        }
    }

    /** Without an earlier {@link #commit}, removes what was written; the target stays as it was. */
    @Override
    public void close() {
        if (!closed) {
            removeTemporary();
        }
    }
}
