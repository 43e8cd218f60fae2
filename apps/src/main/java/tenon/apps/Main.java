package tenon.apps;

import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Spec;
import tenon.apps.cli.EnumConverter;
import tenon.apps.cli.Interpreter;
import tenon.apps.cli.Interruption;
import tenon.apps.cli.Version;
import tenon.apps.data.BuildCommand;
import tenon.apps.data.InspectCommand;
import tenon.apps.data.SynthCommand;
import tenon.apps.doctor.DoctorCommand;
import tenon.apps.experiments.ExperimentsCommand;
import tenon.apps.features.FeaturesCommand;
import tenon.apps.features.LogregCommand;
import tenon.apps.firstnetwork.FirstNetworkCommand;
import tenon.apps.networks.NormPosition;
import tenon.apps.networks.ResNet;
import tenon.apps.prediction.PredictCommand;
import tenon.apps.pretrained.ExportCommand;
import tenon.apps.pretrained.ImportCommand;
import tenon.apps.quickstart.QuickstartCommand;
import tenon.apps.training.AugmentCommand;
import tenon.apps.training.Augmentation;
import tenon.apps.training.EvaluateCommand;
import tenon.apps.training.NetworkSpec;
import tenon.apps.training.OptimizerSpec;
import tenon.apps.training.PlotCommand;
import tenon.apps.training.ResumeCommand;
import tenon.apps.training.RunConfig;
import tenon.apps.training.Scaling;
import tenon.apps.training.ScheduleSpec;
import tenon.apps.training.SummaryCommand;
import tenon.apps.training.TrainCommand;
import tenon.engine.Precision;
import tenon.io.build.ClassSource;
import tenon.io.build.StoreEncoding;
import tenon.io.sets.ImageNetBuilder;

/** The {@code tenon} command: exit code 0 means done, 1 failed, 2 called wrongly. */
@Command(
        name = "tenon",
        description = "Trains, evaluates and inspects deep networks for vision.",
        mixinStandardHelpOptions = true,
        versionProvider = Version.class,
        subcommands = {
            QuickstartCommand.class,
            BuildCommand.class,
            SynthCommand.class,
            TrainCommand.class,
            ResumeCommand.class,
            PlotCommand.class,
            EvaluateCommand.class,
            PredictCommand.class,
            SummaryCommand.class,
            ExperimentsCommand.class,
            FeaturesCommand.class,
            LogregCommand.class,
            InspectCommand.class,
            AugmentCommand.class,
            ImportCommand.class,
            ExportCommand.class,
            FirstNetworkCommand.class,
            DoctorCommand.class
        },
        footer = {"", "And ./tenon bench --help: benchmarks, a module of their own that the first use builds."},
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
        Interruption.exit(commandLine().execute(args));
    }

    /** The whole command line, for tests to run inside their JVM. */
    static CommandLine commandLine() {
        CommandLine commandLine = Interpreter.commandLine(new Main());
        register(commandLine, NetworkSpec.Kind.class);
        register(commandLine, OptimizerSpec.Kind.class);
        register(commandLine, ScheduleSpec.Kind.class);
        register(commandLine, Augmentation.class);
        register(commandLine, RunConfig.Judge.class);
        register(commandLine, Scaling.class);
        register(commandLine, TrainCommand.Norm.class);
        register(commandLine, NormPosition.class);
        register(commandLine, ResNet.Design.class);
        register(commandLine, Precision.class);
        register(commandLine, StoreEncoding.class);
        register(commandLine, ClassSource.class);
        register(commandLine, ImageNetBuilder.Step.class);
        register(commandLine, ExportCommand.Format.class);
        return commandLine;
    }

    private static <E extends Enum<E>> void register(CommandLine commandLine, Class<E> type) {
        commandLine.registerConverter(type, new EnumConverter<>(type));
    }

    @Override
    public void run() {
        spec.commandLine().usage(spec.commandLine().getOut());
    }
}
