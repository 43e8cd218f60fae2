package tenon.apps.data;

import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Map;
import picocli.CommandLine.Command;
import picocli.CommandLine.ITypeConverter;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import tenon.apps.cli.BuildBar;
import tenon.apps.cli.Console;
import tenon.apps.cli.EnumConverter;
import tenon.apps.cli.PictureSize;
import tenon.apps.cli.TenonCommand;
import tenon.apps.cli.UsageException;
import tenon.io.synth.SyntheticSet;

/** {@code tenon synth}: drawn pictures in the file layout of a real data set. */
@Command(
        name = "synth",
        description = {
            "Draws pictures that a network can learn to tell apart, in the file layout of a real data set.",
            "The same options and seed give the same files, whatever the number of threads."
        },
        footerHeading = "%nExamples:%n",
        footer = {
            "  ./tenon synth folders --classes 10 --per-class 200 --size 500x375 --out pets",
            "  ./tenon synth imagenet --classes 10 --per-class 200 --out ILSVRC2015",
            "  ./tenon synth cifar10 --per-class 500 --out cifar"
        })
public final class SynthCommand extends TenonCommand {
    /** The names of {@code tenon build} are understood too. */
    static final class LayoutConverter implements ITypeConverter<SyntheticSet.Layout> {
        @Override
        public SyntheticSet.Layout convert(String text) {
            String name = switch (text) {
                case "folder" -> "folders";
                case "cifar" -> "cifar10";
                case "idx" -> "mnist";
                default -> text;
            };
            return new EnumConverter<>(SyntheticSet.Layout.class).convert(name);
        }
    }

    @Parameters(
            paramLabel = "LAYOUT",
            converter = LayoutConverter.class,
            description = {
                "One of ${COMPLETION-CANDIDATES}.",
                "folders: a folder of JPEG files per class. list: one folder, train.lst and val.lst.",
                "imagenet: ILSVRC with ImageSets and devkit. dogsvscats: train/cat.0.jpg.",
                "cifar10: data_batch_1.bin. fer2013: fer2013.csv. mnist: IDX files."
            })
    private SyntheticSet.Layout layout;

    @Option(
            names = {"--out", "--output"},
            paramLabel = "DIR",
            required = true,
            description = "New folder for the files.")
    private Path output;

    @Option(names = "--classes", paramLabel = "N", description = "Number of classes (default: 10).")
    private Integer classes;

    @Option(
            names = "--per-class",
            paramLabel = "N",
            defaultValue = "200",
            description =
                    "Training pictures of each class; cifar10, fer2013 and mnist add test pictures in the proportion"
                            + " of the original. Default: ${DEFAULT-VALUE}.")
    private int perClass;

    @Option(
            names = "--val-per-class",
            paramLabel = "N",
            description = "Validation pictures of each class, for imagenet (default: 50, as in the original).")
    private Integer validationPerClass;

    @Option(names = "--size", paramLabel = "WxH", description = "Width and height of the pictures (default: 500x375).")
    private PictureSize size;

    @Option(
            names = "--mixed-sizes",
            description = "Let sides vary from half to one and a half of --size, a third of the pictures upright.")
    private boolean mixedSizes;

    @Option(names = "--quality", paramLabel = "Q", description = "Of the JPEG files, 1 to 100 (default: 95).")
    private Integer quality;

    @Option(
            names = "--seed",
            paramLabel = "N",
            defaultValue = "42",
            description = "Decides what is drawn. Default: ${DEFAULT-VALUE}.")
    private long seed;

    @Option(names = "--threads", paramLabel = "N", description = "Drawing threads (default: all processors).")
    private Integer threads;

    @Override
    protected Map<String, ?> run(Console console) {
        SyntheticSet set = new SyntheticSet().perClass(perClass).seed(seed).progress(new BuildBar(console));
        refuse(classes != null && layout.fixedClasses() > 0, "--classes", layout.fixedClasses() + " classes");
        refuse(
                validationPerClass != null && layout != SyntheticSet.Layout.IMAGENET,
                "--val-per-class",
                "no such split");
        String fixedSize = layout.fixedSide() + "x" + layout.fixedSide() + " pixels";
        refuse((size != null || mixedSizes) && layout.fixedSide() > 0, "--size and --mixed-sizes", fixedSize);
        refuse(quality != null && layout.fixedSide() > 0, "--quality", "no JPEG files");
        if (classes != null) {
            set.classes(classes);
        }
        if (validationPerClass != null) {
            set.validationPerClass(validationPerClass);
        }
        if (size != null) {
            set.size(size.width(), size.height());
        }
        if (quality != null) {
            set.quality(quality);
        }
        if (threads != null) {
            set.threads(threads);
        }
        long pictures = set.mixedSizes(mixedSizes).write(layout, output);
        console.print("%d pictures in %s", pictures, output);
        Map<String, Object> result = new LinkedHashMap<>();
        result.put("layout", layout.toString());
        result.put("pictures", pictures);
        result.put("output", output.toString());
        return result;
    }

    private void refuse(boolean given, String option, String because) {
        if (given) {
            throw new UsageException(option + " cannot be given for " + layout + ", which has " + because);
        }
    }
}
