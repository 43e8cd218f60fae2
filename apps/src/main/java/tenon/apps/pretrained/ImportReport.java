package tenon.apps.pretrained;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * What became of a network's tensors and of a file's arrays.
 *
 * @param names the name map
 * @param matched tensors that have the file's values
 * @param missing tensors that the file has no array for, with the name it would have where that is known
 * @param initialized the classifier's tensors that were left at their initialization on purpose
 * @param leftOver arrays of the file that no tensor needed
 * @param ignored arrays of the file that never mean anything to a network here, such as counters of batches
 * @param unusedGammas those of the ignored that hold gammas other than 1
 */
public record ImportReport(
        String names,
        List<Match> matched,
        List<Missing> missing,
        List<String> initialized,
        List<String> leftOver,
        List<String> ignored,
        List<String> unusedGammas) {
    private static final int SHOWN = 10;

    /**
     * @param tensor here
     * @param array in the file
     * @param shape in the file
     */
    public record Match(String tensor, String array, List<Integer> shape) {}

    /** @param array the name it would have, or null where the map knows none */
    public record Missing(String tensor, String array) {
        @Override
        public String toString() {
            return tensor + (array == null ? "" : " (" + array + ")");
        }
    }

    /** Of the tensors that a file should have filled. */
    int wanted() {
        return matched.size() + missing.size() + initialized.size();
    }

    /** For {@code --json}. */
    public Map<String, Object> toMap() {
        Map<String, Object> map = new LinkedHashMap<>();
        map.put("names", names);
        map.put("matched", matched);
        map.put("missing", missing);
        map.put("initialized", initialized);
        map.put("leftOver", leftOver);
        map.put("ignored", ignored);
        map.put("unusedGammas", unusedGammas);
        return map;
    }

    /** A line per group, the lists cut short. */
    @Override
    public String toString() {
        List<String> lines = new ArrayList<>();
        lines.add("Names: " + names);
        lines.add("Matched: " + matched.size() + " of " + wanted() + " tensors");
        add(lines, "Missing in the file", missing);
        add(lines, "Left at their initialization", initialized);
        add(lines, "Left over in the file", leftOver);
        add(lines, "Ignored in the file", ignored);
        add(lines, "Gammas other than 1, which only --learned-gamma uses (in MXNet: without fix_gamma)", unusedGammas);
        return String.join("\n", lines);
    }

    private static void add(List<String> lines, String what, List<?> names) {
        if (!names.isEmpty()) {
            lines.add(what + ": " + names.size() + ": " + shortened(names));
        }
    }

    /** The first few. */
    static String shortened(List<?> names) {
        List<String> shown = new ArrayList<>(
                names.stream().limit(SHOWN).map(Object::toString).toList());
        if (names.size() > SHOWN) {
            shown.add("…");
        }
        return String.join(", ", shown);
    }
}
