package tenon.apps.data;

import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.stream.IntStream;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import tenon.apps.cli.Console;
import tenon.apps.cli.TenonCommand;
import tenon.apps.cli.UsageException;
import tenon.io.build.IdxBuilder;

/** {@code tenon build idx}: record files from a pair of IDX files, the format of MNIST. */
@Command(
        name = "idx",
        description = "Builds record files from a pair of IDX files (MNIST's format; plain or .gz).",
        footerHeading = "%nExample:%n",
        footer = {
            "  ./tenon build idx train-images-idx3-ubyte.gz train-labels-idx1-ubyte.gz \\",
            "      --output output/mnist --hold-out 5000",
            "  Writes output/mnist/train.trec and output/mnist/val.trec."
        })
public final class BuildIdxCommand extends TenonCommand {
    @Parameters(index = "0", paramLabel = "IMAGES", description = "IDX file of images [N, H, W].")
    private Path images;

    @Parameters(index = "1", paramLabel = "LABELS", description = "IDX file of labels [N].")
    private Path labels;

    @Option(
            names = "--split",
            paramLabel = "NAME",
            defaultValue = "train",
            description = "Name of the split and its file. Default: ${DEFAULT-VALUE}.")
    private String split;

    @Option(
            names = "--hold-out",
            paramLabel = "N",
            defaultValue = "0",
            description = "Put N samples into val.trec instead. Default: ${DEFAULT-VALUE}.")
    private int holdOut;

    @Option(
            names = "--hold-out-seed",
            paramLabel = "N",
            description = "Choose the held-out samples at random with this seed (default: the last ones).")
    private Long holdOutSeed;

    @Option(
            names = "--classes",
            paramLabel = "NAME,NAME,...",
            split = ",",
            description = "Names of the classes in the order of their numbers. Default: 0,1,...,9.")
    private List<String> classes =
            IntStream.range(0, 10).mapToObj(Integer::toString).toList();

    @Mixin
    private BuildOptions options;

    @Override
    protected Map<String, ?> run(Console console) {
        if (holdOut < 0 || holdOutSeed != null && holdOut == 0) {
            throw new UsageException(
                    holdOut < 0 ? "--hold-out must be at least 0: " + holdOut : "--hold-out-seed needs --hold-out");
        }
        IdxBuilder builder = new IdxBuilder(images, labels, classes).split(split);
        if (holdOut > 0) {
            if (holdOutSeed == null) {
                builder.holdOutLast("val", holdOut);
            } else {
                builder.holdOutSeeded("val", holdOut, holdOutSeed);
            }
        }
        return options.run(console, builder::build);
    }
}
