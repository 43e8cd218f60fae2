package tenon.apps;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.util.List;
import java.util.stream.Stream;
import picocli.CommandLine;

/** The command line inside the test's JVM. */
public final class Cli {
    /** What a command left behind. */
    public record Result(int exitCode, String out, String err) {
        public List<String> outLines() {
            return out.lines().toList();
        }

        public List<String> errLines() {
            return err.lines().toList();
        }

        /** The last line of standard output as JSON. */
        public JsonNode json() {
            try {
                return new ObjectMapper().readTree(outLines().getLast());
            } catch (JsonProcessingException e) {
                throw new AssertionError("not JSON: " + outLines().getLast(), e);
            }
        }
    }

    private Cli() {}

    public static Result run(Object... arguments) {
        CommandLine commandLine = Main.commandLine();
        StringWriter out = new StringWriter();
        StringWriter err = new StringWriter();
        commandLine.setOut(new PrintWriter(out, true));
        commandLine.setErr(new PrintWriter(err, true));
        int exitCode =
                commandLine.execute(Stream.of(arguments).map(String::valueOf).toArray(String[]::new));
        return new Result(exitCode, out.toString(), err.toString());
    }
}
