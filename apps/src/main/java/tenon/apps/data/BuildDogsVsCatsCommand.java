package tenon.apps.data;

import java.nio.file.Path;
import java.util.Map;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import tenon.apps.cli.Console;
import tenon.apps.cli.ImageSize;
import tenon.apps.cli.TenonCommand;
import tenon.io.build.BuildSettings;
import tenon.io.image.Filter;
import tenon.io.sets.DogsVsCatsBuilder;
import tenon.io.sets.Rgb;

/** {@code tenon build dogs-vs-cats}: records of Kaggle's labelled pictures, for either of the chapter's experiments. */
@Command(
        name = "dogs-vs-cats",
        description = {
            "Builds Kaggle's Dogs vs. Cats from the folder of cat.0.jpg, dog.0.jpg and so on: train.trec, val.trec and"
                    + " test.trec, a tenth of each class in the last two, and dogs_vs_cats_mean.json. Pictures are"
                    + " stored as pixels, scaled and cut to 256x256, for AlexNet.",
            "With --features: all.trec, every picture squashed to 224x224, for the features of ResNet-50."
        },
        footerHeading = "%nExamples:%n",
        footer = {
            "  ./tenon build dogs-vs-cats dogs-vs-cats/train --out dogs",
            "  ./tenon build dogs-vs-cats dogs-vs-cats/train --features --out dogs"
        })
public final class BuildDogsVsCatsCommand extends TenonCommand {
    @Parameters(paramLabel = "FOLDER", description = "Folder of the pictures, or the folder that holds it as 'train'.")
    private Path folder;

    @Option(names = "--features", description = "Store all pictures for the experiment with features.")
    private boolean features;

    @Mixin
    private BuildOptions options;

    @Override
    protected Map<String, ?> run(Console console) {
        DogsVsCatsBuilder builder = new DogsVsCatsBuilder(folder);
        if (features) {
            builder.whole();
            // As the original's loader did.
            options.defaultSize(
                    new ImageSize(DogsVsCatsBuilder.FEATURES_SIDE, DogsVsCatsBuilder.FEATURES_SIDE, 3), Filter.NEAREST);
        } else {
            options.defaultCrop(new ImageSize(DogsVsCatsBuilder.SIDE, DogsVsCatsBuilder.SIDE, 3), Filter.AREA);
        }
        return options.runSteps(console, settings -> build(builder, settings, console));
    }

    private static Map<String, Object> build(DogsVsCatsBuilder builder, BuildSettings settings, Console console) {
        long start = System.nanoTime();
        DogsVsCatsBuilder.Result built = builder.build(settings);
        Map<String, Object> result = BuildOutcome.print(built.records(), (System.nanoTime() - start) / 1e9, console);
        built.means().ifPresent(means -> {
            console.print("mean R %.3f, G %.3f, B %.3f", means.red(), means.green(), means.blue());
            result.put("mean", asMap(means));
        });
        return result;
    }

    private static Map<String, Double> asMap(Rgb means) {
        return Map.of("R", means.red(), "G", means.green(), "B", means.blue());
    }
}
