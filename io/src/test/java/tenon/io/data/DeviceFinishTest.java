package tenon.io.data;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.io.RandomAccessFile;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.function.Supplier;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import tenon.engine.DType;
import tenon.engine.Scope;
import tenon.engine.Shape;
import tenon.engine.Tensor;
import tenon.engine.backend.Backend;
import tenon.engine.backend.cuda.CudaBackend;
import tenon.engine.backend.reference.ReferenceBackend;
import tenon.engine.data.Batch;
import tenon.engine.data.BatchIterator;
import tenon.engine.memory.MemoryStatistics;
import tenon.io.augment.Augmenter;
import tenon.io.augment.CenterCrop;
import tenon.io.augment.HorizontalFlip;
import tenon.io.augment.PcaLighting;
import tenon.io.augment.RandomCrop;
import tenon.io.augment.RandomErasing;
import tenon.io.jpeg.JpegPictures;
import tenon.io.record.Label;
import tenon.io.record.RecordSchema;
import tenon.io.record.RecordWriter;
import tenon.io.record.Records;
import tenon.simulator.SimulatedDevice;
import tenon.simulator.Simulator;

/** Batches whose pictures a CUDA device finishes, simulated unless {@code -Dtenon.test.gpu=real}, against those of the host, bit for bit. */
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
class DeviceFinishTest {
    private static final boolean REAL = "real".equals(System.getProperty("tenon.test.gpu"));
    private static final int COUNT = 23;
    private static final List<String> CLASSES = List.of("a", "b", "c");

    @TempDir
    private static Path folder;

    private final Backend host = ReferenceBackend.open();
    private Backend cuda;
    private Simulator simulator;
    private Path colours;
    private Path greys;
    private Path jpegs;

    private enum Pictures {
        RAW_COLOURS,
        RAW_GREYS,
        JPEGS
    }

    @BeforeAll
    void open() {
        if (!REAL) {
            SimulatedDevice.why().ifPresent(Assumptions::abort);
            System.setProperty("tenon.cuda.path", SimulatedDevice.folder().toString());
            simulator = new Simulator(SimulatedDevice.folder());
            simulator.reset();
        }
        cuda = CudaBackend.open();
        colours = raw(3);
        greys = raw(1);
        jpegs = folder.resolve("jpegs.trec");
        try (RecordWriter writer = RecordWriter.create(jpegs, RecordSchema.encodedClasses("train", CLASSES))) {
            for (int i = 0; i < COUNT; i++) {
                byte[] jpeg = JpegPictures.file(JpegPictures.Kind.values()[0], 31 + 3 * i, 26 + 2 * i, i);
                writer.add(jpeg, Label.ofClass(i % 3), "k" + i, "s" + i);
            }
            writer.commit();
        }
    }

    private static Path raw(int channels) {
        Path file = folder.resolve("raw" + channels + ".trec");
        Random random = new Random(channels);
        try (RecordWriter writer =
                RecordWriter.create(file, RecordSchema.rawClasses("train", 26, 31, channels, CLASSES))) {
            for (int i = 0; i < COUNT; i++) {
                byte[] pixels = new byte[26 * 31 * channels];
                random.nextBytes(pixels);
                writer.add(pixels, Label.ofClass(i % 3), "k" + i, "s" + i);
            }
            writer.commit();
        }
        return file;
    }

    @AfterAll
    void close() {
        host.close();
        if (cuda != null) {
            cuda.close();
        }
        if (simulator != null) {
            assertThat(simulator.violations()).isEmpty();
        }
    }

    private RecordBatchSource.Builder source(Pictures pictures, Backend backend) {
        Normalization byChannel =
                new Normalization(new float[] {123.675f, 116.28f, 103.53f}, new float[] {58.395f, 57.12f, 57.375f});
        RecordBatchSource.Builder builder = switch (pictures) {
            case RAW_COLOURS -> RecordBatchSource.of(colours).normalize(byChannel);
            case RAW_GREYS -> RecordBatchSource.of(greys).normalize(Normalization.UNIT);
            case JPEGS -> RecordBatchSource.of(jpegs).normalize(byChannel);
        };
        return builder.backend(backend).batchSize(5).shuffle(true).seed(7).threads(2);
    }

    /** Everything that is handed out from batch {@code first} of an epoch on. */
    private static List<List<Object>> batches(RecordBatchSource source, int epoch, int first) {
        List<List<Object>> batches = new ArrayList<>();
        try (BatchIterator iterator = source.iterate(epoch, first)) {
            while (iterator.hasNext()) {
                Batch batch = iterator.next();
                batches.add(List.of(
                        Arrays.toString(batch.keys()),
                        bits(batch.input()),
                        Arrays.toString(batch.target().toIntArray())));
            }
        }
        return batches;
    }

    private static String bits(Tensor tensor) {
        return tensor.shape() + Arrays.toString(tensor.toFloatArray());
    }

    private long kernels(DType dtype) {
        return simulator == null
                ? 0
                : simulator.calls("kernel crop_mirror_normalize_" + dtype.name().toLowerCase());
    }

    /** Two epochs, the second from its middle on; the last batch holds 3 of 5 pictures. */
    @ParameterizedTest
    @EnumSource
    void batchesHaveTheBitsOfTheHosts(Pictures pictures) {
        List<List<Augmenter>> chains = List.of(
                List.of(new RandomCrop(20, 24, 0), new HorizontalFlip()),
                List.of(new HorizontalFlip(), new RandomCrop(26, 31, 4)),
                // Black where the first crop ends, inside of the picture.
                List.of(new CenterCrop(21, 23), new HorizontalFlip(), new RandomCrop(21, 23, 4), new HorizontalFlip()));
        for (List<Augmenter> chain : chains) {
            for (DType dtype : List.of(DType.F32, DType.BF16)) {
                RecordBatchSource.Builder onHost = source(pictures, host).dtype(dtype);
                RecordBatchSource.Builder onDevice = source(pictures, cuda).dtype(dtype);
                chain.forEach(onHost::augment);
                chain.forEach(onDevice::augment);
                long before = kernels(dtype);
                try (RecordBatchSource expected = onHost.open();
                        RecordBatchSource actual = onDevice.open()) {
                    assertThat(expected.finisher()).startsWith("the host");
                    assertThat(actual.finisher()).isEqualTo(cuda.name());
                    List<List<Object>> epoch = batches(expected, 0, 0);
                    assertThat(epoch).hasSize(5);
                    assertThat(batches(actual, 0, 0)).isEqualTo(epoch);
                    assertThat(batches(actual, 1, 3)).isEqualTo(batches(expected, 1, 3));
                }
                assertThat(kernels(dtype) - before).as("kernels").isEqualTo(simulator == null ? 0 : 7);
            }
        }
    }

    @Test
    void resizedPicturesWithoutAugmentationToo() {
        try (RecordBatchSource expected =
                        source(Pictures.JPEGS, host).resize(16, 18).open();
                RecordBatchSource actual =
                        source(Pictures.JPEGS, cuda).resize(16, 18).open()) {
            assertThat(actual.finisher()).isEqualTo(cuda.name());
            assertThat(batches(actual, 0, 0)).isEqualTo(batches(expected, 0, 0));
        }
    }

    /** Whoever brings tensors gets the same in them, whichever of its places the source uses meanwhile. */
    @Test
    void tensorsOfTheCallerAreFilled() {
        Supplier<RecordBatchSource.Builder> crops = () -> source(Pictures.RAW_COLOURS, cuda)
                .augment(new RandomCrop(20, 24))
                .augment(new HorizontalFlip());
        try (RecordBatchSource handsOut = crops.get().open();
                RecordBatchSource fills = crops.get().open();
                RecordBatchSource copies = crops.get().mixup(1).open();
                RecordBatchSource mixed = crops.get().mixup(1).open();
                Scope _ = Scope.open("test", cuda)) {
            assertSame(handsOut, fills, cuda);
            assertSame(mixed, copies, cuda);
        }
    }

    /** Devices that train together take turns at one source. */
    @Test
    void tensorsOnAnotherDeviceAreFilled() {
        Supplier<RecordBatchSource.Builder> crops = () -> source(Pictures.RAW_COLOURS, cuda)
                .augment(new RandomCrop(20, 24))
                .augment(new HorizontalFlip());
        try (Backend other = CudaBackend.open();
                RecordBatchSource handsOut = crops.get().open();
                RecordBatchSource fills = crops.get().open();
                RecordBatchSource copies = crops.get().mixup(1).open();
                RecordBatchSource mixed = crops.get().mixup(1).open();
                Scope _ = Scope.open("test", cuda)) {
            assertSame(handsOut, fills, other);
            assertSame(mixed, copies, other);
        }
    }

    /** Batches of 5 and the last of 3 have found their memory after an epoch. */
    @Test
    void laterBatchesTakeNoMemoryOnAnotherDevice() {
        try (Backend other = CudaBackend.open();
                RecordBatchSource source = source(Pictures.RAW_COLOURS, cuda)
                        .augment(new RandomCrop(20, 24))
                        .open();
                var _ = Scope.open("test", other)) {
            Tensor[] inputs = {tensor(5, 20, 24, 3), tensor(3, 20, 24, 3)};
            Tensor[] targets = {Tensor.of(new int[5], 5), Tensor.of(new int[3], 3)};
            fill(source, inputs, targets);
            MemoryStatistics before = other.allocator().statistics();
            fill(source, inputs, targets);
            assertThat(other.allocator().statistics()).isEqualTo(before);
        }
    }

    private static Tensor tensor(int... dims) {
        return Tensor.empty(Scope.current().backend(), Shape.of(dims), DType.F32);
    }

    private static void fill(RecordBatchSource source, Tensor[] inputs, Tensor[] targets) {
        try (BatchIterator batches = source.iterate(0, 0)) {
            for (int left = COUNT; left > 0; left -= 5) {
                int which = left >= 5 ? 0 : 1;
                batches.next(inputs[which], targets[which]);
            }
        }
    }

    /** Every second batch goes to {@code second}. */
    private static void assertSame(RecordBatchSource handsOut, RecordBatchSource fills, Backend second) {
        try (BatchIterator expected = handsOut.iterate(0, 0);
                BatchIterator actual = fills.iterate(0, 0)) {
            Backend handsOutOn = Scope.current().backend();
            Backend backend = handsOutOn;
            while (expected.hasNext()) {
                Batch batch = expected.next();
                backend = backend == second ? handsOutOn : second;
                Tensor input = Tensor.empty(
                        backend, batch.input().shape(), batch.input().dtype());
                Tensor target = Tensor.empty(
                        backend, batch.target().shape(), batch.target().dtype());
                actual.next(input, target);
                assertThat(bits(input)).isEqualTo(bits(batch.input()));
                assertThat(bits(target)).isEqualTo(bits(batch.target()));
            }
            assertThat(actual.hasNext()).isFalse();
        }
    }

    /** Pictures changed otherwise, or mixed with others, are finished on the host, and the source says why. */
    @Test
    void whatTheDeviceCannotDoTheHostDoes() {
        for (Augmenter other : List.of(new PcaLighting(0.1), new RandomErasing(1))) {
            try (RecordBatchSource expected = source(Pictures.RAW_COLOURS, host)
                            .augment(new HorizontalFlip())
                            .augment(other)
                            .open();
                    RecordBatchSource actual = source(Pictures.RAW_COLOURS, cuda)
                            .augment(new HorizontalFlip())
                            .augment(other)
                            .open()) {
                assertThat(actual.finisher())
                        .isEqualTo("the host, because " + other.getClass().getSimpleName()
                                + " is neither a crop nor a mirroring");
                assertThat(batches(actual, 0, 0)).isEqualTo(batches(expected, 0, 0));
            }
        }
        try (RecordBatchSource mixed =
                source(Pictures.RAW_COLOURS, cuda).mixup(0.5).open()) {
            assertThat(mixed.finisher()).isEqualTo("the host, because mixup works on finished pictures");
        }
    }

    /** Whether a picture is mirrored belongs to it, not to the place that it takes. */
    @Test
    void picturesThatTakeThePlaceOfDamagedOnesKeepTheirMirroring() throws IOException {
        Path damaged = raw(4);
        try (Records records = Records.open(damaged);
                RandomAccessFile bytes = new RandomAccessFile(damaged.toFile(), "rw")) {
            for (int sample : new int[] {0, 4, 5, 11, 22}) {
                bytes.seek(records.offset(sample));
                int first = bytes.read();
                bytes.seek(records.offset(sample));
                bytes.write(first ^ 1);
            }
        }
        try (RecordBatchSource expected = skipping(damaged, host);
                RecordBatchSource actual = skipping(damaged, cuda)) {
            assertThat(batches(actual, 0, 0)).isEqualTo(batches(expected, 0, 0));
            assertThat(actual.skipped()).isNotEmpty();
        }
    }

    private static RecordBatchSource skipping(Path file, Backend backend) {
        return RecordBatchSource.of(file)
                .backend(backend)
                .batchSize(5)
                .shuffle(true)
                .augment(new HorizontalFlip())
                .onError(OnError.SKIP)
                .open();
    }

    /** After the first batches nothing is created, on the device or in page-locked memory, whatever is handed out. */
    @Test
    void nothingIsAllocatedPerBatch() {
        try (RecordBatchSource source = source(Pictures.RAW_COLOURS, cuda)
                .augment(new RandomCrop(20, 24))
                .augment(new HorizontalFlip())
                .open()) {
            batches(source, 0, 0);
            Object device = cuda.statistics();
            Object live = simulator == null ? null : simulator.live();
            for (int epoch = 1; epoch < 4; epoch++) {
                batches(source, epoch, 0);
            }
            assertThat(cuda.statistics()).isEqualTo(device);
            assertThat(simulator == null ? null : simulator.live()).isEqualTo(live);
        }
    }
}
