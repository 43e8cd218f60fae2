package tenon.io.data;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import tenon.engine.backend.Backend;
import tenon.engine.backend.reference.ReferenceBackend;
import tenon.engine.data.Batch;
import tenon.engine.data.BatchIterator;
import tenon.io.record.Label;
import tenon.io.record.RecordSchema;
import tenon.io.record.RecordWriter;

/** Segment-wise orders over several files. */
class ReadAheadTest {
    private static final int COUNT = 300;

    @TempDir
    Path folder;

    private final Backend backend = ReferenceBackend.open();
    private final Path[] files = new Path[3];

    /** Three files of 100 images of 40×40×1; the pixels of sample i are i mod 251. */
    @BeforeEach
    void write() {
        for (int f = 0; f < files.length; f++) {
            files[f] = folder.resolve("part" + f + ".trec");
            try (RecordWriter writer =
                    RecordWriter.create(files[f], RecordSchema.rawClasses("train", 40, 40, 1, List.of("a")))) {
                for (int i = 100 * f; i < 100 * f + 100; i++) {
                    byte[] pixels = new byte[1600];
                    Arrays.fill(pixels, (byte) (i % 251));
                    writer.add(pixels, Label.ofClass(0), "key" + i, "");
                }
                writer.commit();
            }
        }
    }

    @AfterEach
    void close() {
        backend.close();
    }

    private List<Long> keys(int threads, int first, int batches) {
        List<Long> keys = new ArrayList<>();
        try (RecordBatchSource source = RecordBatchSource.of(files)
                        .backend(backend)
                        .batchSize(7)
                        .shuffle(Shuffle.segments(20, 3))
                        .seed(2)
                        .threads(threads)
                        .normalize(Normalization.NONE)
                        .open();
                BatchIterator iterator = source.iterate(1, first)) {
            for (int b = 0; b < batches && iterator.hasNext(); b++) {
                Batch batch = iterator.next();
                for (int i = 0; i < batch.size(); i++) {
                    assertThat(batch.input().toFloatArray()[1600 * i]).isEqualTo(batch.keys()[i] % 251);
                    keys.add(batch.keys()[i]);
                }
            }
        }
        return keys;
    }

    @Test
    void aSegmentedEpochVisitsAllFilesWindowByWindow() {
        List<Long> keys = keys(2, 0, Integer.MAX_VALUE);
        assertThat(keys.stream().sorted().mapToInt(Long::intValue).toArray())
                .isEqualTo(IntStream.range(0, COUNT).toArray());
        for (int window = 0; window < COUNT; window += 60) {
            assertThat(keys.subList(window, window + 60).stream()
                            .map(key -> key / 20)
                            .distinct())
                    .hasSize(3);
        }
        assertThat(keys(5, 0, Integer.MAX_VALUE)).isEqualTo(keys);
        assertThat(keys(1, 30, Integer.MAX_VALUE)).isEqualTo(keys.subList(210, COUNT));
    }

    @Test
    void anEpochThatIsLeftEndsTheReading() {
        assertThat(keys(2, 0, 3)).hasSize(21);
        assertThat(Thread.getAllStackTraces().keySet())
                .noneMatch(thread -> thread.isAlive() && thread.getName().startsWith("tenon-read-ahead"));
    }
}
