package tenon.apps.cli;

import java.util.Map;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutionException;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/** A command: what {@link #run} returns is printed as the last line when {@code --json} was given. */
@Command(
        mixinStandardHelpOptions = true,
        versionProvider = Version.class,
        sortOptions = false,
        usageHelpAutoWidth = true)
public abstract class TenonCommand implements Callable<Integer> {
    @Spec
    private CommandSpec spec;

    @Option(names = "--json", order = 1000, description = "End with one line of JSON that holds the result.")
    private boolean json;

    @Option(names = "--stacktrace", order = 1001, description = "On an error, also print the Java stack trace.")
    private boolean stacktrace;

    protected TenonCommand() {}

    /**
     * Does the work.
     *
     * @return the result in the order in which {@code --json} prints it
     */
    protected abstract Map<String, ?> run(Console console) throws Exception;

    @Override
    public final Integer call() throws Exception {
        var commandLine = spec.commandLine();
        boolean terminal = commandLine.getOut() == Interpreter.standardOut() && Console.isTerminal();
        Map<String, ?> result;
        try {
            result = run(new Console(commandLine.getOut(), commandLine.getErr(), terminal));
        } catch (OutOfMemoryError | LinkageError e) {
            // Picocli hands exceptions to the interpreter, errors not.
            throw new ExecutionException(e);
        }
        if (json) {
            printJson(result);
        }
        return ExitCode.OK;
    }

    /** The command as typed after {@code tenon}. */
    protected final String commandName() {
        String name = spec.qualifiedName();
        return name.substring(name.indexOf(' ') + 1);
    }

    /** Whether {@code --json} was given. */
    protected final boolean wantsJson() {
        return json;
    }

    boolean wantsStackTrace() {
        return stacktrace;
    }

    /** Prints a line of JSON before the last one, for commands whose result is long. */
    protected final void printJson(Map<String, ?> values) {
        var out = spec.commandLine().getOut();
        out.println(JsonLine.of(commandName(), values));
        out.flush();
    }
}
