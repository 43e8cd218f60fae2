package tenon.io.sets;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;
import tenon.io.build.BuildException;
import tenon.io.build.BuildItem;
import tenon.io.build.BuildReport;
import tenon.io.build.BuildSettings;
import tenon.io.build.ImageInput;
import tenon.io.build.PixelSize;
import tenon.io.build.ShardedBuild;
import tenon.io.build.TextLines;
import tenon.io.image.Image;
import tenon.io.record.Label;
import tenon.io.record.LabelKind;

/**
 * CIFAR-10's binary version (Krizhevsky 2009): {@code data_batch_1.bin} and so on become {@code train}, {@code test_batch.bin} becomes {@code test}, in the
 * order of the files. A picture is a byte with the class, then 1024 red, 1024 green and 1024 blue bytes, row by row. The key of a sample is the
 * batch and its number therein. Class names come from {@code batches.meta.txt}, or are those of CIFAR-10 where that is missing.
 */
public final class Cifar10Builder {
    public static final List<String> CLASS_NAMES =
            List.of("airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck");

    private static final String WHAT = "cifar-10";
    private static final int SIDE = 32;
    private static final int PLANE = SIDE * SIDE;
    private static final int RECORD = 1 + 3 * PLANE;

    private final Path folder;
    private int validation;

    /** @param folder that holds the .bin files, or {@code cifar-10-batches-bin} with them */
    public Cifar10Builder(Path folder) {
        Path inner = folder.resolve("cifar-10-batches-bin");
        this.folder = Files.isDirectory(inner) ? inner : folder;
    }

    /** Puts the last {@code count} training pictures into {@code val}; default 0. */
    public Cifar10Builder validation(int count) {
        validation = count;
        return this;
    }

    /**
     * Builds the splits.
     *
     * @throws BuildException when files are missing or are no such batches, or as {@link ShardedBuild#run} says
     */
    public BuildReport build(BuildSettings settings) {
        List<RandomFile> open = new ArrayList<>();
        try {
            List<BuildItem> train = new ArrayList<>();
            ShardedBuild build = new ShardedBuild("cifar10", settings)
                    .labels(LabelKind.CLASS, 0, classNames())
                    .inputSize(new PixelSize(SIDE, SIDE, 3))
                    .option("validation", Integer.toString(validation));
            for (Path file : trainingBatches()) {
                train.addAll(items(open(file, open)));
                build.input(file);
            }
            if (validation < 0 || validation >= train.size()) {
                throw new BuildException(WHAT + " " + folder + ": pictures for validation must lie in [0, "
                        + train.size() + "): given=" + validation);
            }
            Path test = folder.resolve("test_batch.bin");
            build.input(test).split("train", train.subList(0, train.size() - validation));
            if (validation > 0) {
                build.split("val", train.subList(train.size() - validation, train.size()));
            }
            return build.split("test", items(open(test, open))).run();
        } finally {
            open.forEach(RandomFile::close);
        }
    }

    private static RandomFile open(Path file, List<RandomFile> open) {
        RandomFile opened = new RandomFile(file, WHAT);
        open.add(opened);
        return opened;
    }

    private List<Path> trainingBatches() {
        try (Stream<Path> found = Files.list(folder)) {
            List<Path> batches = found.filter(
                            file -> file.getFileName().toString().matches("data_batch_\\d\\.bin"))
                    .sorted()
                    .toList();
            if (batches.isEmpty()) {
                throw new BuildException(WHAT + " " + folder
                        + ": there is no data_batch_1.bin in it (the binary version" + " of the data set is wanted)");
            }
            return batches;
        } catch (IOException e) {
            throw new BuildException(WHAT + " " + folder + ": cannot be listed: " + e, e);
        }
    }

    private List<String> classNames() {
        Path file = folder.resolve("batches.meta.txt");
        if (!Files.exists(file)) {
            return CLASS_NAMES;
        }
        List<String> names = new ArrayList<>();
        try (TextLines lines = new TextLines(file, WHAT, 4096)) {
            for (String line = lines.next(); line != null; line = lines.next()) {
                if (!line.isBlank()) {
                    names.add(line.strip());
                }
                if (names.size() > CLASS_NAMES.size()) {
                    throw lines.error("there must be " + CLASS_NAMES.size() + " class names");
                }
            }
        }
        if (names.size() < CLASS_NAMES.size()) {
            throw new BuildException(WHAT + " " + file + ": there must be " + CLASS_NAMES.size()
                    + " class names: found=" + names.size());
        }
        return names;
    }

    private static List<BuildItem> items(RandomFile file) {
        if (file.size() == 0 || file.size() % RECORD != 0 || file.size() / RECORD > Integer.MAX_VALUE) {
            throw file.error("the length must be a multiple of " + RECORD + " bytes, a class and 32x32x3 values: bytes="
                    + file.size() + " (fetch it again)");
        }
        String name = file.path().getFileName().toString();
        String batch = name.substring(0, name.length() - ".bin".length());
        List<BuildItem> items = new ArrayList<>();
        for (int i = 0; i < file.size() / RECORD; i++) {
            long offset = (long) i * RECORD;
            int label = file.read(offset, 1)[0] & 0xFF;
            if (label >= CLASS_NAMES.size()) {
                throw file.error(
                        "the class of picture " + i + " must lie in [0, " + CLASS_NAMES.size() + "): given=" + label);
            }
            ImageInput image = ImageInput.within(
                    RECORD - 1, () -> new ImageInput.Pixels(image(file.read(offset + 1, RECORD - 1))));
            items.add(new BuildItem(batch + "/" + i, name + "#" + i, image, Label.ofClass(label)));
        }
        return items;
    }

    private static Image image(byte[] planes) {
        byte[] pixels = new byte[planes.length];
        for (int p = 0; p < PLANE; p++) {
            for (int c = 0; c < 3; c++) {
                pixels[3 * p + c] = planes[c * PLANE + p];
            }
        }
        return new Image(SIDE, SIDE, 3, pixels);
    }
}
