package tenon.benchmarks;

import picocli.CommandLine.Command;
import tenon.apps.cli.CommandGroup;
import tenon.benchmarks.floor.FloorCommand;
import tenon.benchmarks.networks.NetworksCommand;

/** {@code tenon bench}. */
@Command(
        name = "bench",
        description = "Measures this machine's kernels and networks, and compares with libtorch.",
        subcommands = {NetworksCommand.class, FloorCommand.class},
        footerHeading = "%nExamples:%n",
        footer = {"  ./tenon bench networks --net minivgg --precision both"})
final class BenchCommand extends CommandGroup {}
