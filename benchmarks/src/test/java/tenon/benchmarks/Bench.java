package tenon.benchmarks;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.util.List;
import java.util.stream.Stream;

/** {@code tenon bench …} inside the test's JVM. */
public final class Bench {
    /** What a command left behind. */
    public record Result(int exitCode, String out, String err) {
        /** The last line of standard output. */
        public JsonNode json() {
            List<String> lines = out.lines().toList();
            try {
                return new ObjectMapper().readTree(lines.getLast());
            } catch (JsonProcessingException e) {
                throw new AssertionError("not JSON: " + lines.getLast(), e);
            }
        }
    }

    private Bench() {}

    public static Result run(Object... arguments) {
        var commandLine = Main.commandLine();
        StringWriter out = new StringWriter();
        StringWriter err = new StringWriter();
        commandLine.setOut(new PrintWriter(out, true));
        commandLine.setErr(new PrintWriter(err, true));
        Stream<String> all =
                Stream.concat(Stream.of("bench"), Stream.of(arguments).map(String::valueOf));
        return new Result(commandLine.execute(all.toArray(String[]::new)), out.toString(), err.toString());
    }
}
