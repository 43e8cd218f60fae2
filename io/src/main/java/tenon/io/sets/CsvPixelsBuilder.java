package tenon.io.sets;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import tenon.io.build.BuildException;
import tenon.io.build.BuildItem;
import tenon.io.build.BuildReport;
import tenon.io.build.BuildSettings;
import tenon.io.build.ImageInput;
import tenon.io.build.PixelSize;
import tenon.io.build.ShardedBuild;
import tenon.io.image.Image;
import tenon.io.record.Label;
import tenon.io.record.LabelKind;

/**
 * A CSV file of grey square pictures in the layout of FER2013 (columns emotion, pixels, Usage). Rows of use Training become {@code train}, PrivateTest
 * {@code val}, and all others {@code test}, each in the order of the file. The key of a sample is its row's number from 0.
 */
public final class CsvPixelsBuilder {
    /** FER2013's classes. */
    public static final List<String> EMOTIONS =
            List.of("anger", "disgust", "fear", "happiness", "sadness", "surprise", "neutral");

    /** The classes that are left when disgust, which is rare and looks alike, counts as anger. */
    public static final List<String> MERGED_EMOTIONS =
            List.of("angry", "scared", "happy", "sad", "surprised", "neutral");

    private final Path file;
    private List<String> classNames = EMOTIONS;
    private boolean merged;

    public CsvPixelsBuilder(Path file) {
        this.file = file;
    }

    /** Names in the order of the labels; default: {@link #EMOTIONS}. */
    public CsvPixelsBuilder classes(List<String> names) {
        classNames = List.copyOf(names);
        return this;
    }

    /** Counts class 1 (disgust) as class 0 (anger) and moves the following ones down: {@link #MERGED_EMOTIONS}. Default: no. */
    public CsvPixelsBuilder mergeDisgust(boolean wanted) {
        merged = wanted;
        return this;
    }

    /**
     * Builds the splits that have rows.
     *
     * @throws BuildException when the file is no such table, or as {@link ShardedBuild#run} says
     */
    public BuildReport build(BuildSettings settings) {
        if (merged && classNames.size() != EMOTIONS.size()) {
            throw new BuildException("csv file " + file + ": disgust can be merged into anger when there are "
                    + EMOTIONS.size() + " classes: given=" + classNames.size());
        }
        PixelTable table = PixelTable.read(file);
        int side = (int) Math.round(Math.sqrt(table.pixelCount()));
        if (side * side != table.pixelCount()) {
            throw new BuildException("csv file " + file + ": pictures must be square: pixels=" + table.pixelCount());
        }
        try (RandomFile open = new RandomFile(file, "csv file")) {
            Map<String, List<BuildItem>> splits = new LinkedHashMap<>();
            List.of("train", "val", "test").forEach(split -> splits.put(split, new ArrayList<>()));
            for (int i = 0; i < table.rows().size(); i++) {
                PixelTable.Row row = table.rows().get(i);
                splits.get(split(row.usage())).add(item(i, row, side, open));
            }
            ShardedBuild build = new ShardedBuild("csv", settings)
                    .labels(LabelKind.CLASS, 0, merged ? MERGED_EMOTIONS : classNames)
                    .inputSize(new PixelSize(side, side, 1))
                    .option("file", file.getFileName().toString())
                    .option("mergeDisgust", Boolean.toString(merged))
                    .input(file);
            splits.forEach((split, items) -> {
                if (!items.isEmpty()) {
                    build.split(split, items);
                }
            });
            return build.run();
        }
    }

    private static String split(String usage) {
        return switch (usage) {
            case "Training" -> "train";
            case "PrivateTest" -> "val";
            default -> "test";
        };
    }

    private BuildItem item(int i, PixelTable.Row row, int side, RandomFile open) {
        if (row.label() >= classNames.size()) {
            throw new BuildException("csv file " + file + ", row " + i + ": the class must lie in [0, "
                    + classNames.size() + "): given=" + row.label());
        }
        int label = merged && row.label() > 0 ? row.label() - 1 : row.label();
        ImageInput image = ImageInput.within(
                row.length(),
                () -> new ImageInput.Pixels(new Image(
                        side, side, 1, PixelTable.pixels(open.read(row.offset(), row.length()), side * side))));
        return new BuildItem(Integer.toString(i), file.getFileName() + "#" + i, image, Label.ofClass(label));
    }
}
