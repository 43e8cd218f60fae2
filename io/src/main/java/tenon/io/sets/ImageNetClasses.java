package tenon.io.sets;

import java.nio.file.Path;
import java.util.Arrays;
import java.util.Collections;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import tenon.io.build.BuildException;
import tenon.io.build.TextLines;

/**
 * ILSVRC's table of classes, {@code map_clsloc.txt}: lines of WordNet id, class number from 1, and name.
 *
 * @param names in the order of the labels, the kit's numbers less 1; names that two classes share are followed by their WordNet ids
 * @param labels by WordNet id, in the order of the ids
 */
public record ImageNetClasses(List<String> names, Map<String, Integer> labels) {
    private static final int MOST_CLASSES = 1_000_000;

    /** @throws BuildException when the file cannot be read or is no such table */
    public static ImageNetClasses read(Path file) {
        Map<String, Integer> labels = new TreeMap<>();
        Map<Integer, String> names = new HashMap<>();
        Map<Integer, String> wordNetIds = new HashMap<>();
        try (TextLines lines = ImageNetIndex.open(file)) {
            for (String line = lines.next(); line != null; line = lines.next()) {
                if (line.isBlank()) {
                    continue;
                }
                String[] fields = ImageNetIndex.fields(line, 3, "WordNet id, class number and name", lines);
                int label = ImageNetIndex.number(fields[1], MOST_CLASSES, lines) - 1;
                if (names.put(label, fields[2]) != null) {
                    throw lines.error("class number " + fields[1] + " occurs twice");
                }
                if (labels.put(fields[0], label) != null) {
                    throw lines.error("WordNet id " + fields[0] + " occurs twice");
                }
                wordNetIds.put(label, fields[0]);
            }
        }
        String[] ordered = new String[names.size()];
        Map<String, Integer> uses = new HashMap<>();
        names.values().forEach(name -> uses.merge(name, 1, Integer::sum));
        names.forEach((label, name) -> {
            if (label >= ordered.length) {
                throw new BuildException("imagenet " + file + ": class numbers must be 1 to the number of lines: lines="
                        + ordered.length + ", found=" + (label + 1));
            }
            // ILSVRC has two cranes, a bird and a machine.
            ordered[label] = uses.get(name) == 1 ? name : name + "_" + wordNetIds.get(label);
        });
        if (ordered.length == 0) {
            throw new BuildException("imagenet " + file + ": there are no classes in it");
        }
        return new ImageNetClasses(List.copyOf(Arrays.asList(ordered)), Collections.unmodifiableMap(labels));
    }

    /** Names in the order of the WordNet ids, in which published networks have their classes. */
    public List<String> namesByWordNetId() {
        return labels.values().stream().map(names::get).toList();
    }
}
