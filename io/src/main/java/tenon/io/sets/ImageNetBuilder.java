package tenon.io.sets;

import java.io.BufferedWriter;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.EnumSet;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import tenon.io.build.BuildException;
import tenon.io.build.BuildItem;
import tenon.io.build.BuildReport;
import tenon.io.build.BuildSettings;
import tenon.io.build.ListFile;
import tenon.io.build.ShardedBuild;
import tenon.io.record.Label;
import tenon.io.record.LabelKind;

/**
 * Builds ILSVRC's classification task for training: lists, channel means, records. The official test images have no labels and are not used; instead
 * test images are drawn from the training images in proportion to the classes. Training and test lists are in random order, the
 * validation list in the order of {@code val.txt} without the blacklist. Means are taken over the training list at the images' original size, each
 * image counting the same; they stand in the records' headers too, those of the training images in all splits.
 *
 * <p>Each step reads what the one before it wrote. Lists that have not changed are left alone, means younger than the training list are kept, and so
 * are finished records, so that an interrupted build goes on where it was.
 */
public final class ImageNetBuilder {
    /** The splits in the order in which they are built. */
    public static final List<String> SPLITS = List.of("train", "val", "test");

    /** Parts of the work. */
    public enum Step {
        LISTS,
        MEANS,
        RECORDS;

        @Override
        public String toString() {
            return name().toLowerCase(Locale.ROOT);
        }
    }

    /**
     * What was done.
     *
     * @param counts lines of the lists in the order of {@link #SPLITS}; empty when no lists were made
     * @param means of the training images; null when there are none
     * @param records null when none were asked for
     * @param skipped files left out, by means or records
     */
    public record Result(List<Integer> counts, Rgb means, BuildReport records, List<BuildReport.Skipped> skipped) {}

    private final ImageNetConfig config;
    private int testImages;
    private Set<Step> steps = EnumSet.allOf(Step.class);

    public ImageNetBuilder(ImageNetConfig config) {
        this.config = config;
    }

    /** Images drawn for testing; default: {@link ImageNetConfig#TEST_IMAGES_PER_CLASS} times the number of classes. */
    public ImageNetBuilder testImages(int count) {
        testImages = count;
        return this;
    }

    /** Default: all. */
    public ImageNetBuilder steps(Set<Step> wanted) {
        steps = EnumSet.copyOf(wanted);
        return this;
    }

    /**
     * Does the steps.
     *
     * @param settings records go to {@link ImageNetConfig#records}, whatever the output of the settings
     * @throws BuildException when the data set is incomplete or contradicts itself, or as {@link ShardedBuild#run} says
     */
    public Result build(BuildSettings settings) {
        ImageNetIndex index = new ImageNetIndex(config);
        List<BuildReport.Skipped> skipped = new ArrayList<>();
        List<Integer> counts = steps.contains(Step.LISTS) ? writeLists(index, settings) : List.of();
        RgbStatistics statistics = steps.contains(Step.MEANS) ? statistics(settings, skipped) : null;
        BuildReport records = null;
        if (steps.contains(Step.RECORDS)) {
            if (statistics == null && Files.exists(config.means()) && Files.exists(config.stds())) {
                statistics = readStatistics();
            }
            records = records(index, statistics, settings);
            records.skipped().stream().filter(file -> !skipped.contains(file)).forEach(skipped::add);
        }
        return new Result(counts, statistics == null ? null : statistics.means(), records, List.copyOf(skipped));
    }

    private List<Integer> writeLists(ImageNetIndex index, BuildSettings settings) {
        List<ImageNetIndex.Entry> train = index.trainingSet();
        int[] labels = train.stream().mapToInt(ImageNetIndex.Entry::label).toArray();
        int classes = index.classNames().size();
        int drawn = testImages > 0 ? testImages : ImageNetConfig.TEST_IMAGES_PER_CLASS * classes;
        if (drawn >= labels.length) {
            throw new BuildException(
                    "imagenet " + config.trainList() + ": must list more images than are drawn for testing:"
                            + " listed=" + labels.length + ", drawn=" + drawn + " (draw fewer)");
        }
        StratifiedSplit split = StratifiedSplit.of(labels, classes, drawn, settings.seed());
        List<ImageNetIndex.Entry> validation = index.validationSet();
        writeList("train", split.rest().length, i -> train.get(split.rest()[i]), settings);
        writeList("val", validation.size(), validation::get, settings);
        writeList("test", drawn, i -> train.get(split.drawn()[i]), settings);
        return List.of(split.rest().length, validation.size(), drawn);
    }

    private interface Entries {
        ImageNetIndex.Entry get(int i);
    }

    private void writeList(String split, int count, Entries entries, BuildSettings settings) {
        WholeFile.write(config.list(split), out -> writeLines(out, count, entries));
        settings.progress().update("lists/" + split + ".lst", count, count);
    }

    private static void writeLines(BufferedWriter out, int count, Entries entries) throws IOException {
        for (int i = 0; i < count; i++) {
            ImageNetIndex.Entry entry = entries.get(i);
            out.write(new ListFile.Entry(i, new float[] {entry.label()}, entry.path()).line());
            out.write('\n');
        }
    }

    private RgbStatistics statistics(BuildSettings settings, List<BuildReport.Skipped> skipped) {
        Path list = config.list("train");
        if (isYounger(config.means(), list) && isYounger(config.stds(), list)) {
            return readStatistics();
        }
        List<String> files =
                ListFile.read(list).entries().stream().map(ListFile.Entry::path).toList();
        RgbStatistics statistics = RgbStatistics.of(files, settings, skipped);
        statistics.stds().write(config.stds());
        statistics.means().write(config.means());
        return statistics;
    }

    private RgbStatistics readStatistics() {
        return new RgbStatistics(Rgb.read(config.means()), Rgb.read(config.stds()));
    }

    private static boolean isYounger(Path file, Path than) {
        try {
            return Files.exists(file)
                    && Files.exists(than)
                    && Files.getLastModifiedTime(file).compareTo(Files.getLastModifiedTime(than)) >= 0;
        } catch (IOException e) {
            throw new BuildException("imagenet " + file + ": cannot be read: " + e, e);
        }
    }

    private BuildReport records(ImageNetIndex index, RgbStatistics statistics, BuildSettings settings) {
        ShardedBuild build = new ShardedBuild("imagenet", settings.redirected(config.records()))
                .labels(LabelKind.CLASS, 0, index.classNames())
                .option("folder", config.base().getFileName().toString());
        if (statistics != null) {
            build.channelStatistics(
                    statistics.means().values(), statistics.stds().values());
        }
        for (String split : SPLITS) {
            Path list = config.list(split);
            int classes = index.classNames().size();
            List<BuildItem> items = new ArrayList<>();
            for (ListFile.Entry entry : ListFile.read(list).entries()) {
                float label = entry.labels()[0];
                if (entry.labels().length != 1 || label != (int) label || label < 0 || label >= classes) {
                    throw new BuildException("imagenet " + list + ", index " + entry.index()
                            + ": there must be one label, a whole number in [0, " + classes + "): given="
                            + Arrays.toString(entry.labels()));
                }
                items.add(BuildItem.ofFile(
                        Long.toString(entry.index()), Path.of(entry.path()), Label.ofClass((int) label)));
            }
            build.split(split, items);
        }
        return build.run();
    }
}
