package tenon.apps.pretrained;

import java.nio.file.Path;
import java.util.List;
import java.util.stream.IntStream;
import tenon.apps.cli.Console;
import tenon.apps.training.Augmentation;
import tenon.apps.training.Classifier;
import tenon.apps.training.NetworkSpec;
import tenon.apps.training.NetworkVariant;
import tenon.engine.Generator;

/** Another program's weights as a network that can be asked, without a model file in between. */
public final class PretrainedClassifier {
    /** Of a last layer that the file does not have. */
    private static final long SEED = 42;

    private PretrainedClassifier() {}

    /**
     * Builds the network in the current scope, fills it and says what was found. Its classes are called 0, 1, …; a last layer that the file lacks has
     * initial weights.
     *
     * @param names whose names the file has; null for those that find most
     * @param preset how pictures are prepared; null for the weights' authors' way
     */
    public static Classifier read(
            Path file, NetworkSpec.Kind kind, String names, Augmentation preset, Console console) {
        Generator.current().manualSeed(SEED);
        PretrainedWeights.Imported imported = PretrainedWeights.read(
                file,
                new PretrainedWeights.Wanted(kind, null, 0, 1, NetworkVariant.ORIGINAL, names),
                PretrainedWeights.Leniency.OTHER_CLASSES);
        Preparation prepared = Preparation.of(
                imported.settings,
                imported.report.names(),
                preset,
                null,
                null,
                "./tenon import makes a model with --records RECORDS");
        console.print("Weights of %s", file);
        imported.report.toString().lines().forEach(line -> console.print("    %s", line));
        return new Classifier(
                imported.spec,
                imported.network,
                prepared.normalization(),
                prepared.view(),
                numbered(imported.spec.classes()));
    }

    /** The names 0, 1, …. */
    static List<String> numbered(int count) {
        return IntStream.range(0, count).mapToObj(Integer::toString).toList();
    }
}
