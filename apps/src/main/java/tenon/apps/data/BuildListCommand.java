package tenon.apps.data;

import java.nio.file.Path;
import java.util.Map;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import tenon.apps.cli.Console;
import tenon.apps.cli.TenonCommand;
import tenon.io.build.ImageListBuilder;

/** {@code tenon build list}: record files from the pictures that a list file names. */
@Command(
        name = "list",
        description = {
            "Builds record files from a list file: a line index<TAB>label...<TAB>path per picture (MXNet's .lst).",
            "One whole number per line is a class; several numbers, or fractions, are a vector."
        },
        footerHeading = "%nExample:%n",
        footer = {
            "  ./tenon build list train.lst --root images/ --resize 256 \\",
            "      --encoding jpeg --quality 100 --out rec/train.trec",
            "  As im2rec train.lst images/ train.rec resize=256 encoding=.jpg quality=100."
        })
public final class BuildListCommand extends TenonCommand {
    @Parameters(paramLabel = "LIST", description = "The list file.")
    private Path list;

    @Option(
            names = "--root",
            paramLabel = "PREFIX",
            defaultValue = "",
            description = "What stands before every path of the list. Default: nothing.")
    private String root;

    @Option(names = "--split", paramLabel = "NAME", description = "Name of the split. Default: the list's name.")
    private String split;

    @Option(names = "--shuffle", description = "Let --seed decide the order. Default: the list's order.")
    private boolean shuffle;

    @Mixin
    private ClassNames classes;

    @Mixin
    private BuildOptions options;

    @Override
    protected Map<String, ?> run(Console console) {
        ImageListBuilder builder =
                new ImageListBuilder(list).root(root).shuffled(shuffle).classes(classes.get());
        if (split != null) {
            builder.split(split);
        }
        return options.run(console, builder::build);
    }
}
