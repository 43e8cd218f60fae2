package tenon.apps.networks;

import tenon.engine.ops.Activation;
import tenon.engine.ops.BatchNormSpec;
import tenon.layers.BatchNorm;
import tenon.layers.Conv2d;
import tenon.layers.Dense;
import tenon.layers.Initializer;
import tenon.layers.Sequential;

/**
 * How AlexNet and VGG make a unit of a convolution or dense layer: layer → activation → batch norm in the originals, or batch norm first, or none.
 * Layers are named {@code act} and {@code bn} with the unit's number; an activation that directly follows and has no slopes of its own is part of
 * the convolution or dense layer.
 *
 * @param norm without activation
 * @param initializer of weights; biases start at 0
 */
public record UnitStyle(Nonlinearity activation, NormPosition position, BatchNormSpec norm, Initializer initializer) {

    /** Adds the unit; the convolution's activation and initializer are set here. */
    void add(Sequential network, String name, String unit, Conv2d.Builder conv, int channels) {
        network.add(name, conv.activation(direct()).initializer(initializer).build());
        follow(network, unit, channels);
    }

    void add(Sequential network, String name, String unit, Dense.Builder dense, int features) {
        network.add(name, dense.activation(direct()).initializer(initializer).build());
        follow(network, unit, features);
    }

    private Activation direct() {
        return position == NormPosition.BEFORE_ACTIVATION ? Activation.NONE : activation.activation();
    }

    private void follow(Sequential network, String unit, int channels) {
        switch (position) {
            case BEFORE_ACTIVATION -> {
                network.add("bn" + unit, new BatchNorm(channels, norm));
                network.add("act" + unit, activation.layer(channels));
            }
            case AFTER_ACTIVATION -> {
                addSlopes(network, unit, channels);
                network.add("bn" + unit, new BatchNorm(channels, norm));
            }
            case NONE -> addSlopes(network, unit, channels);
        }
    }

    private void addSlopes(Sequential network, String unit, int channels) {
        if (activation.kind() == Nonlinearity.Kind.PRELU) {
            network.add("act" + unit, activation.layer(channels));
        }
    }
}
