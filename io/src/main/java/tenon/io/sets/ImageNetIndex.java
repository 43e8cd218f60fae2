package tenon.io.sets;

import java.io.File;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.regex.Pattern;
import tenon.io.build.BuildException;
import tenon.io.build.TextLines;

/** Which images ILSVRC's development kit lists, and their labels: the kit's class number less 1, which does not follow the order of WordNet ids. */
public final class ImageNetIndex {
    private static final int LONGEST_LINE = 4096;
    /** No path leads out of its folder. */
    private static final Pattern FILE_NAME = Pattern.compile("[^/\\\\\\s\\x00]*[^/\\\\\\s\\x00.]");

    private final ImageNetConfig config;
    private final ImageNetClasses classes;
    private final Set<String> blacklist = new HashSet<>();

    /** @param path of the image file */
    public record Entry(String path, int label) {}

    /** Reads the table of classes and the blacklist. */
    public ImageNetIndex(ImageNetConfig config) {
        this.config = config;
        classes = ImageNetClasses.read(config.wordIds());
        try (TextLines lines = open(config.valBlacklist())) {
            for (String line = lines.next(); line != null; line = lines.next()) {
                if (!line.isBlank()) {
                    number(line.strip(), Integer.MAX_VALUE, lines);
                    blacklist.add(line.strip());
                }
            }
        }
    }

    static TextLines open(Path file) {
        return new TextLines(file, "imagenet", LONGEST_LINE);
    }

    static String[] fields(String line, int count, String what, TextLines lines) {
        String[] fields = line.strip().split(" ", -1);
        if (fields.length != count || Arrays.stream(fields).anyMatch(String::isBlank)) {
            throw lines.error("a line must be " + what + ", separated by single spaces: '" + shortened(line) + "'");
        }
        return fields;
    }

    static int number(String text, int most, TextLines lines) {
        try {
            int value = Integer.parseInt(text);
            if (value >= 1 && value <= most) {
                return value;
            }
        } catch (NumberFormatException _) {
            // The error below says it.
        }
        throw lines.error("must be a whole number from 1 to " + most + ": '" + shortened(text) + "'");
    }

    private static String shortened(String text) {
        return text.length() <= 60 ? text : text.substring(0, 60) + "…";
    }

    private static void checkName(String name, TextLines lines) {
        if (!FILE_NAME.matcher(name).matches()) {
            throw lines.error("must name a file, without folders and extension: '" + shortened(name) + "'");
        }
    }

    /** Names in the order of the labels; names that two classes share are followed by their WordNet ids. */
    public List<String> classNames() {
        return classes.names();
    }

    /** @throws BuildException when the development kit does not know the class */
    public int label(String wordNetId) {
        Integer label = classes.labels().get(wordNetId);
        if (label == null) {
            throw new BuildException(
                    "imagenet " + config.wordIds() + ": there is no class '" + shortened(wordNetId) + "'");
        }
        return label;
    }

    /** Whether the validation image of this counter is left out. */
    public boolean isBlacklisted(String counter) {
        return blacklist.contains(counter);
    }

    /** The official training images in the order of their list. */
    public List<Entry> trainingSet() {
        String folder = config.imagesPath().resolve("train") + File.separator;
        List<Entry> entries = new ArrayList<>();
        try (TextLines lines = open(config.trainList())) {
            for (String line = lines.next(); line != null; line = lines.next()) {
                if (line.isBlank()) {
                    continue;
                }
                String partial = fields(line, 2, "WordNet id / file name and a counter", lines)[0];
                int slash = partial.indexOf('/');
                if (slash < 0 || !classes.labels().containsKey(partial.substring(0, slash))) {
                    throw lines.error("must begin with the WordNet id of a class of " + config.wordIds()
                            + " and a slash: '" + shortened(partial) + "'");
                }
                checkName(partial.substring(slash + 1), lines);
                entries.add(new Entry(
                        folder + partial.replace('/', File.separatorChar) + ".JPEG",
                        classes.labels().get(partial.substring(0, slash))));
            }
        }
        return notEmpty(entries, config.trainList());
    }

    /** The official validation images in the order of their list, without those on the blacklist. */
    public List<Entry> validationSet() {
        String folder = config.imagesPath().resolve("val") + File.separator;
        List<Entry> entries = new ArrayList<>();
        long lineCount = 0;
        try (TextLines lines = open(config.valList());
                TextLines truth = open(config.valLabels())) {
            String line = nextFilled(lines);
            String label = nextFilled(truth);
            while (line != null && label != null) {
                lineCount++;
                String[] fields = fields(line, 2, "file name and a counter", lines);
                checkName(fields[0], lines);
                int number = number(label.strip(), classes.names().size(), truth);
                if (!isBlacklisted(fields[1])) {
                    entries.add(new Entry(folder + fields[0] + ".JPEG", number - 1));
                }
                line = nextFilled(lines);
                label = nextFilled(truth);
            }
            if (line != null || label != null) {
                throw new BuildException("imagenet: " + config.valList() + " and " + config.valLabels()
                        + " must have equally many lines: one ends after " + lineCount);
            }
        }
        return notEmpty(entries, config.valList());
    }

    private static String nextFilled(TextLines lines) {
        String line = lines.next();
        while (line != null && line.isBlank()) {
            line = lines.next();
        }
        return line;
    }

    private static List<Entry> notEmpty(List<Entry> entries, Path file) {
        if (entries.isEmpty()) {
            throw new BuildException("imagenet " + file + ": there are no images in it");
        }
        return entries;
    }
}
