package tenon.io.synth;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.stream.Collectors;
import tenon.io.image.Image;
import tenon.io.image.ImageCodec;

/**
 * ILSVRC's classification task: {@code Data}, {@code ImageSets} and {@code devkit} as in the archives of 2015, without the files for
 * localisation. As in the original, class numbers do not follow the order of the class folders' names, file numbers have gaps, every fiftieth
 * training picture is a grey JPEG, and one each is a CMYK JPEG and a PNG file, all with the extension .JPEG; 3.5 % of the validation
 * pictures, at least one, are on the blacklist. There is one test picture per class, its label in no file.
 */
final class ImageNetLayout {
    private static final double BLACKLISTED = 0.035;

    private final Path folder;
    private final SyntheticSet set;
    /** Class number of the development kit less 1, by class of the painter. */
    private final int[] ids;

    private ImageNetLayout(Path folder, SyntheticSet set) {
        this.folder = folder;
        this.set = set;
        ids = set.shuffled(set.classes(), "imagenet.ids");
    }

    static long write(Path folder, SyntheticSet set) throws IOException {
        return new ImageNetLayout(folder, set).write();
    }

    private long write() throws IOException {
        Path data = folder.resolve("Data/CLS-LOC");
        Path sets = Files.createDirectories(folder.resolve("ImageSets/CLS-LOC"));
        Path devkit = Files.createDirectories(folder.resolve("devkit/data"));
        int train = train(data.resolve("train"), sets.resolve("train_cls.txt"));
        int validation = Math.multiplyExact(set.classes(), set.validationPerClass());
        int[] order = set.shuffled(validation, "imagenet.val");
        flat(data.resolve("val"), sets.resolve("val.txt"), "val", order, set.perClass());
        int[] tests = set.shuffled(set.classes(), "imagenet.test");
        flat(data.resolve("test"), sets.resolve("test.txt"), "test", tests, set.perClass() + set.validationPerClass());

        List<String> truth = new ArrayList<>();
        for (int picture : order) {
            truth.add(Integer.toString(ids[picture % set.classes()] + 1));
        }
        lines(devkit.resolve("ILSVRC2015_clsloc_validation_ground_truth.txt"), truth);
        lines(devkit.resolve("ILSVRC2015_clsloc_validation_blacklist.txt"), blacklist(validation));
        lines(devkit.resolve("map_clsloc.txt"), classMap());
        return (long) train + validation + tests.length;
    }

    private static String wnid(int c) {
        return "n%08d".formatted(90_000_001 + 137 * c);
    }

    private List<String> classMap() {
        String[] lines = new String[ids.length];
        for (int c = 0; c < ids.length; c++) {
            lines[ids[c]] = wnid(c) + " " + (ids[c] + 1) + " " + Painter.className(c);
        }
        return List.of(lines);
    }

    private List<String> blacklist(int validation) {
        int count = Math.max(1, (int) Math.round(BLACKLISTED * validation));
        return Arrays.stream(set.shuffled(validation, "imagenet.blacklist"))
                .limit(count)
                .sorted()
                .mapToObj(i -> Integer.toString(i + 1))
                .toList();
    }

    private int train(Path into, Path list) throws IOException {
        int count = Math.multiplyExact(set.classes(), set.perClass());
        List<String> names = new ArrayList<>();
        for (int i = 0; i < count; i++) {
            String wnid = wnid(i / set.perClass());
            int number = i % set.perClass();
            names.add(wnid + "/" + wnid + "_" + (10 + 3 * number + number % 2));
            if (number == 0) {
                Files.createDirectories(into.resolve(wnid));
            }
        }
        set.eachFile(
                "train",
                count,
                i -> new SyntheticSet.NamedBytes(
                        into.resolve(names.get(i) + ".JPEG"),
                        bytes(set.draw(i / set.perClass(), i % set.perClass()), i, count)));
        numbered(list, names);
        return count;
    }

    private byte[] bytes(Image image, int i, int count) {
        if (count >= 3 && i == count / 3) {
            return CmykJpeg.encode(image);
        }
        if (count >= 3 && i == 2 * count / 3) {
            return ImageCodec.encodePng(image);
        }
        return ImageCodec.encodeJpeg(i % 50 == 1 ? image.withChannels(1) : image, set.quality());
    }

    /** Pictures whose names do not tell the class; their numbers begin at {@code firstNumber}. */
    private void flat(Path into, Path list, String split, int[] order, int firstNumber) throws IOException {
        Files.createDirectories(into);
        List<String> names = new ArrayList<>();
        for (int i = 0; i < order.length; i++) {
            names.add("ILSVRC2012_%s_%08d".formatted(split, i + 1));
        }
        set.eachFile(split, order.length, i -> {
            int c = order[i] % set.classes();
            byte[] bytes = set.jpeg(c, firstNumber + order[i] / set.classes());
            return new SyntheticSet.NamedBytes(into.resolve(names.get(i) + ".JPEG"), bytes);
        });
        numbered(list, names);
    }

    private static void numbered(Path file, List<String> names) throws IOException {
        List<String> lines = new ArrayList<>();
        for (int i = 0; i < names.size(); i++) {
            lines.add(names.get(i) + " " + (i + 1));
        }
        lines(file, lines);
    }

    private static void lines(Path file, List<String> lines) throws IOException {
        Files.writeString(file, lines.stream().map(line -> line + "\n").collect(Collectors.joining()));
    }
}
