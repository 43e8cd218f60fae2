package tenon.io.data;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.sun.management.ThreadMXBean;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.lang.management.ManagementFactory;
import java.lang.reflect.Proxy;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import tenon.engine.ClosedException;
import tenon.engine.DType;
import tenon.engine.DTypeException;
import tenon.engine.Device;
import tenon.engine.Rng;
import tenon.engine.Scope;
import tenon.engine.Shape;
import tenon.engine.ShapeException;
import tenon.engine.TenonException;
import tenon.engine.backend.Backend;
import tenon.engine.backend.reference.ReferenceBackend;
import tenon.engine.data.Batch;
import tenon.engine.data.BatchIterator;
import tenon.io.augment.Augmenter;
import tenon.io.augment.FloatImage;
import tenon.io.image.Image;
import tenon.io.image.ImageCodec;
import tenon.io.jpeg.JpegLibrary;
import tenon.io.record.Label;
import tenon.io.record.LabelKind;
import tenon.io.record.RecordException;
import tenon.io.record.RecordReader;
import tenon.io.record.RecordSchema;
import tenon.io.record.RecordWriter;

class RecordBatchSourceTest {
    private static final int COUNT = 103;
    private static final List<String> CLASSES = List.of("a", "b", "c", "d", "e", "f", "g");

    @TempDir
    Path folder;

    private final Backend backend = ReferenceBackend.open();
    private Path file;

    /** 103 images of 2×2×1; all pixels of sample i are i, its class is i mod 7. */
    @BeforeEach
    void write() {
        file = folder.resolve("train.trec");
        try (RecordWriter writer = RecordWriter.create(file, RecordSchema.rawClasses("train", 2, 2, 1, CLASSES))) {
            for (int i = 0; i < COUNT; i++) {
                byte[] pixels = new byte[4];
                Arrays.fill(pixels, (byte) i);
                writer.add(pixels, Label.ofClass(i % 7), "key" + i, "source" + i);
            }
            writer.commit();
        }
    }

    @AfterEach
    void close() {
        backend.close();
    }

    private RecordBatchSource.Builder source() {
        return RecordBatchSource.of(file).backend(backend).batchSize(10);
    }

    /** Everything an epoch hands out, batch by batch: keys, inputs, targets. */
    private static List<List<Object>> epoch(RecordBatchSource source, int epoch, int first) {
        List<List<Object>> batches = new ArrayList<>();
        try (BatchIterator iterator = source.iterate(epoch, first)) {
            while (iterator.hasNext()) {
                Batch batch = iterator.next();
                batches.add(List.of(
                        Arrays.toString(batch.keys()),
                        Arrays.toString(batch.input().toFloatArray()),
                        Arrays.toString(batch.target().toFloatArray())));
            }
        }
        return batches;
    }

    @Test
    void batchesHoldScaledImagesAndLabelsInFileOrder() {
        try (RecordBatchSource source = source().open();
                BatchIterator iterator = source.iterate(0, 0)) {
            assertThat(source.sampleCount()).isEqualTo(103);
            assertThat(source.batchesPerEpoch()).isEqualTo(11);
            assertThat(source.sampleShape()).isEqualTo(Shape.of(2, 2, 1));
            for (int b = 0; b < 11; b++) {
                Batch batch = iterator.next();
                int size = b < 10 ? 10 : 3;
                assertThat(batch.input().shape()).isEqualTo(Shape.of(size, 2, 2, 1));
                assertThat(batch.target().shape()).isEqualTo(Shape.of(size));
                float[] input = batch.input().toFloatArray();
                int[] target = batch.target().toIntArray();
                for (int i = 0; i < size; i++) {
                    int sample = 10 * b + i;
                    assertThat(batch.keys()[i]).isEqualTo(sample);
                    assertThat(target[i]).isEqualTo(sample % 7);
                    assertThat(input[4 * i]).isEqualTo(sample / 255f);
                    assertThat(input[4 * i + 3]).isEqualTo(sample / 255f);
                }
            }
            assertThat(iterator.hasNext()).isFalse();
        }
    }

    @Test
    void shufflingVisitsEachSampleOnceInAnOrderOfSeedAndEpoch() {
        try (RecordBatchSource source = source().shuffle(true).seed(3).open();
                RecordBatchSource same = source().shuffle(true).seed(3).open();
                RecordBatchSource other = source().shuffle(true).seed(4).open()) {
            List<List<Object>> first = epoch(source, 0, 0);
            assertThat(epoch(source, 1, 0)).isNotEqualTo(first);
            assertThat(epoch(source, 0, 0)).isEqualTo(first);
            assertThat(epoch(same, 0, 0)).isEqualTo(first);
            assertThat(epoch(other, 0, 0)).isNotEqualTo(first);
            assertThat(keys(source, 5).sorted())
                    .containsExactly(IntStream.range(0, COUNT).boxed().toArray(Integer[]::new));
        }
    }

    private static IntStream keys(RecordBatchSource source, int epoch) {
        List<Long> keys = new ArrayList<>();
        try (BatchIterator iterator = source.iterate(epoch, 0)) {
            while (iterator.hasNext()) {
                for (long key : iterator.next().keys()) {
                    keys.add(key);
                }
            }
        }
        return keys.stream().mapToInt(Long::intValue);
    }

    /** Adds a random number to every pixel. */
    private static final Augmenter NOISE = (in, out, rng) -> {
        out.resize(in.height(), in.width(), in.channels());
        for (int i = 0; i < in.size(); i++) {
            out.values()[i] = in.values()[i] + rng.nextUniform();
        }
    };

    @Test
    void contentsDoNotDependOnThreadsAndAResumedEpochRepeats() {
        List<List<Object>> expected = null;
        for (int threads : new int[] {1, 2, 5}) {
            try (RecordBatchSource source = source().shuffle(true)
                    .seed(9)
                    .augment(NOISE)
                    .threads(threads)
                    .prefetch(threads)
                    .open()) {
                List<List<Object>> whole = epoch(source, 2, 0);
                assertThat(expected == null ? whole : expected).isEqualTo(whole);
                expected = whole;
                for (int first : new int[] {1, 7, 10, 11}) {
                    assertThat(epoch(source, 2, first)).isEqualTo(whole.subList(first, 11));
                }
                assertThat(epoch(source, 3, 0)).isNotEqualTo(whole);
            }
        }
    }

    @Test
    void subsetsAndDropLastDecideTheCounts() {
        try (RecordBatchSource train = source().range(0, 90).open();
                RecordBatchSource held =
                        source().range(90, COUNT).dropLast(true).open();
                RecordBatchSource few = source().subset(5, 3, 99).open();
                RecordBatchSource limited = source().limit(25).shuffle(true).open()) {
            assertThat(train.batchesPerEpoch()).isEqualTo(9);
            assertThat(keys(train, 0).max()).hasValue(89);
            assertThat(held.sampleCount()).isEqualTo(10);
            assertThat(held.batchesPerEpoch()).isEqualTo(1);
            assertThat(keys(held, 0))
                    .containsExactly(IntStream.range(90, 100).boxed().toArray(Integer[]::new));
            assertThat(keys(few, 0)).containsExactly(5, 3, 99);
            assertThat(keys(limited, 0).sorted())
                    .containsExactly(IntStream.range(0, 25).boxed().toArray(Integer[]::new));
        }
        assertThatThrownBy(() -> source().range(0, 104).open()).isInstanceOf(ShapeException.class);
        assertThatThrownBy(() -> source().subset(-1).open()).isInstanceOf(ShapeException.class);
        assertThatThrownBy(() -> source().limit(5).dropLast(true).open()).isInstanceOf(ShapeException.class);
        assertThatThrownBy(() -> source().batchSize(0).open()).isInstanceOf(ShapeException.class);
    }

    @Test
    void standardizationUsesTheFilesStatistics() {
        try (RecordBatchSource plain = source().open()) {
            Normalization standard = Normalization.standardize(plain.schema());
            try (RecordBatchSource source =
                            source().batchSize(COUNT).normalize(standard).open();
                    BatchIterator iterator = source.iterate(0, 0)) {
                float[] values = iterator.next().input().toFloatArray();
                double mean = 0;
                double square = 0;
                for (float v : values) {
                    mean += v;
                    square += v * v;
                }
                assertThat(mean / values.length).isBetween(-1e-5, 1e-5);
                assertThat(square / values.length).isBetween(1 - 1e-5, 1 + 1e-5);
            }
        }
        assertThatThrownBy(() -> source().normalize(new Normalization(new float[2], new float[] {1, 1}))
                        .open())
                .isInstanceOf(ShapeException.class);
        assertThatThrownBy(() -> new Normalization(new float[1], new float[1])).isInstanceOf(ShapeException.class);
    }

    @Test
    void encodedImagesAreDecodedAndResized() {
        Path encoded = folder.resolve("encoded.trec");
        byte[] pixels = new byte[4 * 2 * 3];
        for (int i = 0; i < pixels.length; i++) {
            pixels[i] = (byte) (10 * i);
        }
        try (RecordWriter writer = RecordWriter.create(encoded, RecordSchema.encodedClasses("train", CLASSES))) {
            writer.add(ImageCodec.encodePng(new Image(4, 2, 3, pixels)), Label.ofClass(1), "a", "a.png");
            writer.commit();
        }
        assertThatThrownBy(() -> RecordBatchSource.of(encoded).backend(backend).open())
                .isInstanceOf(ShapeException.class)
                .hasMessageContaining("resize");
        try (RecordBatchSource source = RecordBatchSource.of(encoded)
                        .backend(backend)
                        .resize(2, 4)
                        .normalize(Normalization.NONE)
                        .open();
                BatchIterator iterator = source.iterate(0, 0)) {
            Batch batch = iterator.next();
            assertThat(batch.input().shape()).isEqualTo(Shape.of(1, 2, 4, 3));
            for (int i = 0; i < pixels.length; i++) {
                assertThat(batch.input().toFloatArray()[i]).isEqualTo(pixels[i] & 0xFF);
            }
        }
    }

    @Test
    void vectorsBecomeFloatTargets() {
        Path vectors = folder.resolve("vectors.trec");
        RecordSchema schema = RecordSchema.rawClasses("train", 2, 2, 1, CLASSES).withLabel(LabelKind.VECTOR, 2);
        try (RecordWriter writer = RecordWriter.create(vectors, schema)) {
            for (int i = 0; i < 3; i++) {
                writer.add(new byte[4], Label.ofVector(i, -i), "k" + i, "");
            }
            writer.commit();
        }
        try (RecordBatchSource source = RecordBatchSource.of(vectors)
                        .backend(backend)
                        .batchSize(2)
                        .open();
                BatchIterator iterator = source.iterate(0, 0)) {
            assertThat(iterator.next().target().toFloatArray()).containsExactly(0, 0, 1, -1);
            Batch last = iterator.next();
            assertThat(last.target().shape()).isEqualTo(Shape.of(1, 2));
            assertThat(last.target().toFloatArray()).containsExactly(2, -2);
        }
    }

    @Test
    void aDamagedSampleSurfacesAtItsBatchWithItsName() throws IOException {
        byte[] bytes = Files.readAllBytes(file);
        bytes[4096 + 4 * 57] ^= 1;
        Files.write(file, bytes);
        try (RecordBatchSource source = source().threads(3).open();
                BatchIterator iterator = source.iterate(0, 0)) {
            for (int b = 0; b < 5; b++) {
                iterator.next();
            }
            assertThatThrownBy(iterator::next)
                    .isInstanceOf(RecordException.class)
                    .hasMessageContaining(file.toString())
                    .hasMessageContaining("sample 57 (key 'key57', source 'source57', at byte 4324)");
        }
    }

    @Test
    void bf16BatchesAreTheRoundedOnes() {
        try (RecordBatchSource floats = source().open();
                RecordBatchSource rounded = source().dtype(DType.BF16).open();
                BatchIterator expected = floats.iterate(0, 0);
                BatchIterator given = rounded.iterate(0, 0)) {
            while (expected.hasNext()) {
                float[] exact = expected.next().input().toFloatArray();
                Batch batch = given.next();
                assertThat(batch.input().dtype()).isEqualTo(DType.BF16);
                MemorySegment bits = batch.input().segment();
                for (int i = 0; i < exact.length; i++) {
                    assertThat(bits.getAtIndex(ValueLayout.JAVA_SHORT, i)).isEqualTo(DType.floatToBf16(exact[i]));
                }
            }
            assertThat(given.hasNext()).isFalse();
        }
        assertThatThrownBy(() -> source().dtype(DType.F64).open()).isInstanceOf(DTypeException.class);
    }

    /** A lower bound only: the worker sleeps at least that long while the training thread does nothing but wait. */
    @Test
    void timeSpentWaitingForWorkersIsCounted() {
        Augmenter slow = (in, out, rng) -> {
            try {
                Thread.sleep(2);
            } catch (InterruptedException e) {
                throw new IllegalStateException(e);
            }
            NOISE.apply(in, out, rng);
        };
        try (RecordBatchSource source = source().augment(slow).threads(1).open()) {
            assertThat(source.waitNanos()).isZero();
            epoch(source, 0, 0);
            assertThat(source.waitNanos()).isGreaterThan(50_000_000);
        }
    }

    @Test
    void afterWarmUpNothingIsAllocatedFromTheSystem() {
        try (RecordBatchSource source = source().shuffle(true).open()) {
            epoch(source, 0, 0);
            long before = backend.allocator().statistics().allocations();
            for (int epoch = 1; epoch < 4; epoch++) {
                epoch(source, epoch, 0);
            }
            assertThat(backend.allocator().statistics().allocations()).isEqualTo(before);
        }
        assertThat(backend.allocator().statistics().liveBytes()).isZero();
    }

    @Test
    void readingARawSampleAllocatesNothing() {
        try (RecordReader reader = RecordReader.open(file);
                Arena arena = Arena.ofConfined()) {
            SampleDecoder.Steps steps =
                    new SampleDecoder.Steps(2, 2, 1, List.of(), Normalization.UNIT, Shape.of(2, 2, 1), DType.F32);
            SampleDecoder decoder = new SampleDecoder(reader, steps, JpegLibrary.IMAGEIO);
            MemorySegment inputs = arena.allocate(COUNT * 16);
            MemorySegment targets = arena.allocate(COUNT * 4);
            ThreadMXBean threads = (ThreadMXBean) ManagementFactory.getThreadMXBean();
            long before = 0;
            int rounds = 200;
            for (int round = -rounds; round < rounds; round++) {
                if (round == 0) {
                    before = threads.getCurrentThreadAllocatedBytes();
                }
                for (int i = 0; i < COUNT; i++) {
                    decoder.decode(i, i, inputs, targets);
                }
            }
            long perSample = (threads.getCurrentThreadAllocatedBytes() - before) / (rounds * COUNT);
            // Interpreted code may make small views that compiled code does not; buffers would be hundreds of bytes.
            assertThat(perSample).isLessThan(256);
        }
    }

    /** The reference back-end that says it is a GPU: batches must then go through upload. */
    private Backend device(List<Long> uploads) {
        return (Backend) Proxy.newProxyInstance(
                getClass().getClassLoader(), new Class<?>[] {Backend.class}, (_, method, arguments) -> {
                    if (method.getName().equals("device")) {
                        return new Device.Cuda(0);
                    }
                    if (method.getName().equals("upload")) {
                        uploads.add(((MemorySegment) arguments[0]).byteSize());
                    }
                    return method.invoke(backend, arguments);
                });
    }

    @Test
    void onADeviceBatchesAreUploadedFromTheRing() {
        List<Long> uploads = new ArrayList<>();
        try (RecordBatchSource here = source().shuffle(true).open();
                RecordBatchSource there = source().shuffle(true)
                        .threads(3)
                        .backend(device(uploads))
                        .open()) {
            assertThat(epoch(there, 1, 0)).isEqualTo(epoch(here, 1, 0));
            assertThat(epoch(there, 2, 4)).isEqualTo(epoch(here, 2, 4));
        }
        assertThat(uploads)
                .hasSize(2 * (11 + 7))
                .startsWith(160L, 40L, 160L, 40L)
                .endsWith(48L, 12L);
        assertThat(backend.allocator().statistics().liveBytes()).isZero();
    }

    @Test
    void batchesOutliveTheScopesOfTheTrainingLoop() {
        try (Scope model = Scope.open("model", backend);
                RecordBatchSource source =
                        RecordBatchSource.of(file).batchSize(10).open();
                BatchIterator iterator = source.iterate(0, 0)) {
            for (int b = 0; b < 3; b++) {
                try (Scope step = Scope.open("step")) {
                    assertThat(iterator.next().input().toFloatArray()[0]).isEqualTo(10 * b / 255f);
                    assertThat(step.tensorCount()).isZero();
                }
            }
            assertThat(model.tensorCount()).isZero();
        }
    }

    @Test
    void closingStopsTheThreads() {
        RecordBatchSource source = source().threads(3).open();
        BatchIterator iterator = source.iterate(0, 0);
        iterator.next();
        assertThatThrownBy(() -> source.iterate(0, 0))
                .isInstanceOf(TenonException.class)
                .hasMessageContaining("one iterator at a time");
        source.close();
        source.close();
        assertThat(Thread.getAllStackTraces().keySet().stream()
                        .filter(t -> t.getName().startsWith("tenon-data")))
                .isEmpty();
        assertThat(iterator.hasNext()).isFalse();
        assertThatThrownBy(iterator::next).isInstanceOf(ClosedException.class);
        assertThatThrownBy(() -> source.iterate(0, 0)).isInstanceOf(TenonException.class);
    }

    @Test
    void anErrorInAnAugmenterNamesTheSample() {
        Augmenter failing = (FloatImage in, FloatImage out, Rng rng) -> {
            throw new IllegalStateException("broken");
        };
        try (RecordBatchSource source = source().augment(failing).open();
                BatchIterator iterator = source.iterate(0, 0)) {
            assertThatThrownBy(iterator::next)
                    .isInstanceOf(RecordException.class)
                    .hasMessageContaining("sample 0 (key 'key0'")
                    .hasMessageContaining("broken");
        }
    }
}
