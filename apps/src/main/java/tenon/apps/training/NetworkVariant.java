package tenon.apps.training;

import com.fasterxml.jackson.annotation.JsonInclude;
import java.util.ArrayList;
import java.util.List;
import tenon.apps.networks.Nonlinearity;
import tenon.apps.networks.NormPosition;
import tenon.apps.networks.ResNet;

/**
 * What a network does otherwise than in the original experiment; null where it does the same. {@link NetworkSpec} says which networks have which
 * choice.
 *
 * @param activation behind convolutions and dense layers
 * @param norm where batch norm stands
 * @param epsilon of batch norm
 * @param design of a residual network
 * @param globalAverage whether the last average goes over the whole map, so that pictures may have any size
 * @param symmetricPadding whether convolutions with a stride pad all four sides alike
 * @param smallStem whether the first layers keep the resolution, for pictures of about 32×32
 * @param learnedGamma whether batch norms that keep their gamma at 1 in the original (MXNet's {@code fix_gamma}) learn it
 */
@JsonInclude(JsonInclude.Include.NON_NULL)
public record NetworkVariant(
        Nonlinearity activation,
        NormPosition norm,
        Double epsilon,
        ResNet.Design design,
        Boolean globalAverage,
        Boolean symmetricPadding,
        Boolean smallStem,
        Boolean learnedGamma) {
    public static final NetworkVariant ORIGINAL = new NetworkVariant(null, null, null, null, null, null, null, null);

    public NetworkVariant withActivation(Nonlinearity newActivation) {
        return new NetworkVariant(
                newActivation, norm, epsilon, design, globalAverage, symmetricPadding, smallStem, learnedGamma);
    }

    public NetworkVariant withNorm(NormPosition position) {
        return new NetworkVariant(
                activation, position, epsilon, design, globalAverage, symmetricPadding, smallStem, learnedGamma);
    }

    public NetworkVariant withEpsilon(double newEpsilon) {
        return new NetworkVariant(
                activation, norm, newEpsilon, design, globalAverage, symmetricPadding, smallStem, learnedGamma);
    }

    public NetworkVariant withDesign(ResNet.Design newDesign) {
        return new NetworkVariant(
                activation, norm, epsilon, newDesign, globalAverage, symmetricPadding, smallStem, learnedGamma);
    }

    public NetworkVariant withGlobalAverage(boolean on) {
        return new NetworkVariant(activation, norm, epsilon, design, on, symmetricPadding, smallStem, learnedGamma);
    }

    public NetworkVariant withSymmetricPadding(boolean on) {
        return new NetworkVariant(activation, norm, epsilon, design, globalAverage, on, smallStem, learnedGamma);
    }

    public NetworkVariant withSmallStem(boolean on) {
        return new NetworkVariant(activation, norm, epsilon, design, globalAverage, symmetricPadding, on, learnedGamma);
    }

    public NetworkVariant withLearnedGamma(boolean on) {
        return new NetworkVariant(activation, norm, epsilon, design, globalAverage, symmetricPadding, smallStem, on);
    }

    /** Only what pictures of another size than the original's need. */
    NetworkVariant ofPictureSize() {
        return new NetworkVariant(null, null, null, null, globalAverage, null, smallStem, null);
    }

    /** What it has, and another's where it has nothing. */
    public NetworkVariant over(NetworkVariant under) {
        return new NetworkVariant(
                or(activation, under.activation),
                or(norm, under.norm),
                or(epsilon, under.epsilon),
                or(design, under.design),
                or(globalAverage, under.globalAverage),
                or(symmetricPadding, under.symmetricPadding),
                or(smallStem, under.smallStem),
                or(learnedGamma, under.learnedGamma));
    }

    private static <T> T or(T first, T second) {
        return first != null ? first : second;
    }

    /** As typed on a command line, e.g. {@code --activation relu --learned-gamma}; empty for the original. */
    public String options() {
        List<String> words = new ArrayList<>();
        value(words, "--activation", activation);
        value(words, "--batch-norm", norm);
        value(words, "--norm-epsilon", epsilon);
        value(words, "--residuals", design);
        flag(words, "--global-average", globalAverage);
        flag(words, "--symmetric-padding", symmetricPadding);
        flag(words, "--small-stem", smallStem);
        flag(words, "--learned-gamma", learnedGamma);
        return String.join(" ", words);
    }

    private static void value(List<String> words, String option, Object value) {
        if (value != null) {
            words.add(option + " " + value);
        }
    }

    private static void flag(List<String> words, String option, Boolean value) {
        if (value == Boolean.TRUE) {
            words.add(option);
        }
    }
}
