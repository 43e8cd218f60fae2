package tenon.io.data;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.io.RandomAccessFile;
import java.nio.charset.StandardCharsets;
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
import tenon.io.augment.RandomCrop;
import tenon.io.jpeg.JpegPictures;
import tenon.io.record.Label;
import tenon.io.record.RecordException;
import tenon.io.record.RecordSchema;
import tenon.io.record.RecordWriter;
import tenon.io.record.Records;

/** What becomes of samples that cannot be read. */
class SkippingTest {
    private static final int COUNT = 50;
    private static final List<String> CLASSES = List.of("a");

    @TempDir
    Path folder;

    private final Backend backend = ReferenceBackend.open();
    private Path file;

    /** 50 images of 2×2×1; all pixels of sample i are i. */
    @BeforeEach
    void write() {
        file = folder.resolve("train.trec");
        try (RecordWriter writer = RecordWriter.create(file, RecordSchema.rawClasses("train", 2, 2, 1, CLASSES))) {
            for (int i = 0; i < COUNT; i++) {
                byte[] pixels = new byte[4];
                Arrays.fill(pixels, (byte) i);
                writer.add(pixels, Label.ofClass(0), "key" + i, "source" + i);
            }
            writer.commit();
        }
    }

    @AfterEach
    void close() {
        backend.close();
    }

    private void damage(int... samples) throws IOException {
        try (Records records = Records.open(file);
                RandomAccessFile bytes = new RandomAccessFile(file.toFile(), "rw")) {
            for (int sample : samples) {
                bytes.seek(records.offset(sample));
                bytes.write(200);
            }
        }
    }

    private RecordBatchSource.Builder source() {
        return RecordBatchSource.of(file).backend(backend).batchSize(8).normalize(Normalization.NONE);
    }

    /** Sample numbers of an epoch; every pixel must be its sample's. */
    private static List<Long> keys(RecordBatchSource source, int epoch, int first) {
        List<Long> keys = new ArrayList<>();
        try (BatchIterator batches = source.iterate(epoch, first)) {
            while (batches.hasNext()) {
                Batch batch = batches.next();
                float[] pixels = batch.input().toFloatArray();
                for (int i = 0; i < batch.size(); i++) {
                    assertThat(pixels[4 * i]).isEqualTo(batch.keys()[i]);
                    keys.add(batch.keys()[i]);
                }
            }
        }
        return keys;
    }

    @Test
    void theNextGoodSampleTakesThePlace() throws IOException {
        damage(3, 4, 49);
        try (RecordBatchSource source = source().onError(OnError.SKIP).open()) {
            List<Long> expected = new ArrayList<>(
                    IntStream.range(0, COUNT).mapToObj(Long::valueOf).toList());
            expected.set(3, 5L);
            expected.set(4, 5L);
            expected.set(49, 0L);
            assertThat(keys(source, 0, 0)).isEqualTo(expected);
            assertThat(keys(source, 1, 2)).isEqualTo(expected.subList(16, COUNT));
            // However often epochs come to them.
            assertThat(source.skipped().keySet()).containsExactly(3, 4, 49);
            assertThat(source.skipped().get(49))
                    .contains(file.toString())
                    .contains("sample 49 (key 'key49', source 'source49'")
                    .contains("checksum differs");
        }
        try (RecordBatchSource source = source().open();
                BatchIterator batches = source.iterate(0, 0)) {
            assertThatThrownBy(batches::next)
                    .isInstanceOf(RecordException.class)
                    .hasMessageContaining("sample 3 (key 'key3'");
            assertThat(source.skipped()).isEmpty();
        }
    }

    @Test
    void skippingDoesNotDependOnThreadsAndAResumedEpochRepeats() throws IOException {
        damage(0, 7, 8, 9, 21, 33, 48);
        List<Long> expected = null;
        for (int threads : new int[] {1, 2, 5}) {
            try (RecordBatchSource source = source().onError(OnError.SKIP)
                    .shuffle(true)
                    .seed(11)
                    .threads(threads)
                    .open()) {
                List<Long> keys = keys(source, 4, 0);
                assertThat(expected == null ? keys : expected).isEqualTo(keys);
                expected = keys;
                assertThat(keys(source, 4, 3)).isEqualTo(keys.subList(24, COUNT));
                assertThat(source.skipped()).hasSize(7);
            }
        }
        assertThat(expected).doesNotContain(0L, 7L, 8L, 9L, 21L, 33L, 48L);
    }

    @Test
    void afterAllSamplesHaveFailedTheFirstIsNamed() throws IOException {
        damage(IntStream.range(0, COUNT).toArray());
        try (RecordBatchSource source = source().onError(OnError.SKIP).open();
                BatchIterator batches = source.iterate(0, 0)) {
            assertThatThrownBy(batches::next)
                    .isInstanceOf(RecordException.class)
                    .hasMessageContaining("not one sample of")
                    .hasMessageContaining("sample 0 (key 'key0'");
        }
    }

    @Test
    void imagesThatCannotBeDecodedOrAreTooSmallAreSkippedToo() {
        Path encoded = folder.resolve("encoded.trec");
        try (RecordWriter writer = RecordWriter.create(encoded, RecordSchema.encodedClasses("train", CLASSES))) {
            writer.add(JpegPictures.file(JpegPictures.Kind.COLOR_420, 40, 40, 1), Label.ofClass(0), "good", "");
            writer.add(JpegPictures.file(JpegPictures.Kind.COLOR_420, 10, 10, 1), Label.ofClass(0), "small", "");
            byte[] nonsense =
                    "\u00ff\u00d8\u00ff\u00e0 is how a JPEG file begins".getBytes(StandardCharsets.ISO_8859_1);
            writer.add(nonsense, Label.ofClass(0), "nonsense", "n.jpg");
            writer.commit();
        }
        try (RecordBatchSource source = RecordBatchSource.of(encoded)
                        .backend(backend)
                        .augment(new RandomCrop(32, 32, 0))
                        .onError(OnError.SKIP)
                        .batchSize(3)
                        .open();
                BatchIterator batches = source.iterate(0, 0)) {
            assertThat(batches.next().keys()).containsExactly(0, 0, 0);
            assertThat(source.skipped().keySet()).containsExactly(1, 2);
            assertThat(source.skipped().get(1)).contains("key 'small'").contains("random crop");
            assertThat(source.skipped().get(2)).contains("key 'nonsense', source 'n.jpg'");
        }
    }
}
