package tenon.io.record;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import tenon.engine.DTypeException;
import tenon.engine.Scope;
import tenon.engine.backend.Backend;
import tenon.engine.backend.cpu.CpuBackend;
import tenon.io.data.RecordBatchSource;

class FeatureTableTest {
    private static final List<String> CLASSES = List.of("cat", "dog");

    @TempDir
    private Path folder;

    private Path write(int rows, int width) {
        Path file = folder.resolve("features.trec");
        try (RecordWriter writer = RecordWriter.create(file, RecordSchema.features("train", width, CLASSES))) {
            for (int i = 0; i < rows; i++) {
                float[] row = new float[width];
                for (int j = 0; j < width; j++) {
                    row[j] = value(i, j);
                }
                writer.add(row, Label.ofClass(i % 2), "row" + i, "");
            }
            writer.commit();
        }
        return file;
    }

    private static float value(int row, int column) {
        return (row - 3) * 0.1f + column * 1e-3f;
    }

    @Test
    void rowsComeBackBitForBitInOrder() {
        FeatureTable table = FeatureTable.read(List.of(write(2500, 33)));
        assertThat(table.rows()).isEqualTo(2500);
        assertThat(table.width()).isEqualTo(33);
        assertThat(table.classNames()).isEqualTo(CLASSES);
        for (int i = 0; i < 2500; i++) {
            assertThat(table.labels()[i]).isEqualTo(i % 2);
            for (int j = 0; j < 33; j++) {
                assertThat(table.values()[i * 33 + j]).isEqualTo(value(i, j));
            }
        }
        FeatureTable some = table.select(new int[] {7, 2});
        assertThat(some.labels()).containsExactly(1, 0);
        assertThat(some.values()[0]).isEqualTo(value(7, 0));
        assertThat(some.values()[33 + 32]).isEqualTo(value(2, 32));
    }

    /** 8-byte numbers in the original: 25,000 · (2048 + 1) · 8; here features take half of that. */
    @Test
    void aRowTakesFourBytesAFeature() throws Exception {
        Path file = write(100, 2048);
        assertThat(RecordSchema.features("x", 2048, CLASSES).rawImageBytes()).isEqualTo(8192);
        assertThat(Files.size(file)).isBetween(100 * 8192L, 100 * 8192L + 16_384);
    }

    @Test
    void aRowOfAnotherWidthIsRefused() {
        try (RecordWriter writer =
                RecordWriter.create(folder.resolve("x.trec"), RecordSchema.features("train", 4, CLASSES))) {
            assertThatThrownBy(() -> writer.add(new float[3], Label.ofClass(0), "a", ""))
                    .isInstanceOf(RecordException.class)
                    .hasMessageContaining("wanted=16, given=12");
        }
        try (RecordWriter writer =
                RecordWriter.create(folder.resolve("y.trec"), RecordSchema.rawClasses("train", 1, 4, 1, CLASSES))) {
            assertThatThrownBy(() -> writer.add(new float[4], Label.ofClass(0), "a", ""))
                    .isInstanceOf(RecordException.class)
                    .hasMessageContaining("raw-f32");
        }
    }

    @Test
    void picturesAreNoFeaturesAndFeaturesNoPictures() {
        Path features = write(3, 4);
        Path pictures = folder.resolve("pictures.trec");
        try (RecordWriter writer = RecordWriter.create(pictures, RecordSchema.rawClasses("train", 1, 4, 1, CLASSES))) {
            writer.add(new byte[4], Label.ofClass(0), "a", "");
            writer.commit();
        }
        assertThatThrownBy(() -> FeatureTable.read(List.of(pictures)))
                .isInstanceOf(RecordException.class)
                .hasMessageContaining("must hold raw-f32 rows");
        try (Backend backend = CpuBackend.open(1);
                Scope _ = Scope.open("test", backend)) {
            assertThatThrownBy(() -> RecordBatchSource.of(features).open())
                    .isInstanceOf(DTypeException.class)
                    .hasMessageContaining("holds features, not pictures");
        }
    }
}
