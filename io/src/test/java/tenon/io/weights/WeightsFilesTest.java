package tenon.io.weights;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.junit.jupiter.api.Assertions.assertTimeoutPreemptively;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Arrays;
import java.util.function.Consumer;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/**
 * The inputs that the fuzz targets start from, which NumPy 2.4 and h5py 3.16 wrote (MXNet's after its source, ndarray.cc), and what is left of them when
 * bytes are cut off or changed.
 */
class WeightsFilesTest {
    private static final Path MXNET = Path.of("src/test/fuzz/tenon.io.weights.MxnetParamsFuzz");
    private static final Path NPZ = Path.of("src/test/fuzz/tenon.io.weights.NpzFileFuzz");
    private static final Path KERAS = Path.of("src/test/fuzz/tenon.io.weights.KerasWeightsFuzz");

    @TempDir
    private Path folder;

    // ---- MXNet ----

    @ParameterizedTest
    @CsvSource({"v0", "v1", "v2"})
    void readsAllFormsOfMxnetsArrays(String version) {
        try (MxnetParams file = MxnetParams.open(MXNET.resolve(version + ".params"))) {
            assertThat(file.arrays().get("fc1_weight").shape()).containsExactly(2, 3);
            assertThat(file.read("fc1_weight")).containsExactly(1, 2, 3, 4, 5, 6.5f);
        }
    }

    @Test
    void readsMxnetsTypes() {
        try (MxnetParams file = MxnetParams.open(MXNET.resolve("v2.params"))) {
            assertThat(file.arrays().keySet()).containsExactly("fc1_weight", "double", "bn_moving_mean", "count");
            assertThat(file.arrays().get("bn_moving_mean")).hasToString("F16[2, 3]");
            assertThat(file.read("bn_moving_mean")).containsExactly(1, 2, 3, 4, 5, 6.5f);
            assertThat(file.read("double")).containsExactly(1, 2, 3, 4, 5, 6.5f);
            assertThat(file.read("count")).containsExactly(7);
            assertThatThrownBy(() -> file.read("arg:count"))
                    .isInstanceOf(WeightsException.class)
                    .hasMessageContaining("there is no array 'arg:count': it holds [fc1_weight, double");
        }
        try (MxnetParams file = MxnetParams.open(MXNET.resolve("v3.params"))) {
            assertThat(file.arrays().get("scale").shape()).isEmpty();
            assertThat(file.read("scale")).containsExactly(2.5f);
        }
    }

    @Test
    void saysWhatIsWrongWithMxnetsFiles() throws IOException {
        assertMxnet(
                MXNET.resolve("list.params"), "must have a name for each array: arrays=1, names=0 (save a dictionary");
        assertMxnet(MXNET.resolve("sparse.params"), "array 0 must be dense: storage type=1");
        assertMxnet(folder.resolve("none.params"), "there is no such file");
        byte[] whole = Files.readAllBytes(MXNET.resolve("v1.params"));
        assertMxnet(changed(whole, b -> b.putLong(0, 0x111)), "this is no list of arrays");
        assertMxnet(changed(whole, b -> b.putLong(16, Long.MAX_VALUE)), "has no room for so many arrays");
        assertMxnet(
                changed(whole, b -> b.putInt(28, -1)), "array 0 has no room for so many dimensions: rank=4294967295");
        assertMxnet(changed(whole, b -> b.putLong(32, 1L << 40)), "must have dimensions from 0 to 2^31 - 1");
        assertMxnet(changed(whole, b -> b.putLong(32, 1 << 30)), "must have less than 2^31 elements");
        assertMxnet(changed(whole, b -> b.putLong(32, 1 << 20)), "ends inside array 0: wanted=12582912 bytes");
        assertMxnet(changed(whole, b -> b.putInt(56, 9)), "array 0 has an unknown element type: type=9");
        assertMxnet(
                Files.write(folder.resolve("long.params"), Arrays.copyOf(whole, whole.length + 1)),
                "must end with the last name");
    }

    private Path changed(byte[] whole, Consumer<ByteBuffer> change) throws IOException {
        byte[] bytes = whole.clone();
        change.accept(ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN));
        return Files.write(folder.resolve("changed.bin"), bytes);
    }

    private static void assertMxnet(Path file, String message) {
        assertThatThrownBy(() -> MxnetParams.open(file))
                .isInstanceOf(WeightsException.class)
                .hasMessageStartingWith("mxnet weights " + file + ": ")
                .hasMessageContaining(message);
    }

    // ---- NumPy ----

    @Test
    void readsNumpysArchives() {
        float[] quarters = {0, 0.25f, 0.5f, 0.75f, 1, 1.25f};
        try (NpzFile file = NpzFile.open(NPZ.resolve("numpy.npz"))) {
            assertThat(file.arrays().values())
                    .extracting(array -> array.name() + " " + array)
                    .containsExactly(
                            "fc.weight F32[2, 3]",
                            "half F16[2, 3]",
                            "double F64[2, 3]",
                            "big F32[2, 3]",
                            "columns F32[2, 3, 4]",
                            "count I64[]",
                            "bytes U8[2]",
                            "empty F32[0, 3]",
                            "layer/kernel:0 F32[1]");
            for (String name : new String[] {"fc.weight", "half", "double", "big"}) {
                assertThat(file.read(name)).as(name).containsExactly(quarters);
            }
            assertThat(file.read("count")).containsExactly(7);
            assertThat(file.read("bytes")).containsExactly(1, 255);
            assertThat(file.read("empty")).isEmpty();
            assertRamp(file.read("columns"));
        }
        try (NpzFile file = NpzFile.open(NPZ.resolve("numpy-compressed.npz"))) {
            assertThat(file.read("fc.weight")).containsExactly(quarters);
            assertRamp(file.read("columns"));
        }
    }

    private static void assertRamp(float[] values) {
        assertThat(values).hasSize(24);
        for (int i = 0; i < values.length; i++) {
            assertThat(values[i]).isEqualTo(i);
        }
    }

    @Test
    void saysWhatIsWrongWithArchives() {
        assertNpz(NPZ.resolve("text.npz"), "'name.npy' has elements of a type that weights cannot have: descr='<U1'");
        assertNpz(NPZ.resolve("no-zip.bin"), "this is no ZIP archive, or a damaged one");
        assertNpz(folder.resolve("none.npz"), "there is no such file");
    }

    private static void assertNpz(Path file, String message) {
        assertThatThrownBy(() -> NpzFile.open(file))
                .isInstanceOf(WeightsException.class)
                .hasMessageStartingWith("npz weights " + file + ": ")
                .hasMessageContaining(message);
    }

    // ---- Keras ----

    @ParameterizedTest
    @CsvSource({"weights.h5", "model.h5"})
    void readsWeightsAndModels(String name) {
        try (KerasWeights file = KerasWeights.open(KERAS.resolve(name))) {
            assertThat(file.arrays().values())
                    .extracting(array -> array.name() + " " + array)
                    .containsExactly(
                            "conv1/kernel F32[2, 2, 1, 2]",
                            "conv1/bias F32[2]",
                            "bn/gamma F32[2]",
                            "bn/beta F32[2]",
                            "bn/moving_mean F32[2]",
                            "bn/moving_variance F32[2]",
                            "dense/kernel F64[2, 3]",
                            "dense/bias F64[3]");
            assertThat(file.read("conv1/kernel")).containsExactly(0, 1, 2, 3, 4, 5, 6, 7);
            assertThat(file.read("bn/moving_mean")).containsExactly(3, 4);
            assertThat(file.read("dense/kernel")).containsExactly(0, 1, 2, 3, 4, 5);
        }
    }

    /** A model of Keras 3.15 saved as {@code x.h5}, its weights numbered through. */
    @Test
    void readsModelsThatKeras3SavedInTheOldLayout() {
        try (KerasWeights file = KerasWeights.open(KERAS.resolve("keras-3-model.h5"))) {
            assertThat(file.arrays().values())
                    .extracting(array -> array.name() + " " + array)
                    .containsExactly(
                            "conv2d/kernel F32[3, 3, 2, 3]",
                            "conv2d/bias F32[3]",
                            "depthwise_conv2d/kernel F32[2, 2, 3, 1]",
                            "depthwise_conv2d/bias F32[3]",
                            "dense/kernel F32[3, 2]",
                            "dense/bias F32[2]");
            assertThat(file.read("depthwise_conv2d/kernel"))
                    .containsExactly(57, 58, 59, 60, 61, 62, 63, 64, 65, 66, 67, 68);
        }
    }

    @Test
    void readsOldNamesModelsInModelsAndPackedWeights() {
        try (KerasWeights file = KerasWeights.open(KERAS.resolve("old.h5"))) {
            assertThat(file.arrays().keySet())
                    .containsExactly("block1_conv1/kernel", "block1_conv1/bias", "a/kernel", "b/kernel");
            assertThat(file.read("b/kernel")).containsExactly(2, 2);
        }
        try (KerasWeights file = KerasWeights.open(KERAS.resolve("packed.h5"))) {
            assertThat(file.arrays().keySet()).containsExactly("a/kernel", "b/kernel");
            assertThat(file.read("b/kernel")).containsOnly(2).hasSize(16);
        }
    }

    @Test
    void saysWhatIsWrongWithKerassFiles() {
        assertKeras(
                "keras3.h5", "has no attribute 'layer_names': this is Keras 3's layout (save the model as Keras 2 did");
        assertKeras("external.h5", "layer 'a' is listed and not there");
        assertThatThrownBy(() -> KerasWeights.open(folder.resolve("none.h5"))).hasMessageContaining("no such file");
    }

    private static void assertKeras(String name, String message) {
        Path file = KERAS.resolve(name);
        assertThatThrownBy(() -> KerasWeights.open(file))
                .isInstanceOf(WeightsException.class)
                .hasMessageStartingWith("keras weights " + file + ": ")
                .hasMessageContaining(message);
    }

    // ---- damage ----

    @ParameterizedTest
    @CsvSource({"v0", "v1", "v2", "v3"})
    void cutOrChangedMxnetFilesAreErrorsOrOtherNumbers(String version) throws IOException {
        byte[] whole = Files.readAllBytes(MXNET.resolve(version + ".params"));
        assertCutsFail(
                whole,
                MxnetParamsFuzz::fuzzerTestOneInput,
                path -> MxnetParams.open(path).close());
        flipBits(whole, 3, MxnetParamsFuzz::fuzzerTestOneInput);
    }

    @ParameterizedTest
    @CsvSource({"numpy.npz", "numpy-compressed.npz"})
    void cutOrChangedArchivesAreErrorsOrOtherNumbers(String name) throws IOException {
        byte[] whole = Files.readAllBytes(NPZ.resolve(name));
        assertCutsFail(
                whole,
                NpzFileFuzz::fuzzerTestOneInput,
                path -> NpzFile.open(path).close());
        flipBits(whole, 5, NpzFileFuzz::fuzzerTestOneInput);
    }

    @Test
    void changedElementsOfArchivesAreNoticed() throws IOException {
        byte[] whole = Files.readAllBytes(NPZ.resolve("numpy.npz"));
        // Behind the local header and NumPy's header of 128 bytes.
        whole[30 + "fc.weight.npy".length() + 20 + 128 + 5] ^= 4;
        Path file = Files.write(folder.resolve("changed.npz"), whole);
        try (NpzFile changed = NpzFile.open(file)) {
            assertThatThrownBy(() -> changed.read("fc.weight"))
                    .isInstanceOf(WeightsException.class)
                    .hasMessageContaining("'fc.weight.npy' is damaged: its checksum is wrong");
        }
    }

    @ParameterizedTest
    @CsvSource({"weights.h5, 67", "model.h5, 31", "packed.h5, 67"})
    void cutOrChangedKerasFilesAreErrorsOrOtherNumbers(String name, int step) throws IOException {
        byte[] whole = Files.readAllBytes(KERAS.resolve(name));
        for (int length = 0; length < whole.length; length += 499) {
            Path cut = Files.write(folder.resolve("cut.h5"), Arrays.copyOf(whole, length));
            assertThatThrownBy(() -> KerasWeights.open(cut))
                    .as("%d bytes", length)
                    .isInstanceOf(WeightsException.class);
        }
        flipBits(whole, step, KerasWeightsFuzz::fuzzerTestOneInput);
    }

    private void assertCutsFail(byte[] whole, Consumer<byte[]> fuzz, Consumer<Path> open) throws IOException {
        for (int length = 0; length < whole.length; length++) {
            byte[] bytes = Arrays.copyOf(whole, length);
            fuzz.accept(bytes);
            Path cut = Files.write(folder.resolve("cut.bin"), bytes);
            assertThatThrownBy(() -> open.accept(cut)).as("%d bytes", length).isInstanceOf(WeightsException.class);
        }
    }

    /** @param step bytes from one that is changed to the next */
    private static void flipBits(byte[] whole, int step, Consumer<byte[]> fuzz) {
        for (int i = 0; i < whole.length; i += step) {
            for (int bit : new int[] {1, 0x80, 0xFF}) {
                byte[] bytes = whole.clone();
                bytes[i] ^= (byte) bit;
                int at = i;
                assertTimeoutPreemptively(
                        Duration.ofSeconds(20), () -> fuzz.accept(bytes), () -> "byte " + at + " ^ " + bit);
            }
        }
    }
}
