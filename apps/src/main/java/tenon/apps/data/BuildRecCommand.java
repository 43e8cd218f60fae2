package tenon.apps.data;

import java.nio.file.Path;
import java.util.Map;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import tenon.apps.cli.Console;
import tenon.apps.cli.TenonCommand;
import tenon.io.mxnet.MxRecordBuilder;

/** {@code tenon build rec}: record files from an MXNet record file. */
@Command(
        name = "rec",
        description = {
            "Builds record files from an MXNet record file (.rec), whose JPEG and PNG pictures stay as they are.",
            "One whole number per picture is a class; several numbers, or fractions, are a vector."
        },
        footerHeading = "%nExample:%n",
        footer = {
            "  ./tenon build rec train.rec --list train.lst --shards 8 --out records",
            "  Writes records/train-00000-of-00008.trec and seven more."
        })
public final class BuildRecCommand extends TenonCommand {
    @Parameters(paramLabel = "REC", description = "The record file.")
    private Path file;

    @Option(
            names = {"--index", "--idx"},
            paramLabel = "IDX",
            description = "Take the records that this index (.idx) names, in its order. Default: all.")
    private Path index;

    @Option(
            names = {"--list", "--lst"},
            paramLabel = "LST",
            description = "The list (.lst) it was made from, which says where each picture came from.")
    private Path list;

    @Option(names = "--split", paramLabel = "NAME", description = "Name of the split. Default: the file's name.")
    private String split;

    @Mixin
    private ClassNames classes;

    @Mixin
    private BuildOptions options;

    @Override
    protected Map<String, ?> run(Console console) {
        MxRecordBuilder builder =
                new MxRecordBuilder(file).index(index).list(list).classes(classes.get());
        if (split != null) {
            builder.split(split);
        }
        return options.run(console, builder::build);
    }
}
