package tenon.apps.data;

import java.util.List;
import java.util.Locale;
import java.util.Map;

/** Names with their counts, one a line, the counts below each other. */
final class CountLines {
    private CountLines() {}

    static List<String> of(Map<String, Integer> counts) {
        int width = counts.keySet().stream().mapToInt(String::length).max().orElse(1);
        return counts.entrySet().stream()
                .map(entry -> String.format(Locale.ROOT, "  %-" + width + "s  %d", entry.getKey(), entry.getValue()))
                .toList();
    }
}
