package tenon.io.build;

import java.nio.file.Files;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/**
 * Turns the images that a {@link ListFile} names into record files, in the order of the list. One label per line that is a whole number is a class, anything
 * else a vector. The key of a sample is its index.
 */
public final class ImageListBuilder {
    private final Path file;
    private String root = "";
    private String split;
    private boolean shuffled;
    private List<String> classNames = List.of();

    public ImageListBuilder(Path file) {
        this.file = file;
        String name = file.getFileName().toString();
        split = name.contains(".") ? name.substring(0, name.lastIndexOf('.')) : name;
    }

    /** What stands before every path of the list, as im2rec's root does; a folder's name needs no slash at its end. Default: nothing. */
    public ImageListBuilder root(String prefix) {
        root = prefix;
        return this;
    }

    /** Default: the list's name without its extension. */
    public ImageListBuilder split(String name) {
        split = name;
        return this;
    }

    /** Whether the seed decides the order; default: the list does. */
    public ImageListBuilder shuffled(boolean wanted) {
        shuffled = wanted;
        return this;
    }

    /** Names in the order of the labels; default: 0, 1, …. */
    public ImageListBuilder classes(List<String> names) {
        classNames = List.copyOf(names);
        return this;
    }

    /**
     * Builds the split.
     *
     * @throws BuildException when the list is no list, or as {@link ShardedBuild#run} says
     */
    public BuildReport build(BuildSettings settings) {
        ListFile list = ListFile.read(file);
        NumberLabels.Survey survey = new NumberLabels.Survey("list file " + file);
        for (ListFile.Entry entry : list.entries()) {
            survey.add(entry.labels(), "index " + entry.index());
        }
        NumberLabels labels = survey.result(classNames);
        String prefix = !root.isEmpty() && !root.endsWith("/") && Files.isDirectory(Path.of(root)) ? root + "/" : root;
        List<BuildItem> items = new ArrayList<>();
        for (ListFile.Entry entry : list.entries()) {
            items.add(
                    BuildItem.ofFile(Long.toString(entry.index()), path(prefix, entry), labels.label(entry.labels())));
        }
        return new ShardedBuild("image-list", settings)
                .labels(labels.kind(), labels.size(), labels.classNames())
                .option("list", file.getFileName().toString())
                .option("order", shuffled ? "shuffled by seed " + settings.seed() : "as in the list")
                .split(split, shuffled ? SeededOrder.shuffled(items, settings.seed()) : items)
                .run();
    }

    private Path path(String prefix, ListFile.Entry entry) {
        try {
            return Path.of(prefix + entry.path());
        } catch (InvalidPathException e) {
            throw new BuildException(
                    "list file " + file + ", index " + entry.index() + ": no path of this system: " + e.getMessage(),
                    e);
        }
    }
}
