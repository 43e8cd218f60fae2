package tenon.io.data;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import com.sun.management.ThreadMXBean;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.lang.management.ManagementFactory;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;
import tenon.engine.DType;
import tenon.engine.Rng;
import tenon.engine.Shape;
import tenon.io.augment.Augmenter;
import tenon.io.augment.CenterCrop;
import tenon.io.augment.FloatImage;
import tenon.io.augment.HorizontalFlip;
import tenon.io.augment.RandomCrop;
import tenon.io.image.Image;
import tenon.io.image.ImageCodec;
import tenon.io.jpeg.JpegLibrary;
import tenon.io.jpeg.JpegPictures;
import tenon.io.record.Label;
import tenon.io.record.RecordException;
import tenon.io.record.RecordSchema;
import tenon.io.record.RecordWriter;
import tenon.io.record.Records;

/** Crops, mirroring, normalization and cast in one pass, against the same chain step by step. */
class FusedDecodingTest {
    private static final int COUNT = 24;
    private static final List<String> CLASSES = List.of("a", "b");

    @TempDir
    Path folder;

    /** An augmenter that the loader does not recognise. */
    private record Hidden(Augmenter augmenter) implements Augmenter {
        @Override
        public void apply(FloatImage in, FloatImage out, Rng rng) {
            augmenter.apply(in, out, rng);
        }

        @Override
        public Shape outputShape(Shape input) {
            return augmenter.outputShape(input);
        }
    }

    private static final List<List<Augmenter>> CHAINS = List.of(
            List.of(new RandomCrop(20, 24, 0)),
            List.of(new RandomCrop(20, 24, 0), new HorizontalFlip()),
            List.of(new HorizontalFlip(1), new RandomCrop(29, 31, 5)),
            List.of(new CenterCrop(21, 23), new HorizontalFlip(), new RandomCrop(21, 23, 4), new HorizontalFlip()),
            // Wider than the image: black on both sides.
            List.of(new RandomCrop(40, 50, 20), new HorizontalFlip()),
            // Nothing of the image may be left inside.
            List.of(new RandomCrop(3, 3, 9), new RandomCrop(3, 3, 3)));

    private static final Normalization BY_CHANNEL =
            new Normalization(new float[] {123.675f, 116.28f, 103.53f}, new float[] {58.395f, 57.12f, 57.375f});

    /** COUNT images of 30×33 of noise, as bytes. */
    private Records raw(int channels) {
        Path file = folder.resolve("raw" + channels + ".trec");
        Random random = new Random(8);
        try (RecordWriter writer =
                RecordWriter.create(file, RecordSchema.rawClasses("train", 30, 33, channels, CLASSES))) {
            for (int i = 0; i < COUNT; i++) {
                byte[] pixels = new byte[30 * 33 * channels];
                random.nextBytes(pixels);
                writer.add(pixels, Label.ofClass(i % 2), "k" + i, "s" + i);
            }
            writer.commit();
        }
        return Records.open(file);
    }

    /** COUNT JPEG files of several sizes and kinds, at least 30×33, and a PNG file. */
    private Records encoded() {
        Path file = folder.resolve("encoded.trec");
        try (RecordWriter writer = RecordWriter.create(file, RecordSchema.encodedClasses("train", CLASSES))) {
            JpegPictures.Kind[] kinds = JpegPictures.Kind.values();
            for (int i = 0; i < COUNT - 1; i++) {
                byte[] jpeg = JpegPictures.file(kinds[i % kinds.length], 33 + 3 * i, 30 + 5 * i, i);
                writer.add(jpeg, Label.ofClass(i % 2), "k" + i, "s" + i);
            }
            byte[] pixels = new byte[40 * 50 * 3];
            new Random(2).nextBytes(pixels);
            writer.add(ImageCodec.encodePng(new Image(40, 50, 3, pixels)), Label.ofClass(1), "png", "s");
            writer.commit();
        }
        return Records.open(file);
    }

    private static Shape shape(List<Augmenter> chain, int channels) {
        Shape shape = Shape.of(30, 33, channels);
        for (Augmenter step : chain) {
            shape = step.outputShape(shape);
        }
        return shape;
    }

    /** Raw bytes of all samples' inputs. */
    private static byte[] decodeAll(
            Records records,
            int channels,
            List<Augmenter> chain,
            Normalization norm,
            DType dtype,
            JpegLibrary library) {
        Shape shape = shape(chain, channels);
        SampleDecoder.Steps steps = new SampleDecoder.Steps(0, 0, channels, chain, norm, shape, dtype);
        try (Arena arena = Arena.ofConfined();
                SampleDecoder decoder = new SampleDecoder(records, steps, library)) {
            MemorySegment inputs = arena.allocate(COUNT * shape.elementCount() * dtype.byteSize(), 64);
            MemorySegment targets = arena.allocate(COUNT * 4, 64);
            decoder.beginEpoch(5, 3);
            for (int i = 0; i < COUNT; i++) {
                decoder.decode(i, i, inputs, targets);
                assertThat(targets.getAtIndex(ValueLayout.JAVA_INT, i)).isEqualTo(records.classIndex(i));
            }
            return inputs.toArray(ValueLayout.JAVA_BYTE);
        }
    }

    private static void assertBothWaysAgree(Records records, int channels, Normalization norm, JpegLibrary library) {
        for (List<Augmenter> chain : CHAINS) {
            List<Augmenter> hidden = new ArrayList<>();
            chain.forEach(step -> hidden.add(new Hidden(step)));
            for (DType dtype : new DType[] {DType.F32, DType.BF16}) {
                assertThat(decodeAll(records, channels, chain, norm, dtype, library))
                        .as("%s %s", chain, dtype)
                        .isEqualTo(decodeAll(records, channels, hidden, norm, dtype, library));
            }
        }
    }

    @ParameterizedTest
    @ValueSource(ints = {1, 3, 4})
    void rawImagesGiveTheBitsOfTheStepByStepWay(int channels) {
        try (Records records = raw(channels)) {
            assertBothWaysAgree(records, channels, channels == 3 ? BY_CHANNEL : Normalization.UNIT, JpegLibrary.STB);
        }
    }

    @ParameterizedTest
    @EnumSource(JpegLibrary.class)
    void decodedImagesGiveTheBitsOfTheStepByStepWay(JpegLibrary library) {
        assumeTrue(library.problem().isEmpty(), () -> library.problem().orElseThrow());
        try (Records records = encoded()) {
            assertBothWaysAgree(records, 3, BY_CHANNEL, library);
            assertBothWaysAgree(records, 1, Normalization.UNIT, library);
        }
    }

    /** By hand: a 2×3 grey image 10 20 30 / 40 50 60, mirrored, shifted by padding. */
    @Test
    void aWindowByHand() {
        Path file = folder.resolve("hand.trec");
        try (RecordWriter writer = RecordWriter.create(file, RecordSchema.rawClasses("train", 2, 3, 1, CLASSES))) {
            for (int i = 0; i < COUNT; i++) {
                writer.add(new byte[] {10, 20, 30, 40, 50, 60}, Label.ofClass(i % 2), "k" + i, "");
            }
            writer.commit();
        }
        try (Records records = Records.open(file)) {
            List<Augmenter> chain = List.of(new HorizontalFlip(1), new RandomCrop(4, 5, 1));
            SampleDecoder.Steps steps = new SampleDecoder.Steps(
                    0, 0, 1, chain, new Normalization(new float[] {10}, new float[] {2}), Shape.of(4, 5, 1), DType.F32);
            try (Arena arena = Arena.ofConfined();
                    SampleDecoder decoder = new SampleDecoder(records, steps, JpegLibrary.STB)) {
                MemorySegment inputs = arena.allocate(20 * 4, 64);
                decoder.decode(0, 0, inputs, arena.allocate(4, 4));
                assertThat(inputs.toArray(ValueLayout.JAVA_FLOAT))
                        .containsExactly(
                                -5, -5, -5, -5, -5, //
                                -5, 10, 5, 0, -5, //
                                -5, 25, 20, 15, -5, //
                                -5, -5, -5, -5, -5);
            }
        }
    }

    @Test
    void anImageSmallerThanTheCropNamesItsSample() {
        try (Records records = encoded()) {
            List<Augmenter> chain = List.of(new CenterCrop(60, 60));
            assertThatThrownBy(() -> decodeAllOf(records, chain))
                    .isInstanceOf(RecordException.class)
                    .hasMessageContaining("sample 0 (key 'k0', source 's0'")
                    .hasMessageContaining("centre crop");
        }
    }

    private static void decodeAllOf(Records records, List<Augmenter> chain) {
        SampleDecoder.Steps steps =
                new SampleDecoder.Steps(0, 0, 3, chain, Normalization.UNIT, Shape.of(60, 60, 3), DType.F32);
        try (Arena arena = Arena.ofConfined();
                SampleDecoder decoder = new SampleDecoder(records, steps, JpegLibrary.STB)) {
            decoder.decode(0, 0, arena.allocate(60 * 60 * 12), arena.allocate(4, 4));
        }
    }

    @Test
    void rawImagesAreLoadedWithoutAllocation() {
        try (Records records = raw(3)) {
            assertThat(allocatedPerSample(records, JpegLibrary.IMAGEIO, COUNT)).isLessThan(256);
        }
    }

    @ParameterizedTest
    @EnumSource(
            value = JpegLibrary.class,
            names = {"TURBO", "STB"})
    void jpegImagesAreLoadedWithoutAllocation(JpegLibrary library) {
        assumeTrue(library.problem().isEmpty(), () -> library.problem().orElseThrow());
        try (Records records = encoded()) {
            // The last one is a PNG file, which ImageIO decodes.
            assertThat(allocatedPerSample(records, library, COUNT - 1)).isLessThan(256);
        }
    }

    /** Interpreted code may make small views that compiled code does not; buffers would be thousands of bytes. */
    private static long allocatedPerSample(Records records, JpegLibrary library, int samples) {
        List<Augmenter> chain = List.of(new RandomCrop(20, 24, 0), new HorizontalFlip());
        SampleDecoder.Steps steps = new SampleDecoder.Steps(0, 0, 3, chain, BY_CHANNEL, shape(chain, 3), DType.F32);
        try (Arena arena = Arena.ofConfined();
                SampleDecoder decoder = new SampleDecoder(records, steps, library)) {
            MemorySegment inputs = arena.allocate(20 * 24 * 12, 64);
            MemorySegment targets = arena.allocate(4, 4);
            ThreadMXBean threads = (ThreadMXBean) ManagementFactory.getThreadMXBean();
            int rounds = 400;
            long before = 0;
            for (int round = -rounds; round < rounds; round++) {
                if (round == 0) {
                    before = threads.getCurrentThreadAllocatedBytes();
                }
                for (int i = 0; i < samples; i++) {
                    decoder.decode(i, 0, inputs, targets);
                }
            }
            return (threads.getCurrentThreadAllocatedBytes() - before) / ((long) rounds * samples);
        }
    }
}
