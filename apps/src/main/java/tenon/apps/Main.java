package tenon.apps;

import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Spec;

/** The {@code tenon} command: exit code 0 means done, 1 failed, 2 called wrongly. */
@Command(
        name = "tenon",
        description = "Trains, evaluates and inspects deep networks for vision.",
        mixinStandardHelpOptions = true,
        versionProvider = Main.Version.class)
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
        System.exit(new CommandLine(new Main()).execute(args));
    }

    @Override
    public void run() {
        spec.commandLine().usage(System.out);
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
