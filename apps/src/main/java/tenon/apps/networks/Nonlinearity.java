package tenon.apps.networks;

import com.fasterxml.jackson.annotation.JsonCreator;
import com.fasterxml.jackson.annotation.JsonValue;
import java.util.Arrays;
import java.util.Locale;
import java.util.Set;
import java.util.stream.Collectors;
import tenon.engine.Shape;
import tenon.engine.ops.Activation;
import tenon.layers.ActivationLayer;
import tenon.layers.Initializer;
import tenon.layers.Module;
import tenon.layers.PRelu;

/**
 * The activation of a network's layers as text: {@code relu}, {@code relu6}, {@code leaky-relu:0.1}, {@code elu:0.25}, {@code prelu:0.25},
 * {@code sigmoid}, {@code tanh}.
 *
 * @param parameter slope for x &lt; 0 of leaky ReLU, alpha of ELU, the first slope of PReLU; 0 for the others
 */
public record Nonlinearity(Kind kind, float parameter) {
    public enum Kind {
        RELU,
        RELU6,
        LEAKY_RELU,
        ELU,
        /** Its slopes are learned, one per channel. */
        PRELU,
        SIGMOID,
        TANH;

        @Override
        public String toString() {
            return name().toLowerCase(Locale.ROOT).replace('_', '-');
        }
    }

    private static final Set<Kind> WITH_PARAMETER = Set.of(Kind.LEAKY_RELU, Kind.ELU, Kind.PRELU);

    public static final Nonlinearity RELU = new Nonlinearity(Kind.RELU, 0);
    public static final Nonlinearity RELU6 = new Nonlinearity(Kind.RELU6, 0);

    public Nonlinearity {
        if (!Float.isFinite(parameter) || !WITH_PARAMETER.contains(kind) && parameter != 0) {
            throw new IllegalArgumentException("activation: " + kind + " must have "
                    + (WITH_PARAMETER.contains(kind) ? "a finite parameter" : "no parameter") + ": " + parameter);
        }
    }

    /** MXNet's alpha is 0.25, Keras's and PyTorch's is 1. */
    public static Nonlinearity elu(double alpha) {
        return new Nonlinearity(Kind.ELU, (float) alpha);
    }

    /** @param slope that every channel starts with */
    public static Nonlinearity prelu(double slope) {
        return new Nonlinearity(Kind.PRELU, (float) slope);
    }

    /** Reads what {@link #toString} writes; a missing parameter is 0.25 for ELU and PReLU (MXNet's defaults) and 0.01 for leaky ReLU. */
    @JsonCreator
    public static Nonlinearity parse(String text) {
        int colon = text.indexOf(':');
        String name = colon < 0 ? text : text.substring(0, colon);
        Kind kind = Arrays.stream(Kind.values())
                .filter(candidate -> candidate.toString().equalsIgnoreCase(name))
                .findFirst()
                .orElseThrow(() -> new IllegalArgumentException("'" + text + "' must be one of "
                        + Arrays.stream(Kind.values()).map(Kind::toString).collect(Collectors.joining(", "))
                        + ", with a number where it has one, e.g. elu:0.25"));
        if (colon < 0) {
            return new Nonlinearity(
                    kind,
                    switch (kind) {
                        case ELU, PRELU -> 0.25f;
                        case LEAKY_RELU -> 0.01f;
                        case RELU, RELU6, SIGMOID, TANH -> 0;
                    });
        }
        try {
            return new Nonlinearity(kind, Float.parseFloat(text.substring(colon + 1)));
        } catch (NumberFormatException e) {
            throw new IllegalArgumentException("'" + text + "' must end in a number, e.g. elu:0.25", e);
        }
    }

    /** What a layer can do in its own pass: all but PReLU, which is {@link Activation#NONE} here. */
    public Activation activation() {
        return switch (kind) {
            case RELU -> Activation.RELU;
            case RELU6 -> Activation.RELU6;
            case LEAKY_RELU -> Activation.leakyRelu(parameter);
            case ELU -> Activation.elu(parameter);
            case PRELU -> Activation.NONE;
            case SIGMOID -> Activation.SIGMOID;
            case TANH -> Activation.TANH;
        };
    }

    /** A layer of its own for values with that many channels. */
    Module layer(int channels) {
        return kind == Kind.PRELU
                ? new PRelu(Initializer.constant(parameter).create(Shape.of(channels)))
                : new ActivationLayer(activation());
    }

    @JsonValue
    @Override
    public String toString() {
        return WITH_PARAMETER.contains(kind) ? kind + ":" + parameter : kind.toString();
    }
}
