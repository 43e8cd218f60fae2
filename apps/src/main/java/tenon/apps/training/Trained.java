package tenon.apps.training;

import java.nio.file.Path;
import java.util.Arrays;
import tenon.apps.cli.Console;
import tenon.apps.cli.UsageException;
import tenon.io.data.Normalization;
import tenon.io.record.Records;

/**
 * How pictures become inputs of a network that is trained, which measuring it must not change.
 *
 * @param stored size of the pictures that it was trained on; null where it is not known
 */
record Trained(NetworkSpec spec, Normalization normalization, Augmentation augmentation, StoredSize stored) {
    /**
     * Throws where a configuration to measure with differs, which the weights would fit all the same.
     *
     * @param config whose weights these are
     */
    void check(RunConfig config, Console console) {
        String weights = config.start().weights();
        NetworkSpec given = config.network();
        require(
                given.picture().equals(spec.picture()),
                "the input",
                given.picture(),
                spec.picture(),
                weights,
                "--size");
        require(
                given.variant().equals(spec.variant()),
                "the network's variant",
                text(given.variant()),
                text(spec.variant()),
                weights,
                "--experiment, --activation and the like");
        require(
                given.normMomentum() == spec.normMomentum(),
                "the momentum of batch norm's averages",
                given.normMomentum(),
                spec.normMomentum(),
                weights,
                "--norm");
        if (!config.data().train().isSynthetic()) {
            Normalization scaled = config.data().normalization();
            require(
                    scaled.isSame(normalization, spec.channels()),
                    "the scaling of values",
                    text(scaled),
                    text(normalization),
                    weights,
                    "--normalize");
            warnOfView(config, console);
        }
    }

    private void warnOfView(RunConfig config, Console console) {
        Fit fit = config.augmentation().fit();
        if (fit != augmentation.fit()) {
            console.warn("--augment " + config.augmentation() + " shows pictures otherwise than training's --augment "
                    + augmentation + " did: " + fit.description() + ", not "
                    + augmentation.fit().description());
        }
        String file = config.data().validation().file();
        try (Records records = Records.open(Path.of(file))) {
            String squashed =
                    StoredSize.squashed(file, records.schema(), config.augmentation(), config.network(), stored);
            if (squashed != null) {
                console.warn(squashed);
            }
        }
    }

    private static void require(boolean same, String what, Object given, Object known, String weights, String options) {
        if (!same) {
            throw new UsageException("--evaluate-only measures weights as they were trained: " + what + " is " + given
                    + " here, " + known + " in " + weights + " (leave " + options + " out)");
        }
    }

    private static String text(NetworkVariant variant) {
        return variant.equals(NetworkVariant.ORIGINAL) ? "the original" : variant.options();
    }

    private static String text(Normalization normalization) {
        return "(value - " + Arrays.toString(normalization.means()) + ") / " + Arrays.toString(normalization.stds());
    }
}
