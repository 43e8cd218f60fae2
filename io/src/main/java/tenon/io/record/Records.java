package tenon.io.record;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.function.IntConsumer;
import tenon.engine.TenonException;

/**
 * Random access to the samples of one record file ({@link RecordReader}) or of several that belong together ({@link RecordShards}). Samples are
 * numbered from 0 through all files.
 *
 * <p>All methods may be called from several threads, each with its own {@link SampleBuffer}; close only when no other thread reads.
 */
public interface Records extends AutoCloseable {
    /**
     * Opens files as one set, in the order given. A folder stands for all record files in it, and a shard ({@code name-00000-of-00004.trec}) for all
     * shards of its set, which must be complete; a file named twice counts once. Files must agree in everything but their samples; of shards of one
     * set, build options must be equal too.
     *
     * @throws RecordException when a file cannot be opened, a shard is missing, or the files do not belong together
     */
    static Records open(Path... paths) {
        return open(List.of(paths));
    }

    /** As {@link #open(Path...)}. */
    static Records open(List<Path> paths) {
        return RecordShards.openSet(paths);
    }

    /** Name of a shard's file, {@code split-00000-of-00004.trec}, or {@code split.trec} when there is one only. */
    static String fileName(String split, int shard, int shardCount) {
        return RecordShards.fileName(split, shard, shardCount);
    }

    /** The files, in the order of their samples. */
    List<Path> files();

    /** Of the first file; channel statistics are of all files together, and empty unless every file has some. */
    RecordSchema schema();

    int sampleCount();

    /** Class index of a sample in a file of class labels, −1 otherwise. Reads the index only. */
    int classIndex(int sample);

    /** Size of a sample's stored image. Reads the index only. */
    int imageBytes(int sample);

    String key(int sample);

    /** Where the sample came from; may be empty. */
    String source(int sample);

    /** File that holds a sample. */
    Path file(int sample);

    /** Number of a sample in its file. */
    int numberInFile(int sample);

    /** Where a sample's bytes begin in its file. */
    long offset(int sample);

    /** File, number in the file, key, source and offset of a sample, to begin a message with. */
    String describe(int sample);

    /**
     * Copies a sample's bytes into the buffer and checks them.
     *
     * @param sample from 0 up to {@link #sampleCount()}
     * @throws RecordException when the checksum differs or the file has shrunk since it was opened
     */
    void read(int sample, SampleBuffer into);

    /** A sample of its own memory; see {@link #read(int, SampleBuffer)}. */
    default Sample read(int sample) {
        SampleBuffer buffer = new SampleBuffer();
        read(sample, buffer);
        return new Sample(
                Arrays.copyOf(buffer.bytes, buffer.imageBytes), label(sample, buffer), key(sample), source(sample));
    }

    /**
     * The label of the sample that {@code buffer} holds.
     *
     * @throws RecordException when a box is none: an unknown class or flag, edges that are not numbers or in the wrong order
     */
    Label label(int sample, SampleBuffer buffer);

    /** Copies the label vector that follows the image in {@code buffer} to {@code to}, starting at byte {@code offset}. */
    default void copyVector(SampleBuffer buffer, MemorySegment to, long offset) {
        MemorySegment.copy(
                MemorySegment.ofArray(buffer.bytes),
                RecordFormat.FLOAT,
                buffer.imageBytes,
                to,
                ValueLayout.JAVA_FLOAT_UNALIGNED,
                offset,
                buffer.labelBytes / Float.BYTES);
    }

    /** Takes a damaged sample while {@link #verify(SampleCheck, DamageListener, IntConsumer)} goes on. */
    interface DamageListener {
        void damaged(int sample, RecordException error);
    }

    /** A further check of a sample whose checksum and label are right: throws a {@link TenonException} that says what is wrong with it. */
    interface SampleCheck {
        void check(int sample, SampleBuffer buffer);
    }

    /**
     * Reads and checks every sample, its label, and the unused bytes in front of it.
     *
     * @param progress told how many samples are done, after each
     */
    void verify(SampleCheck further, DamageListener damage, IntConsumer progress);

    /** Checks every sample; throws at the first damaged one. */
    default void verify() {
        verify(
                (_, _) -> {},
                (_, error) -> {
                    throw error;
                },
                _ -> {});
    }

    @Override
    void close();
}
