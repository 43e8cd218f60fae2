package tenon.apps.data;

import java.nio.file.Path;
import java.util.Map;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import tenon.apps.cli.Console;
import tenon.apps.cli.TenonCommand;
import tenon.io.sets.Hdf5Builder;

/** {@code tenon build hdf5}: a record file from an HDF5 file of images and labels. */
@Command(
        name = "hdf5",
        description = {
            "Builds a record file from an HDF5 file of images [N, H, W] or [N, H, W, C], whole numbers from 0 to 255,"
                    + " and labels [N].",
            "Class names come from a list of strings label_names, where there is one."
        },
        footerHeading = "%nExample:%n",
        footer = "  ./tenon build hdf5 hdf5/train.hdf5 --bgr --classes cat,dog --out records")
public final class BuildHdf5Command extends TenonCommand {
    @Parameters(paramLabel = "FILE", description = "The HDF5 file.")
    private Path file;

    @Option(
            names = "--images",
            paramLabel = "NAME",
            defaultValue = "images",
            description = "Data set of the images. Default: ${DEFAULT-VALUE}.")
    private String images;

    @Option(
            names = "--labels",
            paramLabel = "NAME",
            defaultValue = "labels",
            description = "Data set of the labels. Default: ${DEFAULT-VALUE}.")
    private String labels;

    @Option(names = "--bgr", description = "Channels are blue, green, red, as OpenCV reads them. Default: red first.")
    private boolean bgr;

    @Option(names = "--split", paramLabel = "NAME", description = "Name of the split. Default: the file's name.")
    private String split;

    @Mixin
    private ClassNames classes;

    @Mixin
    private BuildOptions options;

    @Override
    protected Map<String, ?> run(Console console) {
        Hdf5Builder builder =
                new Hdf5Builder(file).images(images).labels(labels).bgr(bgr).classes(classes.get());
        if (split != null) {
            builder.split(split);
        }
        return options.run(console, builder::build);
    }
}
