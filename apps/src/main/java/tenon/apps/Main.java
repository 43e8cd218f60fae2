package tenon.apps;

import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Spec;
import tenon.apps.cli.EnumConverter;
import tenon.apps.cli.Interpreter;
import tenon.apps.data.BuildCommand;
import tenon.apps.data.InspectCommand;
import tenon.apps.training.NetworkSpec;
import tenon.apps.training.SummaryCommand;

/** The {@code tenon} command: exit code 0 means done, 1 failed, 2 called wrongly. */
@Command(
        name = "tenon",
        description = "Trains, evaluates and inspects deep networks for vision.",
        mixinStandardHelpOptions = true,
        versionProvider = Main.Version.class,
        subcommands = {BuildCommand.class, SummaryCommand.class, InspectCommand.class},
        exitCodeListHeading = "%nExit codes:%n",
        exitCodeList = {"0:done", "1:failed", "2:called wrongly"})
public final class Main implements Runnable {
    @Spec
    private CommandSpec spec;

    Main() {}

    /**
     * Runs the command line and ends the JVM with its exit code.
     *
     * @param args what stands after {@code tenon}
     */
    public static void main(String[] args) {
        StandardError.restore();
        // Pictures and charts are drawn into memory, also where a display exists.
        System.setProperty("java.awt.headless", "true");
        System.exit(commandLine().execute(args));
    }

    /** The whole command line, for tests to run inside their JVM. */
    static CommandLine commandLine() {
        CommandLine commandLine = Interpreter.commandLine(new Main());
        register(commandLine, NetworkSpec.Kind.class);
        return commandLine;
    }

    private static <E extends Enum<E>> void register(CommandLine commandLine, Class<E> type) {
        commandLine.registerConverter(type, new EnumConverter<>(type));
    }

    @Override
    public void run() {
        spec.commandLine().usage(spec.commandLine().getOut());
    }

    /** The version of the jar; "development" where there is none. */
    static final class Version implements CommandLine.IVersionProvider {
        @Override
        public String[] getVersion() {
            String version = Main.class.getPackage().getImplementationVersion();
            return new String[] {"tenon " + (version == null ? "development" : version)};
        }
    }
}
