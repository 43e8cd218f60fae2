package tenon.benchmarks;

import picocli.CommandLine.Command;
import tenon.apps.cli.CommandGroup;
import tenon.benchmarks.compare.CompareCommand;
import tenon.benchmarks.floor.FloorCommand;
import tenon.benchmarks.gpu.GpuCommand;
import tenon.benchmarks.kernels.KernelsCommand;
import tenon.benchmarks.loader.LoaderCommand;
import tenon.benchmarks.networks.NetworksCommand;
import tenon.benchmarks.report.AllCommand;

/** {@code tenon bench}. */
@Command(
        name = "bench",
        description =
                "Measures this machine's kernels, networks and data loading, and compares with libtorch and ImageIO.",
        subcommands = {
            NetworksCommand.class,
            FloorCommand.class,
            KernelsCommand.class,
            LoaderCommand.class,
            GpuCommand.class,
            CompareCommand.class,
            AllCommand.class
        },
        footerHeading = "%nExamples:%n",
        footer = {
            "  ./tenon bench networks --net minivgg --precision both     training step beside libtorch's",
            "  ./tenon bench floor --net resnet50                        what oneDNN's primitives alone take",
            "  ./tenon bench kernels --net resnet50 --filter convolution  each kernel and the roofline",
            "  ./tenon bench loader --records output/256.trec            images from records, beside ImageIO",
            "  ./tenon bench gpu --net resnet50 --peer python3            a GPU, beside PyTorch",
            "  ./tenon bench compare before.json after.json              what changed beyond the noise",
            "  ./tenon bench all --report docs/benchmarks                everything, as tables and plots",
            "",
            "benchmarks/README.md says what is compared and how to measure honestly."
        })
final class BenchCommand extends CommandGroup {}
