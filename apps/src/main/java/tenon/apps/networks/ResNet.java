package tenon.apps.networks;

import java.util.Arrays;
import java.util.Locale;
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
 * <p>Defaults are those of the original experiment in MXNet: {@link Design#PRE_ACTIVATION}, batch norm with epsilon 2e-5 and momentum 0.9 (0.1 here)
 * whose gamma is learned except for the input's, {@link Initializer#msraPrelu} weights. ResNet-50 has 25,549,483 trained parameters for 3
 * channels and 1000 classes.
 */
public final class ResNet extends Sequential {
    /** Five halvings. */
    public static final int SMALLEST_SIDE = 32;

    /** Three halvings, behind {@link Stem#SMALL}. */
    public static final int SMALLEST_SIDE_FOR_SMALL_STEM = 8;

    /** What the depth's units consist of. */
    public enum Unit {
        /** Convolutions 1×1, 3×3 and 1×1, filters / 4 in the first two. */
        BOTTLENECK,
        /** Two convolutions 3×3. */
        BASIC
    }

    /** What comes before the stages. */
    public enum Stem {
        /** Convolution 7×7/2 and max pool 3×3/2. */
        IMAGENET,
        /** Convolution 3×3 at full resolution, for pictures of about 32×32 (section 4.2 of the paper). */
        SMALL
    }

    /** Where norms and activations stand, and what else published ResNets differ in. */
    public enum Design {
        /** {@link PreActivationUnit}, as in the best of the original experiments. */
        PRE_ACTIVATION(true, true, false),
        /** {@link PostActivationUnit}, all else as before: the other original experiments. */
        POST_ACTIVATION(false, true, false),
        /**
         * {@link PostActivationUnit}, no norm of the input, a projection only where a unit changes the shape: the 2015 paper's network with the stride
         * on the 3×3 convolution, which PyTorch's weights are for.
         */
        TORCHVISION(false, false, false),
        /** As before, but bottlenecks with the stride on the first convolution, as in the paper, and with biases: Keras's ResNet-50. */
        KERAS(false, false, true);

        private final boolean preActivation;
        private final boolean normalizesInput;
        private final boolean keras;

        Design(boolean preActivation, boolean normalizesInput, boolean keras) {
            this.preActivation = preActivation;
            this.normalizesInput = normalizesInput;
            this.keras = keras;
        }

        /** As typed on a command line: {@code pre-activation} and so on. */
        @Override
        public String toString() {
            return name().toLowerCase(Locale.ROOT).replace('_', '-');
        }

        /** Whether the network begins with a batch norm. */
        public boolean normalizesInput() {
            return normalizesInput;
        }

        private Module unit(
                Unit unit, int in, int filters, int stride, boolean first, BatchNormSpec norm, Initializer weights) {
            boolean projected = first && (normalizesInput || stride > 1 || in != filters);
            boolean bottleneck = unit == Unit.BOTTLENECK;
            if (preActivation) {
                return bottleneck
                        ? PreActivationUnit.bottleneck(in, filters, stride, projected, norm, weights)
                        : PreActivationUnit.basic(in, filters, stride, projected, norm, weights);
            }
            return bottleneck
                    ? PostActivationUnit.bottleneck(in, filters, stride, keras, keras, projected, norm, weights)
                    : PostActivationUnit.basic(in, filters, stride, keras, projected, norm, weights);
        }
    }

    /**
     * @param stages number of units in each stage
     * @param filters of the first convolution, then of each stage's output
     */
    public ResNet(int channels, int classes, int[] stages, int[] filters) {
        this(
                channels,
                classes,
                stages,
                filters,
                Stem.IMAGENET,
                Unit.BOTTLENECK,
                Design.PRE_ACTIVATION,
                false,
                norm(),
                Initializer.msraPrelu());
    }

    /**
     * @param learnedInputGamma whether the norm of the input, where there is one, learns its gamma; the original's is frozen at 1
     * @param norm of all but the input
     */
    public ResNet(
            int channels,
            int classes,
            int[] stages,
            int[] filters,
            Stem stem,
            Unit unit,
            Design design,
            boolean learnedInputGamma,
            BatchNormSpec norm,
            Initializer initializer) {
        if (filters.length != stages.length + 1) {
            throw new IllegalArgumentException(
                    "ResNet: filters must be one more than stages, the first for the stem: stages="
                            + Arrays.toString(stages) + ", filters=" + Arrays.toString(filters));
        }
        BatchNormSpec normRelu = norm.withActivation(Activation.RELU);
        if (design.normalizesInput) {
            add("bn1_1", new BatchNorm(channels, norm.withFrozenGamma(!learnedInputGamma)));
        }
        add(
                "conv1_1",
                Conv2d.builder(channels, filters[0], stem == Stem.SMALL ? 3 : 7)
                        .stride(stem == Stem.SMALL ? 1 : 2)
                        .padding(stem == Stem.SMALL ? 1 : 3)
                        .bias(design.keras)
                        .initializer(initializer)
                        .build());
        add("bn1_2", new BatchNorm(filters[0], normRelu));
        if (stem == Stem.IMAGENET) {
            add("pool1", new MaxPool2d(PoolSpec.of(3, 2, 1)));
        }
        for (int i = 0; i < stages.length; i++) {
            int in = filters[i];
            int out = filters[i + 1];
            Sequential stage = new Sequential();
            stage.add("unit1", design.unit(unit, in, out, i == 0 ? 1 : 2, true, norm, initializer));
            for (int j = 2; j <= stages[i]; j++) {
                stage.add("unit" + j, design.unit(unit, out, out, 1, false, norm, initializer));
            }
            add("stage" + (i + 1), stage);
        }
        int last = filters[stages.length];
        if (design.preActivation) {
            add("bn2_1", new BatchNorm(last, normRelu));
        }
        add("pool2", new GlobalAvgPool2d());
        add("flatten", new Flatten());
        add("fc1", new Dense(last, classes, true, initializer));
    }

    /** Four stages of 3, 4, 6 and 3 bottlenecks with 256 to 2048 filters. */
    public static ResNet resNet50(int channels, int classes) {
        return of(
                50, channels, classes, 1, Stem.IMAGENET, Design.PRE_ACTIVATION, false, norm(), Initializer.msraPrelu());
    }

    /**
     * The paper's networks.
     *
     * @param depth 18 or 34 (basic units), 50, 101 or 152 (bottlenecks)
     * @param multiplier of all filters; they are rounded to multiples of 8, bottlenecks' to multiples of 32. The paper's is 1
     * @param learnedInputGamma whether the norm of the input, where there is one, learns its gamma
     */
    public static ResNet of(
            int depth,
            int channels,
            int classes,
            double multiplier,
            Stem stem,
            Design design,
            boolean learnedInputGamma,
            BatchNormSpec norm,
            Initializer initializer) {
        int[] stages = switch (depth) {
            case 18 -> new int[] {2, 2, 2, 2};
            case 34, 50 -> new int[] {3, 4, 6, 3};
            case 101 -> new int[] {3, 4, 23, 3};
            case 152 -> new int[] {3, 8, 36, 3};
            default ->
                throw new IllegalArgumentException("ResNet: depth must be 18, 34, 50, 101 or 152: depth=" + depth
                        + " (others are lists of stages)");
        };
        Unit unit = depth < 50 ? Unit.BASIC : Unit.BOTTLENECK;
        int expansion = unit == Unit.BASIC ? 1 : 4;
        int[] inner = Widths.scaled(new int[] {64, 64, 128, 256, 512}, multiplier);
        int[] filters = inner.clone();
        for (int i = 1; i < filters.length; i++) {
            filters[i] = expansion * inner[i];
        }
        return new ResNet(channels, classes, stages, filters, stem, unit, design, learnedInputGamma, norm, initializer);
    }

    /** Batch norm of the original experiment. */
    public static BatchNormSpec norm() {
        return new BatchNormSpec(2e-5, 0.1, false, true, Activation.NONE);
    }
}
