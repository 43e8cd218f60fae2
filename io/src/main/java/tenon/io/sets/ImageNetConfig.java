package tenon.io.sets;

import java.nio.file.Path;

/**
 * Where ILSVRC's classification task is and where its lists, means and records go.
 *
 * @param base the folder that holds {@code Data}, {@code ImageSets} and {@code devkit}, e.g. {@code ILSVRC2015}
 * @param output folder of {@code lists}, {@code rec} and {@code imagenet_mean.json}
 */
public record ImageNetConfig(Path base, Path output) {
    /** Of each class, on average: as many as ILSVRC has for validation. */
    public static final int TEST_IMAGES_PER_CLASS = 50;

    /** The shorter side of stored images, their JPEG quality, and the seed of the split: those of the original experiments. */
    public static final int SHORT_SIDE = 256;

    public static final int QUALITY = 100;
    public static final long SEED = 42;

    public ImageNetConfig {
        base = base.toAbsolutePath().normalize();
        output = output.toAbsolutePath().normalize();
    }

    public Path imagesPath() {
        return base.resolve("Data").resolve("CLS-LOC");
    }

    private Path imageSets() {
        return base.resolve("ImageSets").resolve("CLS-LOC");
    }

    private Path devkit() {
        return base.resolve("devkit").resolve("data");
    }

    /** Lines of WordNet id, class number from 1, and name. */
    public Path wordIds() {
        return devkit().resolve("map_clsloc.txt");
    }

    /** Lines of WordNet id / file name and a counter. */
    public Path trainList() {
        return imageSets().resolve("train_cls.txt");
    }

    /** Lines of file name and counter. */
    public Path valList() {
        return imageSets().resolve("val.txt");
    }

    /** Class numbers from 1, a line for every line of {@link #valList}. */
    public Path valLabels() {
        return devkit().resolve("ILSVRC2015_clsloc_validation_ground_truth.txt");
    }

    /** Counters of validation images whose label is too ambiguous. */
    public Path valBlacklist() {
        return devkit().resolve("ILSVRC2015_clsloc_validation_blacklist.txt");
    }

    /** The list of train, val or test. */
    public Path list(String split) {
        return output.resolve("lists").resolve(split + ".lst");
    }

    /** Folder of the record files. */
    public Path records() {
        return output.resolve("rec");
    }

    /** Channel means of the training images. */
    public Path means() {
        return output.resolve("imagenet_mean.json");
    }

    /** Their standard deviations. */
    public Path stds() {
        return output.resolve("imagenet_std.json");
    }
}
