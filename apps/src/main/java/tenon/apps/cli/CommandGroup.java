package tenon.apps.cli;

import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

/** A command that only has sub-commands. */
@Command(mixinStandardHelpOptions = true, versionProvider = Version.class, usageHelpAutoWidth = true)
public abstract class CommandGroup implements Callable<Integer> {
    @Spec
    private CommandSpec spec;

    protected CommandGroup() {}

    @Override
    public final Integer call() {
        throw new ParameterException(
                spec.commandLine(),
                "Say which: "
                        + String.join(", ", spec.commandLine().getSubcommands().keySet()));
    }
}
