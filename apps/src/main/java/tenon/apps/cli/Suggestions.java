package tenon.apps.cli;

import java.util.Comparator;
import java.util.List;
import java.util.stream.Stream;
import picocli.CommandLine;

/** What somebody who mistyped an option or a command may have meant. */
final class Suggestions {
    private static final int FURTHEST = 3;

    private Suggestions() {}

    /** Nearest first, at most two; empty when nothing is near. */
    static List<String> of(CommandLine commandLine, String typed) {
        String word = typed.split("=", 2)[0];
        Stream<String> known = word.startsWith("-")
                ? commandLine.getCommandSpec().optionsMap().keySet().stream()
                : commandLine.getSubcommands().keySet().stream();
        int furthest = Math.min(FURTHEST, word.length() / 2);
        return known.filter(name -> name.length() > 2 && distance(word, name) <= furthest)
                .sorted(Comparator.comparingInt((String name) -> distance(word, name))
                        .thenComparing(Comparator.naturalOrder()))
                .limit(2)
                .toList();
    }

    /** Levenshtein distance: inserted, deleted and replaced letters. */
    static int distance(String a, String b) {
        int[] row = new int[b.length() + 1];
        for (int j = 0; j <= b.length(); j++) {
            row[j] = j;
        }
        for (int i = 1; i <= a.length(); i++) {
            int diagonal = row[0];
            row[0] = i;
            for (int j = 1; j <= b.length(); j++) {
                int replaced = diagonal + (a.charAt(i - 1) == b.charAt(j - 1) ? 0 : 1);
                diagonal = row[j];
                row[j] = Math.min(replaced, 1 + Math.min(row[j], row[j - 1]));
            }
        }
        return row[b.length()];
    }
}
