package tenon.apps.pretrained;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Supplier;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import tenon.engine.Scope;
import tenon.engine.Shape;
import tenon.engine.TenonException;
import tenon.engine.Tensor;
import tenon.engine.backend.Backend;
import tenon.engine.backend.reference.ReferenceBackend;
import tenon.engine.ops.BatchNormSpec;
import tenon.io.weights.ElementType;
import tenon.layers.BatchNorm;
import tenon.layers.Conv2d;
import tenon.layers.Dense;
import tenon.layers.Flatten;
import tenon.layers.Module;
import tenon.layers.Sequential;

class WeightImportTest {
    private static final Shape INPUT = Shape.of(1, 2, 2, 1);

    private Backend backend;
    private Scope scope;

    @BeforeEach
    void open() {
        backend = ReferenceBackend.open();
        scope = Scope.open("test", backend);
    }

    @AfterEach
    void close() {
        scope.close();
        backend.close();
    }

    private static Module network(boolean frozen) {
        return new Sequential()
                .add("conv", new Conv2d(1, 2, 1, 1, 0))
                .add("bn", new BatchNorm(2, BatchNormSpec.defaults().withFrozenGamma(frozen)))
                .add("flatten", new Flatten())
                .add("fc", new Dense(8, 2));
    }

    private static NameMap torch() {
        return NameMap.parse(
                "test.map",
                List.of(
                        "names: test",
                        "networks: *",
                        "convention: torch",
                        "ignore: *.num_batches_tracked",
                        "conv -> features.0",
                        "bn -> features.1",
                        "fc -> head"));
    }

    private static GivenWeights file() {
        return new GivenWeights()
                .put("features.0.weight", List.of(2, 1, 1, 1), 1, 2)
                .put("features.0.bias", List.of(2), 3, 4)
                .put("features.1.weight", List.of(2), 1, 1)
                .put("features.1.bias", List.of(2), 7, 8)
                .put("features.1.running_mean", List.of(2), 9, 10)
                .put("features.1.running_var", List.of(2), 11, 12)
                .put("features.1.num_batches_tracked", ElementType.I64, List.of(), 5)
                .put("head.weight", List.of(2, 8), 0, 1, 2, 3, 4, 5, 6, 7, 10, 11, 12, 13, 14, 15, 16, 17)
                .put("head.bias", List.of(2), 0.5f, -0.5f);
    }

    private static ImportReport run(
            Module network, boolean frozen, GivenWeights file, PretrainedWeights.Leniency leniency) {
        Supplier<Module> builder = () -> network(frozen);
        return new WeightImport(NetworkLayers.of(builder, INPUT), file, torch(), leniency).into(network.state());
    }

    private static ImportReport run(Module network, GivenWeights file, PretrainedWeights.Leniency leniency) {
        return run(network, false, file, leniency);
    }

    @Test
    void everyTensorGetsItsArrayInItsOwnOrder() {
        Module network = network(false);
        ImportReport report = run(network, file(), PretrainedWeights.Leniency.NONE);
        Map<String, Tensor> state = network.state();
        assertThat(state.get("conv.weight").toFloatArray()).containsExactly(1, 2);
        assertThat(state.get("bn.beta").toFloatArray()).containsExactly(7, 8);
        assertThat(state.get("bn.runningMean").toFloatArray()).containsExactly(9, 10);
        assertThat(state.get("bn.runningVariance").toFloatArray()).containsExactly(11, 12);
        // From channel, row, column to row, column, channel.
        assertThat(state.get("fc.weight").toFloatArray())
                .containsExactly(0, 4, 1, 5, 2, 6, 3, 7, 10, 14, 11, 15, 12, 16, 13, 17);
        assertThat(report.matched()).hasSize(8);
        assertThat(report.matched().getLast()).isEqualTo(new ImportReport.Match("fc.bias", "head.bias", List.of(2)));
        assertThat(report.missing()).isEmpty();
        assertThat(report.leftOver()).isEmpty();
        assertThat(report.ignored()).containsExactly("features.1.num_batches_tracked");
        assertThat(report)
                .hasToString("Names: test\nMatched: 8 of 8 tensors\n"
                        + "Ignored in the file: 1: features.1.num_batches_tracked");
    }

    @Test
    void missingTensorsAreAnErrorUnlessAskedFor() {
        Module network = network(false);
        Map<String, float[]> before = new LinkedHashMap<>();
        network.state().forEach((name, tensor) -> before.put(name, tensor.toFloatArray()));
        GivenWeights file = file().without("head.bias").put("head.biases", List.of(2), 1, 2);
        assertThatThrownBy(() -> run(network, file, PretrainedWeights.Leniency.NONE))
                .isInstanceOf(TenonException.class)
                .hasMessage("given: 1 of 8 tensors are missing: fc.bias (head.bias); left over in the file: head.biases"
                        + " (is it this network, and are its names 'test'? ./tenon import --partial takes the rest and"
                        + " leaves these at their initialization)");
        network.state()
                .forEach((name, tensor) ->
                        assertThat(tensor.toFloatArray()).as(name).containsExactly(before.get(name)));

        ImportReport report = run(network, file, new PretrainedWeights.Leniency(true, false));
        assertThat(report.missing()).containsExactly(new ImportReport.Missing("fc.bias", "head.bias"));
        assertThat(report.leftOver()).containsExactly("head.biases");
        assertThat(network.state().get("fc.bias").toFloatArray()).containsExactly(before.get("fc.bias"));
        assertThat(network.state().get("conv.bias").toFloatArray()).containsExactly(3, 4);
    }

    @Test
    void otherClassesNeedANewClassifier() {
        GivenWeights file =
                file().put("head.weight", List.of(3, 8), new float[24]).put("head.bias", List.of(3), 1, 2, 3);
        Module network = network(false);
        assertThatThrownBy(() -> run(network, file, PretrainedWeights.Leniency.NONE))
                .isInstanceOf(TenonException.class)
                .hasMessage(
                        "given: 'head.weight' must have the shape [2, 8] or [2, 2, 2, 2] for fc.weight: shape=[3, 8]"
                            + " (the file knows 3 classes: leave --classes out, or give --new-classifier to keep the"
                            + " last layer at its initialization)");
        float[] before = network.state().get("fc.weight").toFloatArray();
        ImportReport report = run(network, file, new PretrainedWeights.Leniency(false, true));
        assertThat(report.initialized()).containsExactly("fc.weight", "fc.bias");
        assertThat(report.leftOver()).isEmpty();
        assertThat(network.state().get("fc.weight").toFloatArray()).containsExactly(before);
        assertThat(network.state().get("conv.weight").toFloatArray()).containsExactly(1, 2);
    }

    @Test
    void otherShapesAndValuesAreErrors() {
        assertBad(
                file().put("features.0.weight", List.of(2, 1, 3, 3), new float[18]),
                "given: 'features.0.weight' must have the shape [2, 1, 1, 1] or [2, 1] for conv.weight: shape=[2, 1,"
                        + " 3, 3] (is it this network at this input size?)");
        assertBad(
                file().put("head.bias", ElementType.I64, List.of(2), 1, 2),
                "given: 'head.bias' must hold floating-point numbers: type=I64");
        assertBad(
                file().put("features.0.bias", List.of(2), 1, Float.NaN),
                "given: 'features.0.bias' must hold finite numbers: element 1=NaN (the file is damaged, or its"
                        + " training had diverged)");
        assertBad(
                file().put("features.1.running_var", List.of(2), -1e-3f, 1),
                "given: 'features.1.running_var' must hold variances: element 0=-0.001");
        assertBad(new GivenWeights(), "given: 8 of 8 tensors are missing");
    }

    private static void assertBad(GivenWeights file, String message) {
        assertThatThrownBy(() -> run(network(false), file, PretrainedWeights.Leniency.NONE))
                .isInstanceOf(TenonException.class)
                .hasMessageStartingWith(message);
    }

    @Test
    void frozenGammasMustBeOne() {
        ImportReport report = run(network(true), true, file(), PretrainedWeights.Leniency.NONE);
        assertThat(report.ignored()).containsExactly("features.1.weight", "features.1.num_batches_tracked");
        assertThatThrownBy(() -> run(
                        network(true),
                        true,
                        file().put("features.1.weight", List.of(2), 1, 2),
                        PretrainedWeights.Leniency.NONE))
                .hasMessage("given: has gammas other than 1 for norms whose gamma this network keeps at 1:"
                        + " features.1.weight (--learned-gamma makes it the network that uses them)");
    }

    @Test
    void othersGammasAskForANetworkThatLearnsThem() {
        assertThat(frozen(torch(), file()).needsLearnedGamma()).isFalse();
        assertThat(frozen(torch(), file().put("features.1.weight", List.of(2), 1, 2))
                        .needsLearnedGamma())
                .isTrue();
    }

    /** With {@code fix_gamma} MXNet ignores what stands in the file, without it it does not; the file does not say which. */
    @Test
    void mxnetsGammasAreLeftOutAndNamed() {
        NameMap mxnet = NameMap.parse("test.map", List.of("names: test", "networks: *", "convention: mxnet", "* -> *"));
        GivenWeights file = new GivenWeights()
                .put("conv_weight", List.of(2, 1, 1, 1), 1, 2)
                .put("conv_bias", List.of(2), 3, 4)
                .put("bn_gamma", List.of(2), 1, 1)
                .put("bn_beta", List.of(2), 7, 8)
                .put("bn_moving_mean", List.of(2), 9, 10)
                .put("bn_moving_var", List.of(2), 11, 12)
                .put("fc_weight", List.of(2, 8), new float[16])
                .put("fc_bias", List.of(2), 0.5f, -0.5f);
        ImportReport ones = frozen(mxnet, file).check();
        assertThat(ones.ignored()).containsExactly("bn_gamma");
        assertThat(ones.unusedGammas()).isEmpty();
        WeightImport others = frozen(mxnet, file.put("bn_gamma", List.of(2), 1, 2));
        assertThat(others.needsLearnedGamma()).isFalse();
        assertThat(others.check().unusedGammas()).containsExactly("bn_gamma");
        assertThat(others.check().toString())
                .contains("Gammas other than 1, which only --learned-gamma uses (in MXNet: without fix_gamma): 1:"
                        + " bn_gamma");
    }

    private static WeightImport frozen(NameMap map, GivenWeights file) {
        return new WeightImport(
                NetworkLayers.of(() -> network(true), INPUT), file, map, PretrainedWeights.Leniency.NONE);
    }

    @Test
    void aLastLayerOfOtherClassesMayStay() {
        GivenWeights three =
                file().put("head.weight", List.of(3, 8), new float[24]).put("head.bias", List.of(3), 1, 2, 3);
        for (GivenWeights file : List.of(three, file().without("head.weight").without("head.bias"))) {
            Module network = network(false);
            float[] before = network.state().get("fc.weight").toFloatArray();
            ImportReport report = run(network, file, PretrainedWeights.Leniency.OTHER_CLASSES);
            assertThat(report.initialized()).containsExactly("fc.weight", "fc.bias");
            assertThat(report.matched()).hasSize(6);
            assertThat(network.state().get("fc.weight").toFloatArray()).containsExactly(before);
        }
        ImportReport same = run(network(false), file(), PretrainedWeights.Leniency.OTHER_CLASSES);
        assertThat(same.initialized()).isEmpty();
        assertThat(same.matched()).hasSize(8);
        assertThatThrownBy(() ->
                        run(network(false), three.without("features.0.bias"), PretrainedWeights.Leniency.OTHER_CLASSES))
                .hasMessageStartingWith("given: 1 of 8 tensors are missing: conv.bias (features.0.bias)");
    }

    @Test
    void blueFirstIsTurnedRound() {
        Supplier<Module> colour = () -> new Sequential().add("conv", new Conv2d(3, 1, 1, 1, 0));
        Module network = colour.get();
        NameMap map = NameMap.parse(
                "test.map", List.of("names: t", "networks: *", "convention: torch", "channels: bgr", "* -> *"));
        GivenWeights file = new GivenWeights()
                .put("conv.weight", List.of(1, 3, 1, 1), 1, 2, 3)
                .put("conv.bias", List.of(1), 4);
        new WeightImport(NetworkLayers.of(colour, Shape.of(1, 1, 1, 3)), file, map, PretrainedWeights.Leniency.NONE)
                .into(network.state());
        assertThat(network.state().get("conv.weight").toFloatArray()).containsExactly(3, 2, 1);
    }

    @Test
    void aNormOfFlattenedPixelsIsAnError() {
        assertThatThrownBy(() -> NetworkLayers.of(
                        () -> new Sequential()
                                .add("conv", new Conv2d(1, 2, 1, 1, 0))
                                .add("flatten", new Flatten())
                                .add("bn", new BatchNorm(8)),
                        INPUT))
                .hasMessageStartingWith(
                        "layer 'bn': weights of other frameworks have another order of flattened pixels");
    }
}
