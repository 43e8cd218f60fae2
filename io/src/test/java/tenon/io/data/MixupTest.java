package tenon.io.data;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import java.lang.foreign.MemorySegment;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;
import tenon.engine.DType;
import tenon.engine.backend.Backend;
import tenon.engine.backend.reference.ReferenceBackend;
import tenon.engine.data.Batch;
import tenon.engine.data.BatchIterator;
import tenon.io.record.Label;
import tenon.io.record.RecordException;
import tenon.io.record.RecordSchema;
import tenon.io.record.RecordWriter;

class MixupTest {
    private static final List<String> CLASSES = List.of("a", "b", "c", "d", "e");

    @TempDir
    private Path folder;

    private final Backend backend = ReferenceBackend.open();

    @AfterEach
    void close() {
        backend.close();
    }

    /** Beta(α, α) has mean 1/2 and variance 1 / (4·(2α + 1)). */
    @ParameterizedTest
    @ValueSource(doubles = {0.1, 0.2, 0.5, 1, 4})
    void lambdasHaveTheMomentsOfTheirDistribution(double alpha) {
        Mixup mixup = new Mixup(alpha, 2, 1, DType.F32);
        int count = 20_000;
        double sum = 0;
        double squares = 0;
        double fourth = 0;
        for (int i = 0; i < count; i++) {
            double lambda = mixup.lambda(9, i / 100, i % 100);
            assertThat(lambda).isBetween(0.0, 1.0);
            double d = lambda - 0.5;
            sum += d;
            squares += d * d;
            fourth += d * d * d * d;
        }
        double variance = 1 / (4 * (2 * alpha + 1));
        double kurtosisExcess = -6 / (2 * alpha + 3);
        assertThat(sum / count).isCloseTo(0, within(4 * Math.sqrt(variance / count)));
        assertThat(squares / count).isCloseTo(variance, within(0.03 * variance));
        assertThat(fourth / count / (variance * variance)).isCloseTo(3 + kurtosisExcess, within(0.1));
    }

    /** All pixels of sample i are i, its class is i mod 5. */
    private Path records(int count) {
        Path file = folder.resolve("train.trec");
        try (RecordWriter writer = RecordWriter.create(file, RecordSchema.rawClasses("train", 2, 2, 1, CLASSES))) {
            for (int i = 0; i < count; i++) {
                byte[] pixels = new byte[4];
                Arrays.fill(pixels, (byte) i);
                writer.add(pixels, Label.ofClass(i % 5), "key" + i, "source" + i);
            }
            writer.commit();
        }
        return file;
    }

    @ParameterizedTest
    @EnumSource(
            value = DType.class,
            names = {"F32", "BF16"})
    void aBatchIsMixedWithItselfBackwards(DType dtype) {
        double tolerance = dtype == DType.F32 ? 1e-6 : 1.0 / 256;
        try (RecordBatchSource source = RecordBatchSource.of(records(23))
                .backend(backend)
                .batchSize(10)
                .shuffle(true)
                .seed(4)
                .dtype(dtype)
                .mixup(0.7)
                .open()) {
            Mixup mixup = new Mixup(0.7, 5, 4, dtype);
            try (BatchIterator batches = source.iterate(2, 0)) {
                for (int number = 0; batches.hasNext(); number++) {
                    Batch batch = batches.next();
                    float[] inputs = batch.input().toFloatArray();
                    float[] targets = batch.target().toFloatArray();
                    double lambda = mixup.lambda(4, 2, number);
                    int n = batch.size();
                    assertThat(targets).hasSize(5 * n);
                    for (int i = 0; i < n; i++) {
                        long own = batch.keys()[i];
                        long other = batch.keys()[n - 1 - i];
                        assertThat((double) inputs[4 * i + 3])
                                .isCloseTo((lambda * own + (1 - lambda) * other) / 255, within(tolerance));
                        for (int c = 0; c < 5; c++) {
                            double share = (own % 5 == c ? lambda : 0) + (other % 5 == c ? 1 - lambda : 0);
                            assertThat((double) targets[5 * i + c]).isCloseTo(share, within(1e-6));
                        }
                    }
                }
            }
        }
    }

    /** Whatever the threads, and also when the epoch is begun in its middle. */
    @Test
    void dependsOnSeedEpochAndBatchOnly() {
        Path file = records(50);
        List<String> expected = batches(file, 1, 0);
        assertThat(batches(file, 4, 0)).isEqualTo(expected);
        assertThat(batches(file, 2, 3)).isEqualTo(expected.subList(3, expected.size()));
    }

    private List<String> batches(Path file, int threads, int first) {
        try (RecordBatchSource source = RecordBatchSource.of(file)
                        .backend(backend)
                        .batchSize(8)
                        .shuffle(true)
                        .threads(threads)
                        .mixup(0.2)
                        .open();
                BatchIterator iterator = source.iterate(1, first)) {
            List<String> all = new ArrayList<>();
            while (iterator.hasNext()) {
                Batch batch = iterator.next();
                all.add(Arrays.toString(batch.input().toFloatArray())
                        + Arrays.toString(batch.target().toFloatArray()));
            }
            return all;
        }
    }

    @Test
    void everySampleMustHaveAClass() {
        float[] inputs = new float[2];
        assertThatThrownBy(() -> new Mixup(1, 3, 1, DType.F32)
                        .apply(
                                0.5,
                                2,
                                MemorySegment.ofArray(inputs),
                                new int[] {2, -1},
                                MemorySegment.ofArray(new float[6])))
                .isInstanceOf(RecordException.class)
                .hasMessageContaining("class=-1, classes=3");
    }
}
