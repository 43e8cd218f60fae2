package tenon.apps.data;

import java.nio.file.Path;
import java.util.Arrays;
import java.util.EnumSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import tenon.apps.cli.Console;
import tenon.apps.cli.TenonCommand;
import tenon.apps.cli.UsageException;
import tenon.io.build.BuildSettings;
import tenon.io.build.StoreEncoding;
import tenon.io.image.Filter;
import tenon.io.sets.ImageNetBuilder;
import tenon.io.sets.ImageNetConfig;
import tenon.io.sets.Rgb;

/** {@code tenon build imagenet}: lists, channel means and records of ILSVRC's classification task. */
@Command(
        name = "imagenet",
        description = {
            "Builds ILSVRC's classification task: lists/train.lst, val.lst and test.lst, imagenet_mean.json, and"
                    + " rec/train.trec, val.trec and test.trec with a shorter side of 256 and JPEG quality 100.",
            "Test pictures are drawn from the official training pictures in proportion to the classes; the blacklist is"
                    + " left out of the validation pictures."
        },
        footerHeading = "%nExamples:%n",
        footer = {
            "  ./tenon build imagenet ILSVRC2015 --out imagenet",
            "  ./tenon build imagenet ILSVRC2015 --out imagenet --only lists,means",
            "  ./tenon build imagenet ILSVRC2015 --out imagenet --only records \\",
            "      --shards 64 --part 1/4"
        })
public final class BuildImageNetCommand extends TenonCommand {
    @Parameters(paramLabel = "BASE", description = "Folder that holds Data/CLS-LOC, ImageSets/CLS-LOC and devkit/data.")
    private Path base;

    @Option(
            names = "--test-images",
            paramLabel = "N",
            description = "Training pictures to set apart for testing (default: 50 times the number of classes).")
    private Integer testImages;

    @Option(
            names = "--only",
            paramLabel = "STEP,...",
            split = ",",
            description = "Some of ${COMPLETION-CANDIDATES}; a step reads the files of those before it. Default: all.")
    private ImageNetBuilder.Step[] only = ImageNetBuilder.Step.values();

    @Mixin
    private BuildOptions options;

    @Override
    protected Map<String, ?> run(Console console) {
        if (testImages != null && testImages < 1) {
            throw new UsageException("--test-images must be at least 1: " + testImages);
        }
        options.defaults(ImageNetConfig.SHORT_SIDE, Filter.BILINEAR, StoreEncoding.JPEG, ImageNetConfig.QUALITY);
        ImageNetBuilder builder = new ImageNetBuilder(new ImageNetConfig(base, options.output()))
                .testImages(testImages == null ? 0 : testImages)
                .steps(EnumSet.copyOf(Arrays.asList(only)));
        return options.runSteps(console, settings -> build(builder, settings, console));
    }

    private static Map<String, Object> build(ImageNetBuilder builder, BuildSettings settings, Console console) {
        long start = System.nanoTime();
        ImageNetBuilder.Result built = builder.build(settings);
        Map<String, Object> result = new LinkedHashMap<>();
        if (!built.counts().isEmpty()) {
            Map<String, Integer> lines = new LinkedHashMap<>();
            List<String> splits = ImageNetBuilder.SPLITS;
            for (int i = 0; i < splits.size(); i++) {
                lines.put(splits.get(i), built.counts().get(i));
                console.print(
                        "lists/%s.lst: %d lines", splits.get(i), built.counts().get(i));
            }
            result.put("lists", lines);
        }
        if (built.means() != null) {
            Rgb means = built.means();
            console.print("mean R %.3f, G %.3f, B %.3f", means.red(), means.green(), means.blue());
            result.put("mean", Map.of("R", means.red(), "G", means.green(), "B", means.blue()));
        }
        if (built.records() != null) {
            result.putAll(BuildOutcome.print(built.records(), (System.nanoTime() - start) / 1e9, console));
        } else if (!built.skipped().isEmpty()) {
            console.print("left out: %d files", built.skipped().size());
        }
        result.put("skipped", built.skipped().size());
        return result;
    }
}
