package tenon.apps.prediction;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.awt.image.BufferedImage;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Random;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import org.assertj.core.data.Offset;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import tenon.apps.TestModels;
import tenon.apps.cli.UsageException;
import tenon.apps.training.Augmentation;
import tenon.apps.training.NetworkSpec;
import tenon.apps.training.Prediction;
import tenon.apps.training.SavedModel;
import tenon.apps.training.Views;
import tenon.engine.ClosedException;
import tenon.engine.Scope;
import tenon.engine.TenonException;
import tenon.engine.backend.Backend;
import tenon.engine.backend.cpu.CpuBackend;
import tenon.io.image.Image;
import tenon.io.image.ImageCodec;
import tenon.io.image.ImageException;

@Timeout(120)
class PredictorTest {
    private static final List<String> CLASSES = List.of("a", "b", "c", "d", "e", "f", "g");
    private static final int THREADS = 16;

    @TempDir
    private Path folder;

    private Path model(NetworkSpec.Kind kind, int side) throws IOException {
        Path model = folder.resolve(kind + ".model");
        TestModels.write(model, kind, side, Augmentation.ALEXNET, CLASSES);
        return model;
    }

    private static List<Image> pictures(int count) {
        List<Image> pictures = new ArrayList<>();
        Random random = new Random(8);
        for (int i = 0; i < count; i++) {
            byte[] pixels = new byte[40 * (30 + i) * 3];
            random.nextBytes(pixels);
            pictures.add(new Image(40, 30 + i, 3, pixels));
        }
        return pictures;
    }

    /** Networks with Winograd's convolutions, depthwise ones, sums and dense layers. */
    @ParameterizedTest
    @CsvSource({"MINIVGG, 16, 1", "MINIVGG, 16, 5", "RESNET18, 32, 3", "MOBILENET_V2, 32, 4", "SMALLVGG, 24, 8"})
    void manyThreadsGetToTheLastBitWhatOneGets(NetworkSpec.Kind kind, int side, int batch) throws Exception {
        List<Image> pictures = pictures(24);
        PredictorOptions options = PredictorOptions.DEFAULT.withBatch(batch).withTop(7);
        Path model = model(kind, side);
        List<List<Prediction>> alone = new ArrayList<>();
        try (Predictor predictor = Predictor.open(model, options)) {
            for (Image picture : pictures) {
                alone.add(predictor.predict(picture));
            }
            assertThat(alone.stream().distinct().count()).isEqualTo(pictures.size());
            try (ExecutorService threads = Executors.newFixedThreadPool(THREADS)) {
                for (int round = 0; round < 3; round++) {
                    List<Integer> order = new ArrayList<>();
                    for (int i = 0; i < pictures.size(); i++) {
                        order.add(i);
                    }
                    Collections.shuffle(order, new Random(round));
                    List<Future<List<Prediction>>> answers = new ArrayList<>();
                    for (int i : order) {
                        answers.add(threads.submit(() -> predictor.predict(pictures.get(i))));
                    }
                    for (int k = 0; k < order.size(); k++) {
                        assertThat(answers.get(k).get()).isEqualTo(alone.get(order.get(k)));
                    }
                }
            }
        }
        try (Backend backend = CpuBackend.open(2);
                Scope _ = Scope.open("model", backend)) {
            float[] expected = SavedModel.read(model).probabilities(pictures.get(5));
            for (Prediction prediction : alone.get(5)) {
                assertThat(prediction.name()).isEqualTo(CLASSES.get(prediction.classIndex()));
                assertThat(prediction.probability()).isCloseTo(expected[prediction.classIndex()], Offset.offset(1e-3));
            }
        }
    }

    @Test
    void filesBytesAndPicturesInMemoryAreAlike() throws IOException {
        Image image = pictures(1).getFirst();
        Path file = folder.resolve("picture.png");
        byte[] bytes = ImageCodec.encodePng(image);
        Files.write(file, bytes);
        BufferedImage converted = new BufferedImage(image.width(), image.height(), BufferedImage.TYPE_INT_ARGB);
        converted.createGraphics().drawImage(ImageCodec.toBufferedImage(image), 0, 0, null);
        try (Predictor predictor = Predictor.open(model(NetworkSpec.Kind.SMALLVGG, 12))) {
            List<Prediction> expected = predictor.predict(image);
            assertThat(expected).hasSize(5);
            assertThat(expected).isSortedAccordingTo((a, b) -> Double.compare(b.probability(), a.probability()));
            assertThat(predictor.classNames()).isEqualTo(CLASSES);
            assertThat(predictor.predict(file)).isEqualTo(expected);
            assertThat(predictor.predict(bytes)).isEqualTo(expected);
            assertThat(predictor.predict(ImageCodec.toBufferedImage(image))).isEqualTo(expected);
            assertThat(predictor.predict(converted)).isEqualTo(expected);
            assertThatThrownBy(() -> predictor.predict(new byte[] {1, 2, 3}))
                    .isInstanceOf(ImageException.class)
                    .hasMessageContaining("image of 3 bytes");
            assertThat(predictor.predict(file)).isEqualTo(expected);
        }
    }

    @Test
    void closingWhileOthersCallRefusesOrFinishes() throws Exception {
        Image picture = pictures(1).getFirst();
        Path model = model(NetworkSpec.Kind.SMALLVGG, 12);
        Predictor predictor = Predictor.open(model, PredictorOptions.DEFAULT.withBatch(2));
        List<Prediction> expected = predictor.predict(picture);
        int answered = 0;
        try (ExecutorService threads = Executors.newFixedThreadPool(THREADS)) {
            List<Future<List<Prediction>>> answers = new ArrayList<>();
            for (int i = 0; i < 200; i++) {
                answers.add(threads.submit(() -> predictor.predict(picture)));
            }
            answers.get(20).get();
            predictor.close();
            for (Future<List<Prediction>> answer : answers) {
                try {
                    assertThat(answer.get()).isEqualTo(expected);
                    answered++;
                } catch (ExecutionException e) {
                    assertThat(e.getCause())
                            .isInstanceOf(ClosedException.class)
                            .hasMessage("predictor of " + model + ": used after it was closed");
                }
            }
        }
        assertThat(answered).isBetween(21, 200);
        predictor.close();
        assertThatThrownBy(() -> predictor.predict(picture)).isInstanceOf(ClosedException.class);
    }

    @Test
    void whatIsNoModelIsRefused() throws IOException {
        Path none = folder.resolve("none.model");
        Files.writeString(none, "no model");
        assertThatThrownBy(() -> Predictor.open(none)).isInstanceOf(TenonException.class);
        Path squashing = folder.resolve("squashing.model");
        TestModels.write(squashing, NetworkSpec.Kind.SMALLVGG, 12, Augmentation.NONE, CLASSES);
        assertThatThrownBy(() -> Predictor.open(squashing, PredictorOptions.DEFAULT.withViews(new Views(10, null))))
                .isInstanceOf(UsageException.class)
                .hasMessageContaining("--resize N");
        assertThatThrownBy(() -> PredictorOptions.DEFAULT.withBatch(0)).isInstanceOf(UsageException.class);
        assertThatThrownBy(() -> PredictorOptions.DEFAULT.withTop(0)).isInstanceOf(UsageException.class);
    }
}
