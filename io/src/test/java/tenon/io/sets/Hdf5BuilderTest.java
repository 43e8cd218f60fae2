package tenon.io.sets;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.jhdf.HdfFile;
import io.jhdf.WritableHdfFile;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import tenon.io.build.BuildException;
import tenon.io.build.BuildSettings;
import tenon.io.record.RecordReader;

class Hdf5BuilderTest {
    @TempDir
    private Path folder;

    private Path hdf5(Map<String, Object> dataSets) {
        Path file = folder.resolve("train.hdf5");
        try (WritableHdfFile out = HdfFile.write(file)) {
            new TreeMap<>(dataSets).forEach(out::putDataset);
        }
        return file;
    }

    private RecordReader built(Hdf5Builder builder) {
        builder.build(BuildSettings.into(folder.resolve("out")));
        return RecordReader.open(folder.resolve("out/train.trec"));
    }

    /** The layout of the tutorials' writer: float64 images, int64 labels. Value = 100·n + 10·row + column. */
    @Test
    void greyImagesOfDoubles() {
        double[][][] images = new double[2][2][3];
        for (int i = 0; i < 12; i++) {
            images[i / 6][i / 3 % 2][i % 3] = 100 * (i / 6) + 10 * (i / 3 % 2) + i % 3;
        }
        Path file = hdf5(Map.of("images", images, "labels", new long[] {1, 0}));
        try (RecordReader reader = built(new Hdf5Builder(file))) {
            assertThat(List.of(
                            reader.schema().height(),
                            reader.schema().width(),
                            reader.schema().channels()))
                    .containsExactly(2, 3, 1);
            assertThat(reader.schema().classNames()).containsExactly("0", "1");
            assertThat(reader.read(0).image()).containsExactly(0, 1, 2, 10, 11, 12);
            assertThat(reader.read(1).image()).containsExactly(100, 101, 102, 110, 111, 112);
            assertThat(List.of(reader.classIndex(0), reader.classIndex(1))).containsExactly(1, 0);
        }
    }

    @Test
    void colourImagesWithNamesAndBlueFirst() {
        int[][][][] images = {{{{1, 2, 3}, {4, 5, 6}}}, {{{7, 8, 255}, {0, 0, 9}}}};
        Path file =
                hdf5(Map.of("images", images, "labels", new int[] {0, 1}, "label_names", new String[] {"cat", "dog"}));
        try (RecordReader reader = built(new Hdf5Builder(file))) {
            assertThat(reader.schema().classNames()).containsExactly("cat", "dog");
            assertThat(reader.read(1).image()).containsExactly(7, 8, 255, 0, 0, 9);
        }
        try (RecordReader reader = built(new Hdf5Builder(file).bgr(true).classes(List.of("a", "b", "c")))) {
            assertThat(reader.schema().classNames()).containsExactly("a", "b", "c");
            assertThat(reader.read(0).image()).containsExactly(3, 2, 1, 6, 5, 4);
        }
    }

    @Test
    void dataSetsMayHaveOtherNamesAndTypes() {
        float[][][] images = {{{3}}, {{4}}, {{5}}};
        Path file = hdf5(Map.of("x", images, "y", new double[] {2, 1, 0}));
        try (RecordReader reader = built(new Hdf5Builder(file).images("x").labels("/y"))) {
            assertThat(IntStream.range(0, 3).map(i -> reader.read(i).image()[0]))
                    .containsExactly(3, 4, 5);
            assertThat(reader.classIndex(0)).isEqualTo(2);
        }
    }

    @Test
    void otherContentsAreRefused() {
        int[][][] images = {{{1, 2}}, {{3, 256}}};
        assertRefused(Map.of("labels", new int[] {0}), "there is no data set 'images' in it: found=[labels]");
        assertRefused(Map.of("images", images), "there is no data set 'labels' in it: found=[images]");
        assertRefused(
                Map.of("images", images, "labels", new int[] {0}),
                "'labels' must have one number per image: images=2, shape of 'labels'=[1]");
        assertRefused(
                Map.of("images", images, "labels", new int[] {0, -1}),
                "label 1 must be a whole number of at least 0: given=-1.0");
        assertRefused(
                Map.of("images", images, "labels", new double[] {0, 0.5}),
                "label 1 must be a whole number of at least 0: given=0.5");
        assertRefused(
                Map.of("images", images, "labels", new int[] {0, 0}),
                "image 1: values must be whole numbers from 0 to 255: value 1 is 256.0");
        assertRefused(
                Map.of("images", new int[2][2], "labels", new int[] {0, 0}),
                "'images' must have the shape [N, H, W] or [N, H, W, C] with C = 1 or 3: shape=[2, 2]");
        assertRefused(
                Map.of("images", new int[2][3][4][5], "labels", new int[] {0, 0}),
                "with C = 1 or 3: shape=[2, 3, 4, 5]");
        assertRefused(
                Map.of("images", images, "labels", new int[] {0, 2}, "label_names", new String[] {"cat", "dog"}),
                "labels must lie in [0, 2), the number of class names: largest=2");
    }

    private void assertRefused(Map<String, Object> dataSets, String message) {
        Path file = hdf5(dataSets);
        assertThatThrownBy(() -> new Hdf5Builder(file).build(BuildSettings.into(folder.resolve("none"))))
                .isInstanceOf(BuildException.class)
                .hasMessageStartingWith("hdf5 file " + file + ": ")
                .hasMessageContaining(message);
        assertThat(folder.resolve("none/train.trec")).doesNotExist();
    }

    @Test
    void damagedFilesAreErrors() throws IOException {
        assertThatThrownBy(() -> new Hdf5Builder(folder.resolve("no.hdf5")).build(BuildSettings.into(folder)))
                .hasMessageEndingWith("no.hdf5: there is no such file");
        int[][][] images = new int[4][3][2];
        for (int i = 0; i < 4; i++) {
            images[i][0][1] = i;
            images[i][2][1] = 7;
        }
        byte[] whole = Files.readAllBytes(hdf5(Map.of("images", images, "labels", new int[] {0, 1, 2, 3})));
        Path text = Files.write(folder.resolve("text.hdf5"), new byte[3000]);
        assertThatThrownBy(() -> new Hdf5Builder(text).build(BuildSettings.into(folder.resolve("none"))))
                .isInstanceOf(BuildException.class)
                .hasMessage("hdf5 file " + text + ": this is no HDF5 file, or only the beginning of one: bytes=3000");
        for (int length = 0; length < whole.length; length++) {
            Path cut = Files.write(folder.resolve("cut.hdf5"), Arrays.copyOf(whole, length));
            assertThatThrownBy(() -> new Hdf5Builder(cut).build(BuildSettings.into(folder.resolve("none"))))
                    .as("%d bytes", length)
                    .isInstanceOf(BuildException.class)
                    .hasMessageStartingWith("hdf5 file " + cut + ": ");
        }
    }
}
