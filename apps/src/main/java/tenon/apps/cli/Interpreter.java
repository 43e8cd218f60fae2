package tenon.apps.cli;

import java.io.PrintWriter;
import java.util.List;
import java.util.Map;
import picocli.CommandLine;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.ParseResult;
import picocli.CommandLine.UnmatchedArgumentException;

/** Runs a command line: the one place where errors become messages and exit codes. */
public final class Interpreter {
    private static final PrintWriter OUT = new PrintWriter(System.out, true);

    private Interpreter() {}

    static PrintWriter standardOut() {
        return OUT;
    }

    /** @param root the object of the top-level command, with its sub-commands */
    public static CommandLine commandLine(Object root) {
        CommandLine commandLine = new CommandLine(root);
        commandLine.setOut(OUT);
        commandLine.setErr(new PrintWriter(System.err, true));
        commandLine.setCaseInsensitiveEnumValuesAllowed(true);
        commandLine.registerConverter(ImageSize.class, new ImageSize.Converter());
        commandLine.registerConverter(PictureSize.class, new PictureSize.Converter());
        commandLine.setParameterExceptionHandler(Interpreter::wrongCall);
        commandLine.setExecutionExceptionHandler(Interpreter::failure);
        OptionSections.apply(commandLine);
        return commandLine;
    }

    private static int wrongCall(ParameterException error, String[] arguments) {
        CommandLine commandLine = error.getCommandLine();
        String message = error.getMessage();
        if (error instanceof UnmatchedArgumentException unmatched) {
            List<String> suggestions =
                    Suggestions.of(commandLine, unmatched.getUnmatched().getFirst());
            if (!suggestions.isEmpty()) {
                message += ". Did you mean " + String.join(" or ", suggestions) + "?";
            }
        }
        printUsageError(commandLine, message);
        return ExitCode.USAGE;
    }

    private static int failure(Exception error, CommandLine commandLine, ParseResult parsed) {
        TenonCommand command = commandLine.getCommand() instanceof TenonCommand c ? c : null;
        String message = ErrorMessage.of(error);
        if (error instanceof UsageException) {
            printUsageError(commandLine, message);
        } else {
            commandLine.getErr().println(prefix(commandLine) + message);
        }
        if (command != null && command.wantsStackTrace()) {
            error.printStackTrace(commandLine.getErr());
        }
        commandLine.getErr().flush();
        if (command != null && command.wantsJson()) {
            command.printJson(
                    error instanceof FailedCommand failed ? failed.resultWithError() : Map.of("error", message));
        }
        return error instanceof UsageException ? ExitCode.USAGE : ExitCode.FAILED;
    }

    private static void printUsageError(CommandLine commandLine, String message) {
        String name = commandLine.getCommandSpec().qualifiedName();
        commandLine.getErr().println(prefix(commandLine) + message);
        commandLine.getErr().println("Run '" + name + " --help' for what it takes.");
        commandLine.getErr().flush();
    }

    private static String prefix(CommandLine commandLine) {
        return commandLine.getCommandSpec().qualifiedName() + ": ";
    }
}
