package tenon.benchmarks.compare;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import picocli.CommandLine.Command;
import picocli.CommandLine.Parameters;
import tenon.apps.cli.Console;
import tenon.apps.cli.TenonCommand;
import tenon.engine.TenonException;

/** {@code tenon bench compare}. */
@Command(
        name = "compare",
        description = {
            "Says what differs between two results of bench networks, kernels or all, and which differences exceed the"
                    + " noise.",
            "Each ratio stands with the 95 % interval that the scatter of the rounds gives it (Welch's t interval on"
                    + " logarithms): where it leaves out 1, something changed."
        },
        footerHeading = "%nExample:%n",
        footer = {
            "  ./tenon bench networks --net all --json > before.txt",
            "  ./tenon bench networks --net all --json > after.txt",
            "  ./tenon bench compare before.txt after.txt"
        })
public final class CompareCommand extends TenonCommand {
    @Parameters(index = "0", paramLabel = "A", description = "A result: JSON, or a command's output that ends with it.")
    private Path before;

    @Parameters(index = "1", paramLabel = "B", description = "The result to compare with it.")
    private Path after;

    @Override
    protected Map<String, ?> run(Console console) throws IOException {
        JsonNode resultA = read(before);
        JsonNode resultB = read(after);
        warnOfOtherMachine(console, resultA.path("machine"), resultB.path("machine"));
        Map<String, Series> a = series(before, resultA);
        Map<String, Series> b = series(after, resultB);
        List<Difference> differences = new ArrayList<>();
        a.forEach((entry, series) -> {
            Series other = b.get(entry);
            if (other != null && series.isPositive() && other.isPositive()) {
                differences.add(Difference.of(entry, series, other));
            }
        });
        if (differences.isEmpty()) {
            throw new TenonException("bench compare: the results must have an entry in common: " + before + " has "
                    + a.keySet() + ", " + after + " has " + b.keySet());
        }
        differences.forEach(difference -> console.print(difference.line()));
        List<String> onlyInA = missing(a, b);
        List<String> onlyInB = missing(b, a);
        onlyInA.forEach(entry -> console.print("only in %s: %s", before, entry));
        onlyInB.forEach(entry -> console.print("only in %s: %s", after, entry));
        Map<String, Object> json = new LinkedHashMap<>();
        for (Difference.Verdict verdict : Difference.Verdict.values()) {
            json.put(
                    verdict.toString().replace(' ', '_'),
                    differences.stream()
                            .filter(difference -> difference.verdict() == verdict)
                            .count());
        }
        console.print(
                "%s better, %s worse, %s within noise, %s without bounds",
                json.get("better"), json.get("worse"), json.get("within_noise"), json.get("no_bounds"));
        json.put("entries", differences.stream().map(Difference::toMap).toList());
        json.put("only_in_a", onlyInA);
        json.put("only_in_b", onlyInB);
        return json;
    }

    private static List<String> missing(Map<String, Series> from, Map<String, Series> in) {
        return from.keySet().stream().filter(entry -> !in.containsKey(entry)).toList();
    }

    private static Map<String, Series> series(Path file, JsonNode result) {
        Map<String, Series> series = Series.of(result);
        if (series.isEmpty()) {
            throw new TenonException(
                    "bench compare: a result must hold measurements (arrays named ..._rounds): " + file);
        }
        return series;
    }

    private static JsonNode read(Path file) throws IOException {
        String text = Files.readString(file).strip();
        ObjectMapper mapper = new ObjectMapper();
        try {
            // A file of its own may be indented; a command's output ends with one line.
            String json = text.startsWith("{") ? text : text.substring(text.lastIndexOf('\n') + 1);
            JsonNode node = mapper.readTree(json);
            if (node != null && node.isObject()) {
                return node;
            }
        } catch (JsonProcessingException _) {
            // Said below.
        }
        throw new TenonException("bench compare: a result must be JSON, or end with a line of JSON (--json): " + file);
    }

    private static void warnOfOtherMachine(Console console, JsonNode a, JsonNode b) {
        for (String fact : List.of("cpu", "cores", "java")) {
            String one = a.path(fact).asText();
            String other = b.path(fact).asText();
            if (!one.equals(other)) {
                console.warn("measured with another " + fact + ": " + one + " and " + other);
            }
        }
    }
}
