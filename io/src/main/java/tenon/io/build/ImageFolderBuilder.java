package tenon.io.build;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import tenon.io.record.Label;
import tenon.io.record.LabelKind;

/**
 * Turns a folder of images into record files, one per split.
 *
 * <p>All .jpg, .jpeg, .png, .bmp, .tif, .tiff and .webp files below the folder are listed; the class of each is its parent folder's name, or what {@link
 * ClassSource} else says, class indices follow the sorted names. The list is sorted, shuffled by the seed, and cut into splits. Files that cannot be decoded are left out and reported; the cut
 * is made before, so a split may then hold fewer images than its share. The result does not depend on the number of threads.
 */
public final class ImageFolderBuilder {
    private final Path folder;
    private final Map<String, Double> shares = new LinkedHashMap<>();
    private String rest = "train";
    private boolean stratified;
    private ClassSource classSource = ClassSource.FOLDER;
    private List<String> expectedClasses = List.of();

    public ImageFolderBuilder(Path folder) {
        this.folder = folder;
    }

    /** Name of the split that gets what the others leave; default {@code train}. */
    public ImageFolderBuilder rest(String name) {
        rest = name;
        return this;
    }

    /** A further split of round(share·n) images, taken from the end of the shuffled list. */
    public ImageFolderBuilder split(String name, double share) {
        shares.put(name, share);
        return this;
    }

    /** Whether every split takes its share of each class; default: of the whole list. */
    public ImageFolderBuilder stratified(boolean wanted) {
        stratified = wanted;
        return this;
    }

    /** What says the classes; default: folders. */
    public ImageFolderBuilder classesFrom(ClassSource source) {
        classSource = source;
        return this;
    }

    /** Class names that must be the folder's; default: whatever is found. */
    public ImageFolderBuilder classes(List<String> names) {
        expectedClasses = names.stream().sorted().toList();
        return this;
    }

    /**
     * Builds every split.
     *
     * @throws BuildException when folders or images are missing, a class has no image that can be decoded, or as {@link ShardedBuild#run} says
     */
    public BuildReport build(BuildSettings settings) {
        ImageList list = ImageList.of(folder, classSource);
        List<String> classNames = list.classNames();
        if (!expectedClasses.isEmpty() && !expectedClasses.equals(classNames)) {
            throw new BuildException("image folder " + folder + ": "
                    + (classSource == ClassSource.FOLDER ? "class folders" : "classes in the names of files")
                    + " must be " + expectedClasses + ": found=" + classNames);
        }
        checkClasses(list, settings.store());
        List<ImageList.Entry> entries = SeededOrder.shuffled(list.entries(), settings.seed());
        int[] classes = entries.stream()
                .mapToInt(entry -> Collections.binarySearch(classNames, entry.className()))
                .toArray();
        Splits splits = new Splits(rest, shares, stratified);
        int[] splitOf = splits.assign(classes, classNames.size());
        ShardedBuild build = new ShardedBuild("image-folder", settings)
                .labels(LabelKind.CLASS, 0, classNames)
                .option(
                        "folder",
                        folder.toAbsolutePath().normalize().getFileName().toString())
                .option("seed", Long.toString(settings.seed()))
                .option("shares", shares.toString())
                .option("stratified", Boolean.toString(stratified))
                .skipped(list.skipped());
        if (classSource != ClassSource.FOLDER) {
            build.option("classes from", classSource.toString());
        }
        for (int s = 0; s < splits.names().size(); s++) {
            List<BuildItem> items = new ArrayList<>();
            for (int i = 0; i < splitOf.length; i++) {
                if (splitOf[i] == s) {
                    ImageList.Entry entry = entries.get(i);
                    items.add(BuildItem.ofFile(entry.key(), entry.file(), Label.ofClass(classes[i])));
                }
            }
            build.split(splits.names().get(s), items);
        }
        return build.run();
    }

    /** Every class must have an image that can be decoded; found out before hours go by. */
    private void checkClasses(ImageList list, ImageStore store) {
        Map<String, String> firstReasons = new TreeMap<>();
        Set<String> usable = new HashSet<>();
        for (ImageList.Entry entry : list.entries()) {
            if (!usable.contains(entry.className())) {
                ItemOutcome outcome =
                        ItemOutcome.of(BuildItem.ofFile(entry.key(), entry.file(), Label.NONE), store.resolve(null));
                if (outcome.isStored()) {
                    usable.add(entry.className());
                } else {
                    firstReasons.putIfAbsent(entry.className(), outcome.reason());
                }
            }
        }
        firstReasons.keySet().removeAll(usable);
        firstReasons.forEach((name, reason) -> {
            throw new BuildException("image folder " + folder + ": no image of class '" + name
                    + "' can be decoded; the first: " + reason);
        });
    }
}
