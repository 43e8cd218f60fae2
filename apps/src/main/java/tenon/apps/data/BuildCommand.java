package tenon.apps.data;

import picocli.CommandLine.Command;
import tenon.apps.cli.CommandGroup;

/** {@code tenon build}: record files from pictures and labels in other forms. */
@Command(
        name = "build",
        description = "Builds record files (.trec), which training reads quickly and checks by checksum.",
        subcommands = {
            BuildFolderCommand.class,
            BuildListCommand.class,
            BuildImageNetCommand.class,
            BuildCifar10Command.class,
            BuildDogsVsCatsCommand.class,
            BuildFashionMnistCommand.class,
            BuildIdxCommand.class,
            BuildCsvCommand.class,
            BuildHdf5Command.class,
            BuildRecCommand.class
        })
public final class BuildCommand extends CommandGroup {}
