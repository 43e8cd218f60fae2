package tenon.apps.experiments;

import java.util.List;
import tenon.apps.cli.UsageException;
import tenon.apps.training.Augmentation;
import tenon.apps.training.NetworkSpec;

/**
 * An experiment that trains no network: logistic regression on the inputs of a pretrained network's last dense layer.
 *
 * @param name as the command line calls it
 * @param candidates for C, the inverse strength of the penalty
 * @param folds of the cross-validation that chooses among them
 * @param testShare of the rows, the last ones of the file; the others are fitted to
 * @param penalizesIntercept whether the penalty holds the intercept down too
 * @param best the candidate that the original chose
 * @param published accuracy on the rows held out, in per cent
 * @param remark what a reader should know
 */
public record FeatureExperiment(
        String name,
        NetworkSpec.Kind network,
        String title,
        Dataset dataset,
        Augmentation augmentation,
        List<Double> candidates,
        int folds,
        double testShare,
        boolean penalizesIntercept,
        double best,
        double published,
        String remark) {

    /** Keras's weights of ImageNet, LIBLINEAR by scikit-learn. */
    private static final FeatureExperiment DOGS_VS_CATS = new FeatureExperiment(
            "resnet50-features-1",
            NetworkSpec.Kind.RESNET50,
            "logistic regression on features of a network that knows ImageNet",
            Dataset.DOGS_VS_CATS,
            Augmentation.DOGS_CATS_FEATURES,
            List.of(0.0001, 0.001, 0.01, 0.1, 1.0),
            3,
            0.25,
            true,
            0.001,
            98.69,
            "82 errors of 6250; printed as 0.986");

    private static final List<FeatureExperiment> ALL = List.of(DOGS_VS_CATS);

    public static List<FeatureExperiment> all() {
        return ALL;
    }

    /** @throws UsageException that names those there are */
    public static FeatureExperiment find(String name) {
        return ALL.stream()
                .filter(experiment -> experiment.name.equals(name))
                .findFirst()
                .orElseThrow(() -> new UsageException("there is no experiment " + name + " with features: it is one of "
                        + ALL.stream().map(FeatureExperiment::name).toList()));
    }
}
