package tenon.io.sets;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import tenon.io.build.BuildException;
import tenon.io.build.BuildReport;
import tenon.io.build.BuildSettings;
import tenon.io.build.ClassSource;
import tenon.io.build.ImageFolderBuilder;
import tenon.io.record.Records;

/**
 * The labelled pictures of Kaggle's Dogs vs. Cats, {@code cat.0.jpg}, {@code dog.0.jpg} and so on, in the order that the seed gives. For the experiment with
 * AlexNet they are cut into {@code train}, {@code val} and {@code test}, each with its share of either class (of 25,000 pictures 20,000, 2,500 and 2,500);
 * beside the records, {@code dogs_vs_cats_mean.json} holds the channel means of {@code train} as it is stored. For the experiment with
 * features they are one split, {@code all}.
 */
public final class DogsVsCatsBuilder {
    public static final List<String> CLASS_NAMES = List.of("cat", "dog");

    /** Of all pictures, for validation and for testing: as in the original experiment. */
    public static final double SHARE = 0.1;

    /** Side of a stored picture: AlexNet's is cut out of it. */
    public static final int SIDE = 256;

    /** Side of a stored picture for ResNet-50's features. */
    public static final int FEATURES_SIDE = 224;

    private static final String MEANS = "dogs_vs_cats_mean.json";

    private final ImageFolderBuilder folder;
    private boolean whole;

    /**
     * What was built.
     *
     * @param means of the training pictures, 0…255; empty where only a part of them was built, or grey ones, or there is no such split
     */
    public record Result(BuildReport records, Optional<Rgb> means) {}

    /** @param pictures the archive's folder, with {@code train} in it, or that folder itself */
    public DogsVsCatsBuilder(Path pictures) {
        Path inner = pictures.resolve("train");
        folder = new ImageFolderBuilder(Files.isDirectory(inner) ? inner : pictures)
                .classesFrom(ClassSource.FILE_NAME)
                .classes(CLASS_NAMES)
                .stratified(true);
    }

    /** All pictures in the split {@code all}; default: the three splits. */
    public DogsVsCatsBuilder whole() {
        whole = true;
        return this;
    }

    /**
     * Builds the splits.
     *
     * @throws BuildException when there are pictures of other classes, or as {@link ImageFolderBuilder#build} says
     */
    public Result build(BuildSettings settings) {
        if (whole) {
            return new Result(folder.rest("all").build(settings), Optional.empty());
        }
        BuildReport report = folder.split("val", SHARE).split("test", SHARE).build(settings);
        if (!settings.part().isWhole()) {
            return new Result(report, Optional.empty());
        }
        Path train = report.part("train").file();
        Optional<Rgb> means = means(train);
        means.ifPresent(values -> values.write(train.resolveSibling(MEANS)));
        return new Result(report, means);
    }

    private static Optional<Rgb> means(Path train) {
        try (Records records = Records.open(train)) {
            List<Double> means = records.schema().channelMeans();
            return means.size() == 3
                    ? Optional.of(new Rgb(means.get(0), means.get(1), means.get(2)))
                    : Optional.empty();
        }
    }
}
