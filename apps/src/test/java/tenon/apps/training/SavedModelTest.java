package tenon.apps.training;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import tenon.engine.Scope;
import tenon.engine.TenonException;
import tenon.engine.Tensor;
import tenon.engine.backend.Backend;
import tenon.engine.backend.cpu.CpuBackend;
import tenon.io.data.Normalization;
import tenon.io.image.Image;
import tenon.optim.checkpoint.FileOps;
import tenon.optim.checkpoint.SafetensorsWriter;

class SavedModelTest {
    private static final NetworkSpec SPEC = new NetworkSpec(NetworkSpec.Kind.MINIVGG, 8, 12, 3, 3, 0.1);

    @TempDir
    private Path folder;

    @Test
    void predictsTheSameAfterLoadingBitForBit() throws IOException {
        Path file = folder.resolve("deep/net.model");
        byte[] pixels = new byte[20 * 10 * 3];
        for (int i = 0; i < pixels.length; i++) {
            pixels[i] = (byte) (i * 37);
        }
        Image picture = new Image(20, 10, 3, pixels);
        try (Backend backend = CpuBackend.open(1);
                Scope _ = Scope.open("model", backend)) {
            Classifier trained = new Classifier(
                    SPEC,
                    SPEC.build(),
                    new Normalization(new float[] {1, 2, 3}, new float[] {50, 60, 70}),
                    Augmentation.DOGS_CATS,
                    List.of("a", "b", "c"));
            float[] before = trained.probabilities(picture);
            assertThat(before[0] + before[1] + before[2]).isCloseTo(1f, within(1e-5f));
            SavedModel.write(file, trained);
            SavedModel.write(file, trained);

            Classifier loaded = SavedModel.read(file);
            assertThat(loaded.spec()).isEqualTo(SPEC);
            assertThat(loaded.augmentation()).isEqualTo(Augmentation.DOGS_CATS);
            assertThat(loaded.classNames()).containsExactly("a", "b", "c");
            assertThat(loaded.probabilities(picture)).isEqualTo(before);
            var guesses = loaded.guess(picture, 2);
            assertThat(guesses).hasSize(2);
            assertThat(guesses.get(0).probability())
                    .isGreaterThanOrEqualTo(guesses.get(1).probability());
        }
        assertThat(file.getParent().toFile().list()).containsExactly("net.model");
    }

    @Test
    void weightsWithoutTheirNetworkAreRefused() throws IOException {
        Path file = folder.resolve("bare.safetensors");
        try (Backend backend = CpuBackend.open(1);
                Scope _ = Scope.open("model", backend)) {
            SafetensorsWriter.write(FileOps.SYSTEM, file, Map.of("w", Tensor.of(new float[] {1}, 1)), Map.of());
            assertThatThrownBy(() -> SavedModel.read(file))
                    .isInstanceOf(TenonException.class)
                    .hasMessageContaining("holds weights but not the network they belong to");
        }
    }
}
