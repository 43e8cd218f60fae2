package tenon.apps.data;

import picocli.CommandLine.Command;
import tenon.apps.cli.CommandGroup;

/** {@code tenon export}: record files in other programs' forms. */
@Command(
        name = "export",
        description = "Writes record files (.trec) in the form of other programs.",
        subcommands = ExportRecCommand.class)
public final class ExportCommand extends CommandGroup {}
