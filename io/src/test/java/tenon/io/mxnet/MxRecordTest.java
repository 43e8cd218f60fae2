package tenon.io.mxnet;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.List;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import tenon.io.build.BuildException;
import tenon.io.build.BuildReport;
import tenon.io.build.BuildSettings;
import tenon.io.build.ListFile;
import tenon.io.image.Image;
import tenon.io.image.ImageCodec;
import tenon.io.record.ImageEncoding;
import tenon.io.record.Label;
import tenon.io.record.LabelKind;
import tenon.io.record.RecordSchema;
import tenon.io.record.RecordWriter;
import tenon.io.record.Records;

class MxRecordTest {
    private static final byte[] MAGIC = {0x0A, 0x23, (byte) 0xD7, (byte) 0xCE};

    @TempDir
    Path root;

    private static byte[] written(byte[]... payloads) throws IOException {
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        RecordIoWriter writer = new RecordIoWriter(out);
        for (byte[] payload : payloads) {
            assertThat(writer.position()).isEqualTo(out.size());
            writer.write(payload);
        }
        return out.toByteArray();
    }

    private Path file(byte[] bytes) throws IOException {
        return Files.write(root.resolve("a.rec"), bytes);
    }

    private static byte[] hex(String text) {
        return HexFormat.of().parseHex(text.replace(" ", ""));
    }

    private static byte[] png(int grey) {
        byte[] pixels = new byte[7 * 5 * 3];
        Arrays.fill(pixels, (byte) grey);
        return ImageCodec.encodePng(new Image(7, 5, 3, pixels));
    }

    @Test
    void bytesAreThoseOfTheFormat() throws IOException {
        assertThat(written(hex("01 02 03 04 05"))).isEqualTo(hex("0A23D7CE 05000000 0102030405 000000"));
        // One label stands in the header, flag 0; id 258.
        assertThat(new ImageRecord(new float[] {1}, 258, hex("FFD8")).payload())
                .isEqualTo(hex("00000000 0000803F 0201000000000000 0000000000000000 FFD8"));
        assertThat(new ImageRecord(new float[] {1, 0.5f}, 0, hex("FFD8")).payload())
                .isEqualTo(hex("02000000 00000000 0000000000000000 0000000000000000 0000803F 0000003F FFD8"));
        // A payload with the magic number at offset 4 is split there: first part (flag 1), last part (flag 3).
        assertThat(written(hex("01020304 0A23D7CE 0506")))
                .isEqualTo(hex("0A23D7CE 04000020 01020304 0A23D7CE 02000060 0506 0000"));
        // Three parts, of which the first and the last are empty.
        assertThat(written(hex("0A23D7CE 01020304 0A23D7CE")))
                .isEqualTo(hex("0A23D7CE 00000020 0A23D7CE 04000040 01020304 0A23D7CE 00000060"));
        // Not at a multiple of 4: nothing is split.
        assertThat(written(hex("01 0A23D7CE 020304"))).isEqualTo(hex("0A23D7CE 08000000 010A23D7CE020304"));
    }

    @Test
    void payloadsWithTheMagicNumberAnywhereComeBack() throws IOException {
        SplittableRandom random = new SplittableRandom(3);
        List<byte[]> payloads = new ArrayList<>();
        for (int length = 0; length <= 40; length++) {
            for (int trial = 0; trial < 20; trial++) {
                byte[] payload = new byte[length];
                random.nextBytes(payload);
                for (int copies = random.nextInt(4); copies > 0 && length >= 4; copies--) {
                    System.arraycopy(MAGIC, 0, payload, random.nextInt(length - 3), 4);
                }
                payloads.add(payload);
            }
        }
        byte[] bytes = written(payloads.toArray(byte[][]::new));
        assertThat(bytes.length % 4).isZero();
        assertThat(Arrays.copyOf(bytes, 4)).isEqualTo(MAGIC);
        try (RecordIoReader reader = new RecordIoReader(file(bytes))) {
            assertThat(reader.count()).isEqualTo(payloads.size());
            for (int i = 0; i < payloads.size(); i++) {
                byte[] payload = payloads.get(i);
                assertThat(reader.length(i)).isEqualTo(payload.length);
                assertThat(reader.read(i)).isEqualTo(payload);
                assertThat(reader.recordAt(reader.offset(i))).isEqualTo(i);
                for (int most = 0; most < payload.length; most++) {
                    assertThat(reader.read(i, most)).isEqualTo(Arrays.copyOf(payload, most));
                }
            }
            assertThat(reader.recordAt(1)).isEqualTo(-1);
        }
    }

    @Test
    void everyTruncationAndEveryFlippedBitOfAHeaderIsFoundOrHarmless() throws IOException {
        byte[] first = hex("01020304 0A23D7CE 0506");
        byte[] second = new byte[9];
        byte[] bytes = written(first, second);
        int boundary = written(first).length;
        for (int length = 1; length < bytes.length; length++) {
            Path file = file(Arrays.copyOf(bytes, length));
            if (length == boundary) {
                continue;
            }
            assertThatThrownBy(() -> new RecordIoReader(file).close())
                    .as("length " + length)
                    .isInstanceOf(BuildException.class)
                    .hasMessageContaining(file.toString())
                    .hasMessageContaining("offset ");
        }
        // Headers are at 0, 12 and 24; a changed magic number, flag or length contradicts what follows.
        int[] headers = {0, 12, boundary};
        for (int header : headers) {
            for (int bit = 0; bit < 64; bit++) {
                byte[] flipped = bytes.clone();
                flipped[header + bit / 8] ^= (byte) (1 << bit % 8);
                Path file = file(flipped);
                try (RecordIoReader reader = new RecordIoReader(file)) {
                    // Lengths that are padded to the same size cannot be told apart.
                    assertThat(bit).as("header " + header).isBetween(32, 33);
                    assertThat(reader.count()).isEqualTo(2);
                } catch (BuildException e) {
                    assertThat(e).hasMessageContaining("offset ");
                }
            }
        }
    }

    @Test
    void hostileLengthsAreRefusedBeforeAllocation() throws IOException {
        expectRefused(hex("0A23D7CE FFFFFF1F 00000000"), "offset 0: the file ends inside a record");
        expectRefused(hex("0A23D7CE 00000060"), "offset 0: a record begins with a later part");
        expectRefused(hex("0A23D7CE 00000080"), "offset 0: a record begins with a later part");
        expectRefused(hex("0A23D7CE 00000020 0A23D7CE 00000000"), "not finished before the next begins");
        expectRefused(hex("0A23D7CE 00000020"), "offset 8: the file ends inside a record");
        expectRefused("no record file at all".getBytes(), "the magic number 0xCED7230A is missing");
        // Flag 2^31 claims 8 GiB of labels.
        expectRefused(
                written(hex("00000080 00000000 0000000000000000 0000000000000000 FFD8FF")),
                "record 0 at offset 0: there is no image behind its 2147483648 labels");
        expectRefused(
                written(hex("00000000 00000000 0000000000000000 0000000000000000")),
                "there is no image behind its 0 labels");
        expectRefused(written(hex("00000000 0000")), "it has 6 bytes");
        expectRefused(
                written(hex("00000000 0000C07F 0000000000000000 0000000000000000 FF")),
                "label 0 must be a finite number: NaN");
        expectRefused(new byte[0], "there are no images in it");
        assertThatThrownBy(() -> new MxRecordBuilder(root.resolve("no.rec")).build(settings()))
                .isInstanceOf(BuildException.class)
                .hasMessageContaining("there is no such file");
    }

    private void expectRefused(byte[] bytes, String message) throws IOException {
        Path file = file(bytes);
        assertThatThrownBy(() -> new MxRecordBuilder(file).build(settings()))
                .isInstanceOf(BuildException.class)
                .hasMessageContaining(file.toString())
                .hasMessageContaining(message);
        assertThat(root.resolve("out/a.trec")).doesNotExist();
    }

    private BuildSettings settings() {
        return BuildSettings.into(root.resolve("out")).threads(2);
    }

    /** Written byte by byte, independently of the writer. */
    private static byte[] handMade(float label, long id, byte[] image) {
        int length = 24 + image.length;
        ByteBuffer bytes = ByteBuffer.allocate(8 + (length + 3) / 4 * 4).order(ByteOrder.LITTLE_ENDIAN);
        bytes.put(MAGIC)
                .putInt(length)
                .putInt(0)
                .putFloat(label)
                .putLong(id)
                .putLong(0)
                .put(image);
        return bytes.array();
    }

    private static byte[] concat(byte[]... parts) throws IOException {
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        for (byte[] part : parts) {
            out.write(part);
        }
        return out.toByteArray();
    }

    @Test
    void classRecordsAreImported() throws IOException {
        byte[] one = handMade(2, 40, png(1));
        Path file = file(concat(one, handMade(0, 41, png(2)), handMade(1, 17, png(3))));
        Path list = Files.writeString(root.resolve("a.lst"), "17\t1\td/three.png\n40\t2\td/one.png\n");
        BuildReport report = new MxRecordBuilder(file).list(list).build(settings());
        try (Records records = Records.open(report.part("a").file())) {
            assertThat(records.schema().label()).isEqualTo(LabelKind.CLASS);
            assertThat(records.schema().classNames()).containsExactly("0", "1", "2");
            assertThat(List.of(records.key(0), records.key(1), records.key(2))).containsExactly("40", "41", "17");
            assertThat(List.of(records.classIndex(0), records.classIndex(1), records.classIndex(2)))
                    .containsExactly(2, 0, 1);
            assertThat(records.read(2).image()).isEqualTo(png(3));
            assertThat(List.of(records.source(0), records.source(1), records.source(2)))
                    .containsExactly("d/one.png", "a.rec@" + one.length, "d/three.png");
        }
        Path index = Files.writeString(root.resolve("a.idx"), "5\t" + one.length + "\n9\t0\n");
        BuildReport indexed =
                new MxRecordBuilder(file).index(index).split("some").build(settings());
        try (Records records = Records.open(indexed.part("some").file())) {
            assertThat(records.sampleCount()).isEqualTo(2);
            assertThat(records.key(0)).isEqualTo("5");
            assertThat(records.read(0).image()).isEqualTo(png(2));
            assertThat(records.read(1).image()).isEqualTo(png(1));
        }
        for (String wrong :
                List.of("5\t4\n", "5 0\n", "x\t0\n", "5\t0\n5\t0\n", "5\t-8\n", "", "5\t" + "9".repeat(70))) {
            Path damaged = Files.writeString(root.resolve("b.idx"), wrong);
            assertThatThrownBy(() -> new MxRecordBuilder(file).index(damaged).build(settings()))
                    .isInstanceOf(BuildException.class)
                    .hasMessageContaining(damaged.toString());
        }
    }

    @Test
    void idsThatAreNotUniqueGiveWayToNumbers() throws IOException {
        Path file = file(concat(handMade(0, 5, png(1)), handMade(0, 5, png(2))));
        BuildReport report = new MxRecordBuilder(file).build(settings());
        try (Records records = Records.open(report.part("a").file())) {
            assertThat(List.of(records.key(0), records.key(1))).containsExactly("0", "1");
        }
    }

    @Test
    void classesSurviveExportAndImport() throws IOException {
        RecordSchema schema = RecordSchema.encodedClasses("train", List.of("cat", "dog", "emu"));
        try (RecordWriter writer = RecordWriter.create(root.resolve("train.trec"), schema)) {
            for (int i = 0; i < 10; i++) {
                writer.add(png(i), Label.ofClass(i % 3), "key" + i, i == 3 ? "a\tb\nc" : "");
            }
            writer.commit();
        }
        Path rec = root.resolve("sub/t.rec");
        long[] done = {0};
        try (Records records = Records.open(root.resolve("train.trec"))) {
            new MxRecordExport(records, rec).write(count -> done[0] = count);
        }
        assertThat(done[0]).isEqualTo(10);
        byte[] bytes = Files.readAllBytes(rec);
        assertThat(Arrays.copyOf(bytes, 4)).isEqualTo(MAGIC);
        assertThat(bytes.length % 4).isZero();
        List<ListFile.Entry> lines = ListFile.read(root.resolve("sub/t.lst")).entries();
        assertThat(lines).hasSize(10);
        assertThat(lines.get(4).line()).isEqualTo("4\t1\tkey4");
        assertThat(lines.get(3).line()).isEqualTo("3\t0\ta b c");
        BuildReport report = new MxRecordBuilder(rec)
                .index(root.resolve("sub/t.idx"))
                .list(root.resolve("sub/t.lst"))
                .classes(schema.classNames())
                .build(settings());
        try (Records records = Records.open(report.part("t").file())) {
            assertThat(records.schema().classNames()).isEqualTo(schema.classNames());
            for (int i = 0; i < 10; i++) {
                assertThat(records.classIndex(i)).isEqualTo(i % 3);
                assertThat(records.read(i).image()).isEqualTo(png(i));
                assertThat(records.key(i)).isEqualTo(Integer.toString(i));
                assertThat(records.source(i)).isEqualTo(i == 3 ? "a b c" : "key" + i);
            }
        }
    }

    @Test
    void vectorsAndPixelsSurviveExportAndImport() throws IOException {
        RecordSchema schema =
                RecordSchema.rawClasses("train", 5, 7, 3, List.of("x")).withLabel(LabelKind.VECTOR, 2);
        byte[] pixels = new byte[7 * 5 * 3];
        new SplittableRandom(1).nextBytes(pixels);
        try (RecordWriter writer = RecordWriter.create(root.resolve("train.trec"), schema)) {
            writer.add(pixels, Label.ofVector(0.25f, -2), "a", "");
            writer.add(pixels, Label.ofVector(3, 4), "b", "");
            writer.commit();
        }
        Path rec = root.resolve("t.rec");
        try (Records records = Records.open(root.resolve("train.trec"))) {
            new MxRecordExport(records, rec).write(_ -> {});
        }
        assertThat(Files.readAllLines(root.resolve("t.lst"))).containsExactly("0\t0.25\t-2\ta", "1\t3\t4\tb");
        BuildReport report = new MxRecordBuilder(rec).build(settings());
        try (Records records = Records.open(report.part("t").file())) {
            assertThat(records.schema().encoding()).isEqualTo(ImageEncoding.ENCODED);
            assertThat(((Label.OfVector) records.read(0).label()).values()).containsExactly(0.25f, -2);
            assertThat(ImageCodec.decode(records.read(1).image(), "b").pixels()).isEqualTo(pixels);
        }
    }

    @Test
    void anExportThatFailsLeavesNothing() throws IOException {
        RecordSchema schema = RecordSchema.encodedClasses("train", List.of("x")).withLabel(LabelKind.BOXES, 0);
        try (RecordWriter writer = RecordWriter.create(root.resolve("train.trec"), schema)) {
            writer.add(png(1), Label.ofBoxes(List.of()), "a", "");
            writer.commit();
        }
        try (Records records = Records.open(root.resolve("train.trec"))) {
            assertThatThrownBy(() -> new MxRecordExport(records, root.resolve("new/t.rec")).write(_ -> {}))
                    .isInstanceOf(BuildException.class)
                    .hasMessageContaining("key 'a'")
                    .hasMessageContaining("boxes cannot be exported");
            assertThat(root.resolve("new")).isEmptyDirectory();
            assertThatThrownBy(() -> new MxRecordExport(records, root.resolve("t.bin")))
                    .isInstanceOf(BuildException.class)
                    .hasMessageContaining("must end with .rec");
        }
    }
}
