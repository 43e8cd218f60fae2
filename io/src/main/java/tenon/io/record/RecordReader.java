package tenon.io.record;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.channels.FileChannel;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.List;
import java.util.function.IntConsumer;
import tenon.engine.TenonException;

/**
 * One record file, which stays mapped into memory while open.
 *
 * <p>Opening checks footer, header and index by their checksums and every offset against the file, before anything is allocated from it. Reading
 * copies a sample out of the mapping and checks the copy, so what is decoded is what was checked, even if the file changes meanwhile.
 */
public final class RecordReader implements Records {
    private final Path path;
    private final Arena arena;
    private final MemorySegment map;
    private final RecordIndex index;

    /**
     * Opens a file, a single shard included.
     *
     * @throws RecordException when it is absent, not a record file, of another version, truncated or damaged outside the samples' bytes
     */
    public static RecordReader open(Path path) {
        try (FileChannel channel = FileChannel.open(path, StandardOpenOption.READ)) {
            Arena arena = Arena.ofShared();
            try {
                return new RecordReader(
                        path, channel.map(FileChannel.MapMode.READ_ONLY, 0, channel.size(), arena), arena);
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

    /**
     * @param map the file's bytes
     * @param arena of the mapping; closed with the reader
     */
    RecordReader(Path path, MemorySegment map, Arena arena) {
        this.path = path;
        this.arena = arena;
        this.map = map;
        index = new RecordIndex(path, map, arena);
    }

    public Path path() {
        return path;
    }

    @Override
    public List<Path> files() {
        return List.of(path);
    }

    @Override
    public RecordSchema schema() {
        return index.schema;
    }

    @Override
    public int sampleCount() {
        return index.sampleCount;
    }

    @Override
    public String key(int sample) {
        return index.key(checked(sample));
    }

    @Override
    public String source(int sample) {
        return index.source(checked(sample));
    }

    @Override
    public int classIndex(int sample) {
        return index.classIndex(checked(sample));
    }

    @Override
    public int imageBytes(int sample) {
        return index.imageBytes(checked(sample));
    }

    @Override
    public Path file(int sample) {
        return path;
    }

    @Override
    public int numberInFile(int sample) {
        return checked(sample);
    }

    @Override
    public long offset(int sample) {
        return index.offset(checked(sample));
    }

    @Override
    public String describe(int sample) {
        return "record file " + path + ": " + index.at(checked(sample));
    }

    private int checked(int sample) {
        if (sample < 0 || sample >= index.sampleCount) {
            throw new IndexOutOfBoundsException(
                    "record file " + path + ": sample must lie in [0, " + index.sampleCount + "): sample=" + sample);
        }
        return sample;
    }

    @Override
    public void read(int sample, SampleBuffer into) {
        into.resize(index.imageBytes(checked(sample)), index.labelBytes(sample), index.largestSampleBytes);
        int byteSize = into.imageBytes + into.labelBytes;
        try {
            MemorySegment.copy(map, ValueLayout.JAVA_BYTE, index.offset(sample), into.bytes, 0, byteSize);
        } catch (InternalError e) {
            throw shrunk(sample, e);
        }
        into.crc.reset();
        into.crc.update(into.bytes, 0, byteSize);
        int stored = index.crc(sample);
        int computed = (int) into.crc.getValue();
        if (stored != computed) {
            throw new RecordException(describe(sample) + "checksum differs: " + RecordIndex.mismatch(stored, computed)
                    + " (the sample's bytes are damaged: build the file again)");
        }
    }

    /** The JVM reports a fault on a mapped page, whose file has shrunk, as InternalError. */
    private RecordException shrunk(int sample, InternalError e) {
        return new RecordException(
                describe(sample) + "cannot be read: the file shrank while it was open, or the disk failed", e);
    }

    @Override
    public Label label(int sample, SampleBuffer buffer) {
        return switch (index.schema.label()) {
            case NONE -> Label.NONE;
            case CLASS -> Label.ofClass(classIndex(sample));
            case VECTOR -> Label.ofVector(labelSegment(buffer).toArray(RecordFormat.FLOAT));
            case BOXES -> Label.ofBoxes(boxes(sample, labelSegment(buffer)));
        };
    }

    private static MemorySegment labelSegment(SampleBuffer buffer) {
        return MemorySegment.ofArray(buffer.bytes).asSlice(buffer.imageBytes, buffer.labelBytes);
    }

    private List<Label.Box> boxes(int sample, MemorySegment bytes) {
        List<Label.Box> boxes = new ArrayList<>();
        for (long at = 0; at < bytes.byteSize(); at += RecordFormat.BOX_BYTES) {
            int classIndex = bytes.get(RecordFormat.INT, at);
            if (classIndex < 0 || classIndex >= index.schema.classNames().size()) {
                throw new RecordException(describe(sample) + "class index of a box must lie in [0, "
                        + index.schema.classNames().size() + "): given=" + classIndex);
            }
            try {
                boxes.add(new Label.Box(
                        classIndex,
                        bytes.get(RecordFormat.FLOAT, at + 4),
                        bytes.get(RecordFormat.FLOAT, at + 8),
                        bytes.get(RecordFormat.FLOAT, at + 12),
                        bytes.get(RecordFormat.FLOAT, at + 16),
                        bytes.get(RecordFormat.INT, at + 20)));
            } catch (RecordException e) {
                throw new RecordException(describe(sample) + e.getMessage(), e);
            }
        }
        return boxes;
    }

    @Override
    public void verify(SampleCheck further, DamageListener damage, IntConsumer progress) {
        SampleBuffer buffer = new SampleBuffer();
        long end = index.dataOffset;
        for (int i = 0; i < index.sampleCount; i++) {
            RecordException error = null;
            try {
                checkGap(i, end);
                read(i, buffer);
                label(i, buffer);
                further.check(i, buffer);
            } catch (RecordException e) {
                error = e;
            } catch (TenonException e) {
                error = new RecordException(describe(i) + e.getMessage(), e);
            }
            if (error != null) {
                damage.damaged(i, error);
            }
            end = index.offset(i) + index.imageBytes(i) + index.labelBytes(i);
            progress.accept(i + 1);
        }
    }

    /** In front of a sample that would have crossed a segment's end, there are zeros. */
    private void checkGap(int sample, long from) {
        try {
            for (long at = from; at < index.offset(sample); at++) {
                if (map.get(ValueLayout.JAVA_BYTE, at) != 0) {
                    throw new RecordException(describe(sample) + "the unused bytes in front of it must be 0: byte " + at
                            + " is not (the sample itself can be read; build the file again)");
                }
            }
        } catch (InternalError e) {
            throw shrunk(sample, e);
        }
    }

    @Override
    public void close() {
        arena.close();
    }
}
