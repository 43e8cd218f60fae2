package tenon.apps.networks;

import java.util.Arrays;
import tenon.engine.ops.Activation;
import tenon.engine.ops.BatchNormSpec;
import tenon.engine.ops.PoolSpec;
import tenon.layers.BatchNorm;
import tenon.layers.Conv2d;
import tenon.layers.Dense;
import tenon.layers.Flatten;
import tenon.layers.GlobalAvgPool2d;
import tenon.layers.Initializer;
import tenon.layers.MaxPool2d;
import tenon.layers.Module;
import tenon.layers.Sequential;
import tenon.layers.blocks.PostActivationUnit;
import tenon.layers.blocks.PreActivationUnit;

/**
 * Residual network (He et al. 2015, "Deep residual learning", table 1): input [N, H, W, C], output logits [N, classes]. Batch norm of the
 * input, convolution 7×7/2, batch norm, ReLU, max pool 3×3/2; stages of residual units, of which the first has a projection and, from the second
 * stage on, stride 2; in pre-activation networks batch norm and ReLU; global average; dense. Convolutions have no bias.
 *
 * <p>Defaults are those of the original experiment in MXNet: pre-activation bottlenecks, batch norm with epsilon 2e-5 and momentum 0.9 (0.1 here)
 * whose gamma is learned except for the input's, {@link Initializer#msraPrelu} weights. ResNet-50 has 25,549,483 trained parameters for 3
 * channels and 1000 classes.
 */
public final class ResNet extends Sequential {
    /** Five halvings. */
    public static final int SMALLEST_SIDE = 32;

    /** What a stage is made of. */
    public enum Unit {
        /** {@link PreActivationUnit}: three convolutions, filters / 4 in the first two. */
        PRE_ACTIVATION_BOTTLENECK(true),
        /** {@link PreActivationUnit}: two convolutions 3×3. */
        PRE_ACTIVATION_BASIC(true),
        /** {@link PostActivationUnit}: three convolutions, filters / 4 in the first two. */
        POST_ACTIVATION_BOTTLENECK(false),
        /** {@link PostActivationUnit}: two convolutions 3×3. */
        POST_ACTIVATION_BASIC(false);

        private final boolean preActivation;

        Unit(boolean preActivation) {
            this.preActivation = preActivation;
        }

        private Module build(
                int in, int filters, int stride, boolean projected, BatchNormSpec norm, Initializer initializer) {
            return switch (this) {
                case PRE_ACTIVATION_BOTTLENECK ->
                    PreActivationUnit.bottleneck(in, filters, stride, projected, norm, initializer);
                case PRE_ACTIVATION_BASIC -> PreActivationUnit.basic(in, filters, stride, projected, norm, initializer);
                case POST_ACTIVATION_BOTTLENECK ->
                    PostActivationUnit.bottleneck(in, filters, stride, projected, norm, initializer);
                case POST_ACTIVATION_BASIC ->
                    PostActivationUnit.basic(in, filters, stride, projected, norm, initializer);
            };
        }
    }

    /**
     * @param stages number of units in each stage
     * @param filters of the first convolution, then of each stage's output
     */
    public ResNet(int channels, int classes, int[] stages, int[] filters) {
        this(channels, classes, stages, filters, Unit.PRE_ACTIVATION_BOTTLENECK, norm(), Initializer.msraPrelu());
    }

    /** @param norm of all but the input, whose gamma is frozen */
    public ResNet(
            int channels,
            int classes,
            int[] stages,
            int[] filters,
            Unit unit,
            BatchNormSpec norm,
            Initializer initializer) {
        if (filters.length != stages.length + 1) {
            throw new IllegalArgumentException(
                    "ResNet: filters must be one more than stages, the first for the stem: stages="
                            + Arrays.toString(stages) + ", filters=" + Arrays.toString(filters));
        }
        BatchNormSpec normRelu = norm.withActivation(Activation.RELU);
        add("bn1_1", new BatchNorm(channels, norm.withFrozenGamma(true)));
        add(
                "conv1_1",
                Conv2d.builder(channels, filters[0], 7)
                        .stride(2)
                        .padding(3)
                        .bias(false)
                        .initializer(initializer)
                        .build());
        add("bn1_2", new BatchNorm(filters[0], normRelu));
        add("pool1", new MaxPool2d(PoolSpec.of(3, 2, 1)));
        for (int i = 0; i < stages.length; i++) {
            int in = filters[i];
            int out = filters[i + 1];
            Sequential stage = new Sequential();
            stage.add("unit1", unit.build(in, out, i == 0 ? 1 : 2, true, norm, initializer));
            for (int j = 2; j <= stages[i]; j++) {
                stage.add("unit" + j, unit.build(out, out, 1, false, norm, initializer));
            }
            add("stage" + (i + 1), stage);
        }
        int last = filters[stages.length];
        if (unit.preActivation) {
            add("bn2_1", new BatchNorm(last, normRelu));
        }
        add("pool2", new GlobalAvgPool2d());
        add("flatten", new Flatten());
        add("fc1", new Dense(last, classes, true, initializer));
    }

    /** Four stages of 3, 4, 6 and 3 bottlenecks with 256 to 2048 filters. */
    public static ResNet resNet50(int channels, int classes) {
        return resNet50(channels, classes, norm(), Initializer.msraPrelu());
    }

    public static ResNet resNet50(int channels, int classes, BatchNormSpec norm, Initializer initializer) {
        int[] stages = {3, 4, 6, 3};
        int[] filters = {64, 256, 512, 1024, 2048};
        return new ResNet(channels, classes, stages, filters, Unit.PRE_ACTIVATION_BOTTLENECK, norm, initializer);
    }

    /** Batch norm of the original experiment. */
    public static BatchNormSpec norm() {
        return new BatchNormSpec(2e-5, 0.1, false, true, Activation.NONE);
    }
}
