package tenon.benchmarks;

import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Spec;
import tenon.apps.StandardError;
import tenon.apps.cli.EnumConverter;
import tenon.apps.cli.Interpreter;
import tenon.apps.cli.Version;
import tenon.benchmarks.gpu.GpuMode;
import tenon.benchmarks.networks.BenchmarkNetwork;
import tenon.benchmarks.networks.Mode;
import tenon.benchmarks.networks.NetworksCommand;
import tenon.engine.Precision;

/** What the launcher starts for {@code ./tenon bench …}. */
@Command(
        name = "tenon",
        mixinStandardHelpOptions = true,
        versionProvider = Version.class,
        subcommands = BenchCommand.class)
public final class Main implements Runnable {
    @Spec
    private CommandSpec spec;

    Main() {}

    /**
     * Runs the command line and ends the JVM with its exit code.
     *
     * @param args {@code bench} and what stands after it
     */
    public static void main(String[] args) {
        StandardError.restore();
        System.setProperty("java.awt.headless", "true");
        System.exit(commandLine().execute(args));
    }

    /** The whole command line, for tests to run inside their JVM. */
    static CommandLine commandLine() {
        CommandLine commandLine = Interpreter.commandLine(new Main());
        commandLine.registerConverter(Mode.class, new EnumConverter<>(Mode.class));
        commandLine.registerConverter(GpuMode.class, new EnumConverter<>(GpuMode.class));
        commandLine.registerConverter(BenchmarkNetwork.class, new EnumConverter<>(BenchmarkNetwork.class));
        commandLine.registerConverter(Precision.class, new EnumConverter<>(Precision.class));
        commandLine.registerConverter(NetworksCommand.Peer.class, new EnumConverter<>(NetworksCommand.Peer.class));
        return commandLine;
    }

    @Override
    public void run() {
        spec.commandLine().usage(spec.commandLine().getOut());
    }
}
