package tenon.apps.training;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.assertj.core.data.Offset;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import tenon.apps.cli.ImageSize;
import tenon.apps.cli.UsageException;
import tenon.engine.Rng;
import tenon.engine.backend.Backend;
import tenon.engine.backend.cpu.CpuBackend;
import tenon.engine.data.BatchIterator;
import tenon.io.augment.AugmenterChain;
import tenon.io.augment.CenterCrop;
import tenon.io.augment.Fill;
import tenon.io.augment.FloatImage;
import tenon.io.augment.HorizontalFlip;
import tenon.io.augment.MxnetAffine;
import tenon.io.augment.RandomAffine;
import tenon.io.augment.RandomCrop;
import tenon.io.augment.Squash;
import tenon.io.data.Normalization;
import tenon.io.data.RecordBatchSource;
import tenon.io.image.Image;
import tenon.io.record.Label;
import tenon.io.record.RecordSchema;
import tenon.io.record.RecordWriter;

class AugmentationTest {
    private static final int COUNT = 6;

    @TempDir
    private Path folder;

    private Backend backend;

    @BeforeEach
    void open() {
        backend = CpuBackend.open(1);
    }

    @AfterEach
    void close() {
        backend.close();
    }

    @ParameterizedTest
    @EnumSource(Augmentation.class)
    void everyPresetGivesItsInputFromPicturesOfAnyShape(Augmentation preset) {
        ImageSize input = preset.input();
        for (int[] size : new int[][] {{300, 240}, {100, 160}, {31, 90}}) {
            byte[] pixels = new byte[size[0] * size[1] * input.channels()];
            for (int i = 0; i < pixels.length; i++) {
                pixels[i] = (byte) (i * 31);
            }
            Image picture = new Image(size[0], size[1], input.channels(), pixels);
            FloatImage stored = FloatImage.of(preset.fit().store(picture, input.height(), input.width()));
            AugmenterChain training = new AugmenterChain(preset.training(input.height(), input.width()));
            for (int i = 0; i < 3; i++) {
                check(training.apply(stored, new Rng(1, 2, i)), input);
            }
            check(preset.view(picture, input.height(), input.width()), input);
        }
    }

    private static void check(FloatImage image, ImageSize input) {
        assertThat(List.of(image.height(), image.width(), image.channels()))
                .containsExactly(input.height(), input.width(), input.channels());
        for (int i = 0; i < image.size(); i++) {
            if (!(image.values()[i] >= 0 && image.values()[i] <= 255)) {
                throw new AssertionError("value " + i + ": " + image.values()[i]);
            }
        }
    }

    /** The case studies' settings, written down a second time. */
    @Test
    void presetsAreWhatTheCaseStudiesUsed() {
        for (Augmentation imagenet : List.of(
                Augmentation.ALEXNET,
                Augmentation.VGG,
                Augmentation.GOOGLENET,
                Augmentation.RESNET,
                Augmentation.SQUEEZENET)) {
            assertThat(imagenet.training(224, 224))
                    .containsExactly(
                            new MxnetAffine(0, 15, 0.1, Fill.constant(255)),
                            new RandomCrop(224, 224, 0),
                            new HorizontalFlip(0.5));
            assertThat(imagenet.evaluation(224, 224)).containsExactly(new CenterCrop(224, 224));
            assertThat(imagenet.scaling()).isEqualTo(Scaling.MEAN);
        }
        assertThat(Augmentation.IMAGENET_FIXED.training(224, 224).getFirst())
                .isEqualTo(new MxnetAffine(15, 0, 0.1, Fill.constant(255)));
        assertThat(Augmentation.VEHICLES.training(224, 224)).isEqualTo(Augmentation.VGG.training(224, 224));
        assertThat(Augmentation.VEHICLES.scaling()).isEqualTo(Scaling.VGG_MEAN);
        assertThat(Augmentation.AGE_GENDER.training(227, 227))
                .containsExactly(
                        new MxnetAffine(0, 7, 0, Fill.constant(255)),
                        new RandomCrop(227, 227, 0),
                        new HorizontalFlip(0.5));
        assertThat(Augmentation.AFFINE.training(64, 64))
                .containsExactly(new RandomAffine(30, 0.1, 0.1, 0.2, 0.2, 0.5, Fill.NEAREST));
        assertThat(Augmentation.AFFINE.evaluation(64, 64)).isEmpty();
        assertThat(Augmentation.AFFINE.scaling()).isEqualTo(Scaling.UNIT);
        assertThat(Augmentation.EMOTION.training(48, 48))
                .containsExactly(new RandomAffine(10, 0, 0, 0, 0.1, 0.5, Fill.NEAREST));
        assertThat(Augmentation.EMOTION.scaling()).isEqualTo(Scaling.UNIT);
        assertThat(Augmentation.DOGS_CATS.training(227, 227))
                .containsExactly(
                        new RandomCrop(227, 227, 0), new RandomAffine(20, 0.2, 0.2, 0.15, 0.15, 0.5, Fill.NEAREST));
        assertThat(Augmentation.DOGS_CATS.evaluation(227, 227)).containsExactly(new Squash(227, 227));
        for (Augmentation plain : List.of(
                Augmentation.NONE,
                Augmentation.ORIENTATION,
                Augmentation.MOBILENET,
                Augmentation.CIFAR,
                Augmentation.DOGS_CATS_FEATURES)) {
            assertThat(plain.training(224, 224)).isEmpty();
            assertThat(plain.evaluation(224, 224)).isEmpty();
        }
    }

    @Test
    void picturesAreStoredWithAShorterSideOf256() {
        Image landscape = new Image(500, 375, 1, new byte[500 * 375]);
        for (int input : List.of(224, 227)) {
            Image stored = Augmentation.ALEXNET.fit().store(landscape, input, input);
            assertThat(List.of(stored.width(), stored.height())).containsExactly(341, 256);
            stored = Augmentation.DOGS_CATS.fit().store(landscape, input, input);
            assertThat(List.of(stored.width(), stored.height())).containsExactly(256, 256);
        }
    }

    @Test
    void scalingsGiveTheKnownNumbers() {
        RecordSchema plain = RecordSchema.rawClasses("train", 2, 2, 3, List.of("a"));
        RecordSchema known = plain.withChannelStatistics(List.of(120.0, 110.0, 100.0), List.of(60.0, 61.0, 62.0), 0);
        assertThat(Scaling.SYMMETRIC.normalization(plain).means()).containsExactly(127.5f);
        assertThat(Scaling.SYMMETRIC.normalization(plain).stds()).containsExactly(127.5f);
        assertThat(Scaling.VGG_MEAN.normalization(plain).means()).containsExactly(123.68f, 116.779f, 103.939f);
        assertThat(Scaling.VGG_MEAN.normalization(plain).stds()).containsExactly(1, 1, 1);
        assertThat(Scaling.MEAN.normalization(known).means()).containsExactly(120, 110, 100);
        assertThat(Scaling.MEAN.normalization(known).stds()).containsExactly(1, 1, 1);
        assertThat(Scaling.STANDARDIZE.normalization(known).stds()).containsExactly(60, 61, 62);
        assertThat(Scaling.IMAGENET.normalization(plain).means()[0]).isCloseTo(123.675f, Offset.offset(1e-3f));
        assertThat(Scaling.IMAGENET.normalization(plain).stds()[0]).isCloseTo(58.395f, Offset.offset(1e-3f));
        // A vehicle's pixel (124, 117, 104), and MobileNet's black, middle and white.
        float[] means = Augmentation.VEHICLES.scaling().normalization(plain).means();
        assertThat(new float[] {124 - means[0], 117 - means[1], 104 - means[2]})
                .containsExactly(new float[] {0.32f, 0.221f, 0.061f}, Offset.offset(1e-4f));
        Normalization symmetric = Augmentation.MOBILENET.scaling().normalization(plain);
        for (float value : new float[] {-1, 0, 1}) {
            assertThat((127.5f * (1 + value) - symmetric.means()[0]) / symmetric.stds()[0])
                    .isEqualTo(value);
        }
        assertThatThrownBy(() -> Scaling.MEAN.normalization(plain))
                .isInstanceOf(UsageException.class)
                .hasMessageContaining("split 'train'");
    }

    /** Pixel (x, y) is (x mod 200, y mod 200, 50). */
    private Path records() {
        Path file = folder.resolve("train.trec");
        byte[] pixels = new byte[256 * 341 * 3];
        for (int y = 0; y < 256; y++) {
            for (int x = 0; x < 341; x++) {
                int i = (y * 341 + x) * 3;
                pixels[i] = (byte) (x % 200);
                pixels[i + 1] = (byte) (y % 200);
                pixels[i + 2] = 50;
            }
        }
        try (RecordWriter writer =
                RecordWriter.create(file, RecordSchema.rawClasses("train", 256, 341, 3, List.of("a", "b")))) {
            for (int i = 0; i < COUNT; i++) {
                writer.add(pixels, Label.ofClass(i % 2), "key" + i, "source" + i);
            }
            writer.commit();
        }
        return file;
    }

    private RecordBatchSource.Builder source(Path file) {
        return RecordBatchSource.of(file)
                .backend(backend)
                .batchSize(COUNT)
                .normalize(new Normalization(new float[] {120, 110, 100}, new float[] {1, 1, 1}));
    }

    private static float[] pass(RecordBatchSource source, int epoch) {
        try (BatchIterator batches = source.iterate(epoch, 0)) {
            return batches.next().input().toFloatArray();
        }
    }

    @Test
    void evaluationSeesTheCentreMinusTheMeanInEveryPass() {
        try (RecordBatchSource source =
                Augmentation.ALEXNET.evaluate(source(records()), 227, 227).open()) {
            float[] first = pass(source, 0);
            assertThat(pass(source, 1)).isEqualTo(first);
            assertThat(Arrays.copyOf(first, 3)).containsExactly(57 - 120, 14 - 110, 50 - 100);
            int last = 227 * 227 * 3 - 3;
            assertThat(Arrays.copyOfRange(first, last, last + 3))
                    .containsExactly((57 + 226) % 200 - 120, (14 + 226) % 200 - 110, 50 - 100);
        }
    }

    @Test
    void trainingPassesDifferAndUncoveredCornersAreWhiteMinusTheMean() {
        Path file = records();
        for (Augmentation preset : List.of(Augmentation.ALEXNET, Augmentation.IMAGENET_FIXED)) {
            try (RecordBatchSource source = preset.train(source(file), 227, 227).open();
                    RecordBatchSource again =
                            preset.train(source(file), 227, 227).open()) {
                float[] first = pass(source, 0);
                assertThat(pass(source, 1)).isNotEqualTo(first);
                assertThat(pass(again, 0)).isEqualTo(first);
                float brightest = Float.NEGATIVE_INFINITY;
                for (int i = 2; i < first.length; i += 3) {
                    brightest = Math.max(brightest, first[i]);
                    assertThat(first[i]).isBetween(50f - 100, 255f - 100);
                }
                // Some of the six windows reach a corner of the turned picture.
                assertThat(brightest).isEqualTo(255 - 100);
            }
        }
    }

    @Test
    void halfOfTheTrainingSamplesAreMirrored() {
        // A picture that is dark on the left: mirrored samples are dark on the right.
        float[] values = new float[72 * 72];
        for (int i = 0; i < values.length; i++) {
            values[i] = i % 72 < 36 ? 20 : 200;
        }
        FloatImage picture = FloatImage.of(72, 72, 1, values);
        List<Integer> mirrored = new ArrayList<>();
        for (Augmentation preset :
                List.of(Augmentation.ALEXNET, Augmentation.AGE_GENDER, Augmentation.EMOTION, Augmentation.DOGS_CATS)) {
            AugmenterChain training = new AugmenterChain(preset.training(64, 64));
            int count = 0;
            for (int i = 0; i < 1000; i++) {
                FloatImage sample = training.apply(picture, new Rng(9, 1, i));
                count += sample.value(32, 12, 0) > sample.value(32, 52, 0) ? 1 : 0;
            }
            mirrored.add(count);
        }
        // Standard deviation of 1000 fair coins: 15.8.
        assertThat(mirrored).allSatisfy(count -> assertThat(count).isBetween(440, 560));
    }
}
