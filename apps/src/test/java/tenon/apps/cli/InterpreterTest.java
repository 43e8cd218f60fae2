package tenon.apps.cli;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.io.UncheckedIOException;
import java.nio.file.NoSuchFileException;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.concurrent.Callable;
import org.junit.jupiter.api.Test;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import tenon.engine.ShapeException;

class InterpreterTest {
    private final StringWriter out = new StringWriter();
    private final StringWriter err = new StringWriter();

    @Test
    void resultIsTheLastLineWithTheCommandFirst() throws Exception {
        assertThat(run("work", "--json")).isZero();
        assertThat(out.toString().lines().toList())
                .containsExactly("working", "{\"command\":\"work\",\"b\":1,\"a\":0.5}");
        assertThat(new ObjectMapper()
                        .readTree(out.toString().lines().toList().getLast())
                        .get("a")
                        .asDouble())
                .isEqualTo(0.5);
    }

    @Test
    void withoutJsonThereIsNoSuchLine() {
        assertThat(run("work")).isZero();
        assertThat(out.toString().strip()).isEqualTo("working");
    }

    @Test
    void tenonErrorsAreTheirMessage() {
        Work.failure = new ShapeException("dense 'fc1': last input dimension must be 3");
        assertThat(run("work")).isEqualTo(1);
        assertThat(err.toString().strip()).isEqualTo("tenon work: dense 'fc1': last input dimension must be 3");
    }

    @Test
    void stackTraceOnlyOnRequest() {
        Work.failure = new IllegalStateException("oops");
        assertThat(run("work")).isEqualTo(1);
        assertThat(err.toString().lines().toList())
                .containsExactly(
                        "tenon work: unexpected error: IllegalStateException: oops",
                        "Run it again with --stacktrace to see where.");
        Work.failure = new IllegalStateException("oops");
        assertThat(run("work", "--stacktrace")).isEqualTo(1);
        assertThat(err.toString()).contains("at tenon.apps.cli.InterpreterTest");
    }

    @Test
    void missingFileNamesTheFile() {
        Work.failure = new UncheckedIOException(new NoSuchFileException("no.trec"));
        assertThat(run("work", "--json")).isEqualTo(1);
        assertThat(err.toString().strip()).isEqualTo("tenon work: no such file or folder: no.trec");
        assertThat(out.toString().lines().toList().getLast())
                .isEqualTo("{\"command\":\"work\",\"error\":\"no such file or folder: no.trec\"}");
    }

    @Test
    void javaErrorsAreMessagesToo() {
        Work.error = new OutOfMemoryError("Java heap space");
        assertThat(run("work")).isEqualTo(1);
        assertThat(err.toString()).startsWith("tenon work: the Java heap is full (Java heap space): raise it with");
    }

    @Test
    void wrongUseOfOptionsIsExitCode2() {
        Work.failure = new UsageException("--val needs --data");
        assertThat(run("work")).isEqualTo(2);
        assertThat(err.toString().lines().toList())
                .containsExactly("tenon work: --val needs --data", "Run 'tenon work --help' for what it takes.");
    }

    @Test
    void unknownOptionSuggestsTheRightOne() {
        assertThat(run("work", "--epoch=3")).isEqualTo(2);
        assertThat(err.toString().lines().findFirst().orElseThrow())
                .isEqualTo("tenon work: Unknown option: '--epoch=3'. Did you mean --epochs?");
        assertThat(out.toString()).isEmpty();
    }

    @Test
    void unknownCommandSuggestsTheRightOne() {
        assertThat(run("wrok")).isEqualTo(2);
        assertThat(err.toString().lines().findFirst().orElseThrow())
                .isEqualTo("tenon: Unmatched argument at index 0: 'wrok'. Did you mean work?");
    }

    @Test
    void badValueNamesOptionAndValue() {
        assertThat(run("work", "--epochs", "many")).isEqualTo(2);
        assertThat(err.toString())
                .contains("Invalid value for option '--epochs'")
                .contains("many");
    }

    private int run(String... arguments) {
        CommandLine commandLine = Interpreter.commandLine(new Top());
        commandLine.setOut(new PrintWriter(out, true));
        commandLine.setErr(new PrintWriter(err, true));
        try {
            return commandLine.execute(arguments);
        } finally {
            Work.failure = null;
            Work.error = null;
        }
    }

    @Command(name = "tenon", subcommands = Work.class)
    static final class Top implements Callable<Integer> {
        @Override
        public Integer call() {
            return 0;
        }
    }

    @Command(name = "work")
    static final class Work extends TenonCommand {
        static RuntimeException failure;
        static Error error;

        @Option(names = "--epochs")
        int epochs;

        @Override
        protected Map<String, ?> run(Console console) {
            if (failure != null) {
                throw failure;
            }
            if (error != null) {
                throw error;
            }
            console.print("working");
            Map<String, Object> result = new LinkedHashMap<>();
            result.put("b", 1);
            result.put("a", 0.5);
            return result;
        }
    }
}
