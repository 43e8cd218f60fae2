package tenon.io.synth;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.Stream;
import java.util.zip.GZIPInputStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import tenon.io.build.BuildException;
import tenon.io.image.Image;
import tenon.io.image.ImageCodec;
import tenon.io.synth.SyntheticSet.Layout;

class SyntheticSetTest {
    @TempDir
    private Path folder;

    private static SyntheticSet small() {
        return new SyntheticSet().classes(3).perClass(4).validationPerClass(2).size(40, 30);
    }

    /** Path below the folder → contents. */
    private static Map<String, byte[]> tree(Path root) throws IOException {
        Map<String, byte[]> files = new TreeMap<>();
        try (Stream<Path> found = Files.walk(root)) {
            for (Path file : found.filter(Files::isRegularFile).toList()) {
                files.put(root.relativize(file).toString().replace('\\', '/'), Files.readAllBytes(file));
            }
        }
        return files;
    }

    @ParameterizedTest
    @EnumSource(Layout.class)
    void filesDoNotDependOnThreads(Layout layout) throws IOException {
        long count = small().mixedSizes(true).threads(1).write(layout, folder.resolve("one"));
        assertThat(small().mixedSizes(true).threads(5).write(layout, folder.resolve("five")))
                .isEqualTo(count);
        Map<String, byte[]> one = tree(folder.resolve("one"));
        Map<String, byte[]> five = tree(folder.resolve("five"));
        assertThat(five.keySet()).isEqualTo(one.keySet()).isNotEmpty();
        one.forEach((name, bytes) -> assertThat(five.get(name)).as(name).isEqualTo(bytes));

        small().mixedSizes(true).seed(43).write(layout, folder.resolve("other"));
        Map<String, byte[]> other = tree(folder.resolve("other"));
        assertThat(other.keySet()).isEqualTo(one.keySet());
        assertThat(one.keySet()).anyMatch(name -> !Arrays.equals(one.get(name), other.get(name)));
    }

    @Test
    void foldersHoldPicturesOfTheirClass() throws IOException {
        assertThat(small().write(Layout.FOLDERS, folder.resolve("set"))).isEqualTo(12);
        assertThat(tree(folder.resolve("set")))
                .hasSize(12)
                .containsKeys(
                        "red_plain_disc/red_plain_disc_00000.jpg",
                        "green_checked_triangle/green_checked_triangle_00003.jpg");
        Image image = ImageCodec.read(folder.resolve("set/red_plain_disc/red_plain_disc_00002.jpg"));
        assertThat(List.of(image.width(), image.height())).containsExactly(40, 30);
    }

    @Test
    void mixedSizesVary() throws IOException {
        new SyntheticSet()
                .classes(2)
                .perClass(20)
                .size(100, 60)
                .mixedSizes(true)
                .write(Layout.DOGSVSCATS, folder.resolve("set"));
        int upright = 0;
        for (Map.Entry<String, byte[]> file : tree(folder.resolve("set")).entrySet()) {
            assertThat(file.getKey()).matches("train/(cat|dog)\\.\\d+\\.jpg");
            Image image = ImageCodec.decode(file.getValue(), file.getKey());
            assertThat(Math.max(image.width(), image.height())).isBetween(30, 150);
            upright += image.height() > image.width() ? 1 : 0;
        }
        assertThat(upright).isBetween(5, 30);
    }

    @Test
    void listsNameEveryPictureOnce() throws IOException {
        small().write(Layout.LIST, folder.resolve("set"));
        List<String> train = Files.readAllLines(folder.resolve("set/train.lst"));
        List<String> validation = Files.readAllLines(folder.resolve("set/val.lst"));
        assertThat(train).hasSize(11).first().asString().matches("0\t[012]\timages/000000\\.jpg");
        assertThat(validation).hasSize(1).first().asString().matches("0\t[012]\timages/000011\\.jpg");
        assertThat(Files.readAllLines(folder.resolve("set/classes.txt"))).hasSize(3);
        assertThat(train.stream().map(line -> line.split("\t")[1]).distinct()).hasSize(3);
    }

    @Test
    void imageNetHasItsMetaFilesAndOddPictures() throws IOException {
        Path set = folder.resolve("set");
        // 12 for training, 6 for validation, one for testing per class
        assertThat(small().write(Layout.IMAGENET, set)).isEqualTo(12 + 6 + 3);
        List<String> map = Files.readAllLines(set.resolve("devkit/data/map_clsloc.txt"));
        assertThat(map).hasSize(3).allMatch(line -> line.matches("n\\d{8} [123] [a-z_]+"));
        assertThat(map.stream().map(line -> line.split(" ")[1])).containsExactly("1", "2", "3");
        List<String> train = Files.readAllLines(set.resolve("ImageSets/CLS-LOC/train_cls.txt"));
        assertThat(train).hasSize(12);
        for (int i = 0; i < 12; i++) {
            assertThat(train.get(i)).matches("(n\\d{8})/\\1_\\d+ " + (i + 1));
            assertThat(set.resolve("Data/CLS-LOC/train/" + train.get(i).split(" ")[0] + ".JPEG"))
                    .isRegularFile();
        }
        List<String> validation = Files.readAllLines(set.resolve("ImageSets/CLS-LOC/val.txt"));
        assertThat(validation).hasSize(6).first().isEqualTo("ILSVRC2012_val_00000001 1");
        assertThat(set.resolve("Data/CLS-LOC/val/ILSVRC2012_val_00000006.JPEG")).isRegularFile();
        assertThat(set.resolve("Data/CLS-LOC/test/ILSVRC2012_test_00000003.JPEG"))
                .isRegularFile();
        assertThat(Files.readAllLines(set.resolve("devkit/data/ILSVRC2015_clsloc_validation_ground_truth.txt")))
                .containsExactlyInAnyOrder("1", "1", "2", "2", "3", "3");
        assertThat(Files.readAllLines(set.resolve("devkit/data/ILSVRC2015_clsloc_validation_blacklist.txt")))
                .singleElement()
                .asString()
                .matches("[1-6]");

        // Components of the frame header: the byte after length, precision, height and width of SOF0.
        assertThat(components(set, train, 0)).isEqualTo(3);
        assertThat(components(set, train, 1)).isEqualTo(1);
        assertThat(components(set, train, 4)).isEqualTo(4);
        byte[] png = Files.readAllBytes(picture(set, train, 8));
        assertThat(png).startsWith(0x89, 'P', 'N', 'G');
        // The CMYK file shows what was drawn.
        Image cmyk = ImageCodec.read(picture(set, train, 4));
        Image drawn = new Painter(42).draw(1, 0, 40, 30);
        double difference = 0;
        for (int i = 0; i < drawn.pixels().length; i++) {
            difference += Math.abs((drawn.pixels()[i] & 0xFF) - (cmyk.pixels()[i] & 0xFF));
        }
        assertThat(difference / drawn.pixels().length).isLessThan(60);
    }

    private static Path picture(Path set, List<String> train, int line) {
        return set.resolve("Data/CLS-LOC/train/" + train.get(line).split(" ")[0] + ".JPEG");
    }

    private static int components(Path set, List<String> train, int line) throws IOException {
        byte[] bytes = Files.readAllBytes(picture(set, train, line));
        for (int at = 2; at < bytes.length; at += 2 + (ByteBuffer.wrap(bytes).getShort(at + 2) & 0xFFFF)) {
            if (bytes[at] == (byte) 0xFF && bytes[at + 1] == (byte) 0xC0) {
                return bytes[at + 9];
            }
        }
        throw new AssertionError("no frame header");
    }

    @Test
    void cifar10HasPlanesOfColour() throws IOException {
        // 40 training pictures in five files of 8, and 10 test pictures
        assertThat(small().write(Layout.CIFAR10, folder.resolve("set"))).isEqualTo(50);
        Path files = folder.resolve("set/cifar-10-batches-bin");
        assertThat(Files.readAllLines(files.resolve("batches.meta.txt"))).hasSize(10);
        for (int b = 1; b <= 5; b++) {
            assertThat(files.resolve("data_batch_" + b + ".bin")).hasSize(8 * 3073);
        }
        byte[] test = Files.readAllBytes(files.resolve("test_batch.bin"));
        assertThat(test).hasSize(10 * 3073);
        Image drawn = new Painter(42).draw(6, 4, 32, 32);
        int offset = 6 * 3073;
        assertThat(test[offset]).isEqualTo((byte) 6);
        assertThat(test[offset + 1 + 5 * 32 + 9]).isEqualTo((byte) drawn.value(9, 5, 0));
        assertThat(test[offset + 1 + 2048 + 5 * 32 + 9]).isEqualTo((byte) drawn.value(9, 5, 2));
    }

    @Test
    void fer2013IsATable() throws IOException {
        assertThat(small().write(Layout.FER2013, folder.resolve("set"))).isEqualTo(28 + 7 + 7);
        List<String> lines = Files.readAllLines(folder.resolve("set/fer2013/fer2013.csv"));
        assertThat(lines).hasSize(1 + 42).first().isEqualTo("emotion,pixels,Usage");
        assertThat(lines.stream().skip(1).map(line -> line.split(",")[2]).distinct())
                .containsExactly("Training", "PublicTest", "PrivateTest");
        String[] first = lines.get(1).split(",");
        assertThat(first[0]).matches("[0-6]");
        assertThat(first[1].split(" ")).hasSize(48 * 48).allMatch(value -> Integer.parseInt(value) < 256);
    }

    @Test
    void mnistIsFourIdxFiles() throws IOException {
        assertThat(small().write(Layout.MNIST, folder.resolve("set"))).isEqualTo(40 + 10);
        assertThat(tree(folder.resolve("set")).keySet())
                .containsExactly(
                        "t10k-images-idx3-ubyte.gz",
                        "t10k-labels-idx1-ubyte.gz",
                        "train-images-idx3-ubyte.gz",
                        "train-labels-idx1-ubyte.gz");
        ByteBuffer images = unpacked("train-images-idx3-ubyte.gz");
        assertThat(List.of(images.getInt(), images.getInt(), images.getInt(), images.getInt()))
                .containsExactly(0x803, 40, 28, 28);
        assertThat(images.remaining()).isEqualTo(40 * 784);
        ByteBuffer labels = unpacked("train-labels-idx1-ubyte.gz");
        assertThat(List.of(labels.getInt(), labels.getInt(), labels.remaining()))
                .containsExactly(0x801, 40, 40);
    }

    private ByteBuffer unpacked(String name) throws IOException {
        try (InputStream in =
                new GZIPInputStream(Files.newInputStream(folder.resolve("set").resolve(name)))) {
            return ByteBuffer.wrap(in.readAllBytes());
        }
    }

    @Test
    void aFolderInUseIsRefusedAndLeftoversAreRemoved() throws IOException {
        Path used = Files.createDirectories(folder.resolve("used"));
        Files.writeString(used.resolve("notes.txt"), "mine");
        assertThatThrownBy(() -> small().write(Layout.FOLDERS, used))
                .isInstanceOf(BuildException.class)
                .hasMessage("synthetic set: " + used + " must be new or empty (remove it, or choose another folder)");
        Path leftover = Files.createDirectories(folder.resolve(".set.partial/red"));
        Files.writeString(leftover.resolve("old.jpg"), "half");
        small().write(Layout.FOLDERS, Files.createDirectories(folder.resolve("set")));
        assertThat(tree(folder.resolve("set"))).hasSize(12);
        assertThat(folder.resolve(".set.partial")).doesNotExist();
    }

    @Test
    void settingsAreChecked() {
        assertThatThrownBy(() -> small().classes(1025))
                .hasMessage("synthetic set: classes must lie in [1, 1024]: given=1025");
        assertThatThrownBy(() -> small().quality(0)).hasMessage("synthetic set: quality must lie in [1, 100]: given=0");
    }
}
