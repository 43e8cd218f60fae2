package tenon.apps.experiments;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;
import tenon.apps.cli.ImageSize;
import tenon.apps.cli.UsageException;
import tenon.apps.training.NetworkSpec.Kind;
import tenon.apps.training.OptimizerSpec;
import tenon.apps.training.Original;
import tenon.engine.DType;
import tenon.engine.Scope;
import tenon.engine.Shape;
import tenon.engine.Tensor;
import tenon.engine.backend.reference.ReferenceBackend;
import tenon.engine.ops.Arithmetic;
import tenon.layers.Module;
import tenon.layers.Parameter;
import tenon.layers.Summary;
import tenon.optim.Optimizer;
import tenon.optim.schedule.Schedule;

/** The course's tables, copied a second time. */
class ExperimentsTest {
    private static Experiment experiment(String name) {
        return Experiments.all().stream()
                .filter(experiment -> experiment.name().equals(name))
                .findFirst()
                .orElseThrow(() -> new AssertionError(name));
    }

    static List<Experiment> all() {
        return Experiments.all();
    }

    @Test
    void everyExperimentOfTheCourse() {
        assertThat(Experiments.all().stream().map(Experiment::name))
                .containsExactly(
                        "dense3-1",
                        "smallvgg-1",
                        "mnist-1",
                        "cifar10-cnn-1",
                        "alexnet-dogs-cats-1",
                        "alexnet-1",
                        "alexnet-2",
                        "alexnet-3",
                        "vgg16-1",
                        "googlenet-1",
                        "googlenet-2",
                        "googlenet-3",
                        "resnet50-1",
                        "resnet50-2",
                        "resnet50-3",
                        "squeezenet-1",
                        "squeezenet-2",
                        "squeezenet-3",
                        "squeezenet-4",
                        "mobilenet-v1-1",
                        "mobilenet-v1-2",
                        "mobilenet-v1-3",
                        "mobilenet-v1-4",
                        "mobilenet-v1-5",
                        "mobilenet-v1-6",
                        "mobilenet-v1-7",
                        "mobilenet-v2-1");
        assertThat(Experiments.all().stream().map(experiment -> experiment.network() + " " + experiment.title()))
                .doesNotHaveDuplicates();
    }

    /** Last epoch and rate of each phase; in brackets how far it was tried. */
    @ParameterizedTest
    @CsvSource({
        "alexnet-1, 50 0.01 (70) | 65 0.001 (70) | 80 1.0E-4 | 90 1.0E-5",
        "alexnet-2, 65 0.01 | 85 0.001 | 100 1.0E-4",
        "alexnet-3, 65 0.01 | 85 0.001 | 100 1.0E-4",
        "vgg16-1, 50 0.01 | 70 0.001 | 80 1.0E-4",
        "googlenet-1, 15 0.01 | 25 0.001 | 30 1.0E-4",
        "googlenet-2, 70 0.001 | 80 1.0E-4 | 85 1.0E-5",
        "googlenet-3, 30 0.001 | 45 1.0E-4 | 50 1.0E-5",
        "resnet50-1, 20 0.01 | 30 0.001 | 33 1.0E-4",
        "resnet50-2, 20 0.1 | 25 0.01 | 30 0.001",
        "resnet50-3, 30 0.1 | 35 0.01 | 40 0.001",
        "squeezenet-1, 25 0.04 | 35 0.004 | 40 4.0E-4",
        "squeezenet-2, 45 0.01 (50) | 55 0.001 | 60 1.0E-4",
        "squeezenet-3, 20 0.01",
        "squeezenet-4, 50 0.01 | 65 0.001 | 75 1.0E-4 | 80 1.0E-5",
        "dense3-1, 75 0.01",
        "smallvgg-1, 75 0.01",
        "mnist-1, 25 0.001",
        "cifar10-cnn-1, 20 0.001",
        "alexnet-dogs-cats-1, 75 0.001",
        "mobilenet-v1-1, 300 0.045",
        "mobilenet-v2-1, 300 0.045",
    })
    void phases(String name, String expected) {
        assertThat(experiment(name).phases().stream()
                        .map(phase -> phase.to() + " " + phase.rate()
                                + (phase.triedTo() > phase.to() ? " (" + phase.triedTo() + ")" : ""))
                        .collect(Collectors.joining(" | ")))
                .isEqualTo(expected);
    }

    @ParameterizedTest
    @CsvSource(
            nullValues = "-",
            value = {
                "alexnet-1, 54.14, 77.90, -, -",
                "alexnet-2, 56.72, 79.62, -, -",
                "alexnet-3, 57.00, 79.52, 59.80, 81.74",
                "vgg16-1, 68.77, 88.78, 71.42, 90.03",
                "googlenet-1, 57.75, 81.15, -, -",
                "googlenet-2, 53.67, 77.85, -, -",
                "googlenet-3, 63.45, 84.90, 65.87, 86.48",
                "resnet50-1, 60.91, 83.19, -, -",
                "resnet50-2, 67.91, 88.13, -, -",
                "resnet50-3, 70.47, 89.72, 73.00, 91.08",
                "squeezenet-1, 48.93, 72.07, -, -",
                "squeezenet-2, 51.30, 74.60, -, -",
                "squeezenet-3, -, -, -, -",
                "squeezenet-4, 54.49, 77.98, 57.01, 79.45",
                "dense3-1, 61.33, -, -, -",
                "smallvgg-1, 76.53, -, -, -",
                "mnist-1, 97.89, -, -, -",
                "cifar10-cnn-1, -, -, -, -",
                "alexnet-dogs-cats-1, 92.97, -, 92.60, -",
            })
    void publishedResults(String name, Double validation1, Double validation5, Double test1, Double test5) {
        Published published = experiment(name).published();
        assertThat(published.validation())
                .isEqualTo(validation1 == null ? null : new Published.Rank(validation1, validation5));
        assertThat(published.test()).isEqualTo(test1 == null ? null : new Published.Rank(test1, test5));
    }

    @Test
    void tenCropsOfDogsAndCats() {
        assertThat(experiment("alexnet-dogs-cats-1").published().tenCrops()).isEqualTo(new Published.Rank(94.00, null));
        assertThat(Experiments.all().stream()
                        .filter(experiment -> experiment.published().tenCrops() != null))
                .hasSize(1);
    }

    /** What the originals learned: the better of two experiments. */
    @ParameterizedTest
    @CsvSource({
        "alexnet-2, alexnet-1",
        "alexnet-3, alexnet-2",
        "googlenet-3, googlenet-1",
        "googlenet-1, googlenet-2",
        "resnet50-3, resnet50-2",
        "resnet50-2, resnet50-1",
        "squeezenet-4, squeezenet-2",
        "squeezenet-2, squeezenet-1",
    })
    void order(String better, String worse) {
        assertThat(experiment(better).published().validation().rank1())
                .isGreaterThan(experiment(worse).published().validation().rank1());
    }

    @ParameterizedTest
    @CsvSource({
        "alexnet, SGD, 0.9, 5e-4, 128, 8, 227, alexnet",
        "vgg16, SGD, 0.9, 5e-4, 32, 8, 224, vgg",
        "googlenet, SGD, 0.9, 2e-4, 128, 3, 224, googlenet",
        "resnet50, SGD, 0.9, 1e-4, 32, 8, 224, resnet",
        "squeezenet, SGD, 0.9, 2e-4, 128, 3, 227, squeezenet",
    })
    void imageNetSettings(
            String network,
            OptimizerSpec.Kind optimizer,
            double momentum,
            double weightDecay,
            int perDevice,
            int devices,
            int side,
            String augmentation) {
        for (Experiment experiment : Experiments.of(Kind.valueOf(network.toUpperCase(Locale.ROOT)))) {
            assertThat(experiment.dataset()).isEqualTo(Dataset.IMAGENET);
            if (experiment.name().equals("googlenet-3")) {
                assertThat(experiment.optimizer()).isEqualTo(mxnet(OptimizerSpec.Kind.ADAM, 0, 2e-4));
            } else {
                assertThat(experiment.optimizer()).isEqualTo(mxnet(optimizer, momentum, weightDecay));
            }
            assertThat(experiment.batch()).isEqualTo(new Batch(perDevice, devices, false));
            assertThat(experiment.augmentation()).hasToString(augmentation);
            assertThat(experiment.networkSpec().height()).isEqualTo(side);
            assertThat(experiment.networkSpec().classes()).isEqualTo(1000);
        }
    }

    /** The papers' tables: width, side, thousands of weights, millions of multiply-adds, rank-1. */
    @ParameterizedTest
    @CsvSource({
        "mobilenet-v1-1, 1, 224, 4231976, 568.7, 70.6",
        "mobilenet-v1-2, 0.75, 224, 2585560, 325.4, 68.4",
        "mobilenet-v1-3, 0.5, 224, 1331592, 149.5, 63.7",
        "mobilenet-v1-4, 0.25, 224, 470072, 41.0, 50.6",
        "mobilenet-v1-5, 1, 192, 4231976, 418.1, 69.1",
        "mobilenet-v1-6, 1, 160, 4231976, 290.7, 67.2",
        "mobilenet-v1-7, 1, 128, 4231976, 186.4, 64.4",
        "mobilenet-v2-1, 1, 224, 3504872, 300.8, 72.0",
    })
    void mobileNets(String name, double width, int side, long weights, String millions, double rank1) {
        Experiment experiment = experiment(name);
        assertThat(experiment.multiplier()).isEqualTo(width);
        assertThat(experiment.input()).isEqualTo(new ImageSize(side, side, 3));
        Summary summary = experiment.networkSpec().summary();
        assertThat(summary.trainable()).isEqualTo(weights);
        assertThat("%.1f".formatted(summary.multiplyAdds() / 1e6)).isEqualTo(millions);
        assertThat(experiment.published()).isEqualTo(new Published(new Published.Rank(rank1, null), null, null));
        assertThat(experiment.optimizer())
                .isEqualTo(new OptimizerSpec(
                        OptimizerSpec.Kind.RMSPROP, 0.9, false, 4e-5, null, null, 0.9, 1.0, null, null));
        assertThat(experiment.batch()).isEqualTo(Batch.of(96));
        Schedule schedule = experiment.scheduleSpec().schedule(100, experiment.epochs());
        assertThat(schedule.rate(99)).isEqualTo(0.045);
        assertThat(schedule.rate(100)).isCloseTo(0.0441, within(1e-12));
        assertThat(schedule.rate(29_900)).isCloseTo(0.045 * Math.pow(0.98, 299), within(1e-12));
    }

    /** Decay of all parameters, state of zero at the start of each phase. */
    private static OptimizerSpec mxnet(OptimizerSpec.Kind kind, double momentum, double weightDecay) {
        return new OptimizerSpec(kind, momentum, false, weightDecay, true, null, null, null, null, true);
    }

    @ParameterizedTest
    @CsvSource({
        "dense3-1, SGD, 0, 32, false, ANIMALS, none, 32, 3",
        "smallvgg-1, SGD, 0, 32, true, ANIMALS, affine, 64, 3",
        "mnist-1, ADAM, 0, 200, false, MNIST, none, 28, 10",
        "cifar10-cnn-1, ADAM, 0, 128, false, CIFAR10, cifar, 32, 10",
        "alexnet-dogs-cats-1, ADAM, 4e-4, 128, true, DOGS_VS_CATS, dogs-cats, 227, 2",
    })
    void smallSettings(
            String name,
            OptimizerSpec.Kind optimizer,
            double weightDecay,
            int batch,
            boolean dropsLast,
            Dataset dataset,
            String augmentation,
            int side,
            int classes) {
        Experiment experiment = experiment(name);
        assertThat(experiment.optimizer()).isEqualTo(new OptimizerSpec(optimizer, 0, false, weightDecay));
        assertThat(experiment.batch()).isEqualTo(new Batch(batch, 1, dropsLast));
        assertThat(experiment.dataset()).isEqualTo(dataset);
        assertThat(experiment.augmentation()).hasToString(augmentation);
        assertThat(experiment.networkSpec().height()).isEqualTo(side);
        assertThat(experiment.networkSpec().classes()).isEqualTo(classes);
    }

    /** Weights, biases, slopes and learned betas and gammas. */
    @ParameterizedTest
    @CsvSource({
        "alexnet-1, 62387912",
        "alexnet-2, 62387912",
        "alexnet-3, 62387912",
        "vgg16-1, 138382376",
        "googlenet-3, 7005832",
        "resnet50-1, 25557035",
        "resnet50-2, 25557035",
        "resnet50-3, 25549483",
        "squeezenet-1, 1248424",
        "squeezenet-3, 1252400",
        "squeezenet-4, 1248424",
        "dense3-1, 3673091",
        "smallvgg-1, 4623811",
        "mnist-1, 636010",
        "cifar10-cnn-1, 9312202",
        "alexnet-dogs-cats-1, 58308674",
    })
    void networks(String name, long trained) {
        assertThat(experiment(name).networkSpec().summary().trainable()).isEqualTo(trained);
    }

    @Test
    void variantsOfTheNetworks() {
        List<String> first = layers("alexnet-1");
        assertThat(first).startsWith("conv1_1 Conv2d", "bn1_1 BatchNorm", "act1_1 ActivationLayer", "pool1 MaxPool2d");
        assertThat(layers("alexnet-2")).startsWith("conv1_1 Conv2d + relu", "bn1_1 BatchNorm", "pool1 MaxPool2d");
        assertThat(layers("alexnet-3")).startsWith("conv1_1 Conv2d + elu", "bn1_1 BatchNorm", "pool1 MaxPool2d");
        assertThat(layers("resnet50-1")).contains("bn1_1 BatchNorm").doesNotContain("bn2_1 BatchNorm + relu");
        assertThat(layers("resnet50-3")).contains("bn1_1 BatchNorm", "bn2_1 BatchNorm + relu");
        assertThat(layers("squeezenet-1")).startsWith("conv_1 Conv2d + relu", "pool_1 MaxPool2d");
        assertThat(layers("squeezenet-3")).startsWith("conv_1 Conv2d + relu", "bn_1 BatchNorm", "pool_1 MaxPool2d");
        assertThat(layers("squeezenet-4")).startsWith("conv_1 Conv2d + elu", "pool_1 MaxPool2d");
    }

    private static List<String> layers(String name) {
        return experiment(name).networkSpec().summary().layers().stream()
                .map(row -> row.name() + " " + row.type())
                .toList();
    }

    @Test
    void ratesByUpdate() {
        Experiment alexNet = experiment("alexnet-1");
        assertThat(alexNet.epochs()).isEqualTo(90);
        int steps = 1203;
        Schedule schedule = alexNet.scheduleSpec().schedule(steps, alexNet.epochs());
        assertThat(schedule.rate(0)).isEqualTo(1e-2);
        assertThat(schedule.rate(50 * steps - 1)).isEqualTo(1e-2);
        assertThat(schedule.rate(50 * steps)).isEqualTo(1e-3);
        assertThat(schedule.rate(65 * steps)).isEqualTo(1e-4);
        assertThat(schedule.rate(90 * steps - 1)).isEqualTo(1e-5);

        Schedule smallVgg = experiment("smallvgg-1").scheduleSpec().schedule(70, 75);
        assertThat(smallVgg.rate(0)).isEqualTo(0.01);
        assertThat(smallVgg.rate(70)).isCloseTo(0.0099075, within(5e-8));
        assertThat(smallVgg.rate(1750)).isCloseTo(0.0081081, within(5e-8));
        assertThat(smallVgg.rate(5250)).isCloseTo(0.0058824, within(5e-8));
        assertThat(experiment("dense3-1").scheduleSpec().schedule(71, 75).rate(5324))
                .isEqualTo(0.01);
        assertThat(experiment("mnist-1").patience()).isEqualTo(2);
    }

    @Test
    void whatPlotsAreHeldAgainst() {
        Original alexNet = experiment("alexnet-3").original();
        assertThat(alexNet.name()).isEqualTo("alexnet-3");
        assertThat(alexNet.rank1()).isCloseTo(0.57, within(1e-12));
        assertThat(alexNet.rank5()).isCloseTo(0.7952, within(1e-12));
        assertThat(experiment("smallvgg-1").original().rank5()).isNull();
        assertThat(experiment("squeezenet-3").original()).isNull();
    }

    @Test
    void phasesByEpoch() {
        Experiment squeezeNet = experiment("squeezenet-2");
        assertThat(squeezeNet.phase(1).rate()).isEqualTo(0.01);
        assertThat(squeezeNet.phase(45).rate()).isEqualTo(0.01);
        assertThat(squeezeNet.phase(46)).isEqualTo(new Phase(46, 55, 0.001, 55));
        assertThatThrownBy(() -> squeezeNet.phase(61)).hasMessage("squeezenet-2: there is no epoch 61 of 60");
    }

    @Test
    void networksOfOtherSizes() {
        assertThat(experiment("squeezenet-3")
                        .networkSpec(new ImageSize(230, 240, 3), 7, 0.5)
                        .summary()
                        .layers())
                .last()
                .satisfies(row -> assertThat(row.output()).containsExactly(1, 7));
    }

    /** A single weight of 1 and its gradients. */
    private static final class Scalar extends Module {
        private final Parameter weight = parameter("weight", Tensor.full(Shape.of(1), DType.F32, 1), true);

        @Override
        protected Tensor forward(Tensor input) {
            return Arithmetic.mul(weight.value(), input);
        }
    }

    /** Weights after each update with the same gradient, worked out by hand. */
    @ParameterizedTest
    @CsvSource({
        "alexnet-3, 2, 0.979995 0.9419856",
        "resnet50-3, 1, 0.89999 0.7099720001 0.4389487005",
        "googlenet-3, 1, 0.9990000003 0.9980000005 0.9970000007",
        "alexnet-dogs-cats-1, 1, 0.999 0.998 0.997",
    })
    void updates(String name, double gradient, String expected) {
        Experiment experiment = experiment(name);
        try (ReferenceBackend backend = ReferenceBackend.open();
                var _ = Scope.open("model", backend)) {
            Scalar net = new Scalar();
            Optimizer optimizer = experiment.optimizer().create(net, _ -> 1);
            double[] weights = Arrays.stream(expected.split(" "))
                    .mapToDouble(Double::parseDouble)
                    .toArray();
            for (double weight : weights) {
                try (var _ = Scope.open("step")) {
                    net.zeroGrad();
                    net.apply(Tensor.full(Shape.of(1), DType.F32, gradient)).backward();
                    optimizer.step(experiment.phase(1).rate());
                }
                assertThat(net.weight.value().item()).isCloseTo((float) weight, within(1e-6));
            }
        }
    }

    @ParameterizedTest
    @MethodSource("all")
    void isFoundByNetworkAndNumber(Experiment experiment) {
        assertThat(Experiments.find(experiment.network(), experiment.number())).isSameAs(experiment);
    }

    @Test
    void unknownExperimentsAreUsageErrors() {
        assertThatThrownBy(() -> Experiments.find(Kind.ALEXNET, 4))
                .isInstanceOf(UsageException.class)
                .hasMessage(
                        "there is no experiment 4 of alexnet: it has numbers 1 to 3 (./tenon experiments alexnet tells"
                                + " what they are)");
        assertThatThrownBy(() -> Experiments.find(Kind.VGG16, 0))
                .hasMessageContaining("there is no experiment 0 of vgg16: it has number 1 only");
        assertThatThrownBy(() -> Experiments.find(Kind.RESNET18, 1))
                .hasMessage("there is no experiment 1 of resnet18: the course trains no such network"
                        + " (./tenon experiments lists all)");
    }

    @Test
    void phasesHaveNoGaps() {
        assertThatThrownBy(() -> new Phase(5, 4, 0.1, 4)).hasMessageContaining("from=5, to=4");
        Experiment.Builder none = Experiment.of(Kind.MNIST, 9, "x")
                .on(Dataset.MNIST, experiment("mnist-1").augmentation(), Batch.of(1))
                .sgd(0);
        assertThatThrownBy(none::build).hasMessageStartingWith("mnist-9: must have phases");
        assertThatThrownBy(() -> none.until(2, 0.1).until(3, 0.01).decaying().build())
                .hasMessageStartingWith("mnist-9: must have phases, and one only when its rate decays by itself");
    }
}
