package tenon.apps.training;

import com.fasterxml.jackson.annotation.JsonInclude;
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
 */
@JsonInclude(JsonInclude.Include.NON_NULL)
public record NetworkVariant(
        Nonlinearity activation,
        NormPosition norm,
        Double epsilon,
        ResNet.Design design,
        Boolean globalAverage,
        Boolean symmetricPadding,
        Boolean smallStem) {
    public static final NetworkVariant ORIGINAL = new NetworkVariant(null, null, null, null, null, null, null);

    public NetworkVariant withActivation(Nonlinearity newActivation) {
        return new NetworkVariant(newActivation, norm, epsilon, design, globalAverage, symmetricPadding, smallStem);
    }

    public NetworkVariant withNorm(NormPosition position) {
        return new NetworkVariant(activation, position, epsilon, design, globalAverage, symmetricPadding, smallStem);
    }

    public NetworkVariant withEpsilon(double newEpsilon) {
        return new NetworkVariant(activation, norm, newEpsilon, design, globalAverage, symmetricPadding, smallStem);
    }

    public NetworkVariant withDesign(ResNet.Design newDesign) {
        return new NetworkVariant(activation, norm, epsilon, newDesign, globalAverage, symmetricPadding, smallStem);
    }

    public NetworkVariant withGlobalAverage(boolean on) {
        return new NetworkVariant(activation, norm, epsilon, design, on, symmetricPadding, smallStem);
    }

    public NetworkVariant withSymmetricPadding(boolean on) {
        return new NetworkVariant(activation, norm, epsilon, design, globalAverage, on, smallStem);
    }

    public NetworkVariant withSmallStem(boolean on) {
        return new NetworkVariant(activation, norm, epsilon, design, globalAverage, symmetricPadding, on);
    }
}
