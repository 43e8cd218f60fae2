package tenon.engine.backend.cuda;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import tenon.engine.DType;
import tenon.engine.DeviceException;
import tenon.engine.NotCapturableException;
import tenon.engine.Rng;
import tenon.engine.Scope;
import tenon.engine.Shape;
import tenon.engine.Tensor;
import tenon.engine.backend.BackendStatistics;
import tenon.engine.backend.CapturedStep;
import tenon.engine.backend.StepState;
import tenon.engine.backend.cuda.CudaOptions.ConvolutionChoice;
import tenon.engine.ops.Activation;
import tenon.engine.ops.ConvSpec;
import tenon.engine.ops.Padding;
import tenon.engine.testing.CleanDevice;
import tenon.engine.testing.CudaTesting;
import tenon.simulator.Simulator;

/** How plans are chosen, kept and found again. */
@ExtendWith(CleanDevice.class)
class ConvolutionPlanTest {
    private static final int NOT_SUPPORTED = 3000;
    private static final int EXECUTION_FAILED = 5000;
    private static final ConvSpec SAME = ConvSpec.of(1, 1);
    private static final ConvSpec UNEQUAL = ConvSpec.of(2, 0).withPadding(new Padding(0, 1, 0, 1));

    @TempDir
    Path cache;

    private final Simulator simulator = CudaTesting.simulator();

    private CudaOptions options(ConvolutionChoice choice) {
        return CudaTesting.options().withCache(cache).withConvolution(choice);
    }

    /** One layer's tensors, and all passes over them. */
    private static final class Layer {
        final CudaBackend backend;
        final ConvSpec spec;
        final Tensor input;
        final Tensor weight;
        final Tensor bias;
        final Tensor output;
        final Tensor gradInput;
        final Tensor gradWeight;
        final Tensor gradBias;

        Layer(CudaBackend backend, ConvSpec spec, DType dtype) {
            this.backend = backend;
            this.spec = spec;
            input = random(1, Shape.of(2, 6, 6, 8), dtype);
            weight = random(2, Shape.of(16, 3, 3, 8), DType.F32);
            bias = random(3, Shape.of(16), DType.F32);
            output = Tensor.empty(spec.outputShape(input.shape(), weight.shape(), bias.shape()), dtype);
            gradInput = Tensor.zeros(input.shape(), dtype);
            gradWeight = Tensor.empty(weight.shape(), DType.F32);
            gradBias = Tensor.empty(bias.shape(), DType.F32);
        }

        private static Tensor random(int seed, Shape shape, DType dtype) {
            Rng rng = new Rng(seed, Rng.stream("plans"), 0);
            float[] values = new float[Math.toIntExact(shape.elementCount())];
            for (int i = 0; i < values.length; i++) {
                values[i] = (float) rng.nextUniform(-1, 1);
            }
            Tensor floats = Tensor.of(values, shape.toArray());
            Tensor tensor = Tensor.empty(shape, dtype);
            tensor.backend().cast(floats, tensor);
            return tensor;
        }

        void run() {
            CudaConvolution convolution = backend.convolution;
            convolution.forward(spec, input, weight, bias, Activation.RELU, output);
            convolution.backwardInput(spec, output, weight, gradInput);
            convolution.accumulateInput(spec, output, weight, gradInput);
            convolution.backwardWeight(spec, input, output, gradWeight, gradBias);
        }

        List<float[]> results() {
            List<float[]> results = new ArrayList<>();
            for (Tensor tensor : List.of(output, gradInput, gradWeight, gradBias)) {
                results.add(tensor.toFloatArray());
            }
            return results;
        }
    }

    private static List<float[]> runAll(CudaBackend backend) {
        List<float[]> results = new ArrayList<>();
        try (Scope _ = Scope.open("test", backend)) {
            for (DType dtype : List.of(DType.F32, DType.BF16)) {
                for (ConvSpec spec : List.of(SAME, UNEQUAL)) {
                    Layer layer = new Layer(backend, spec, dtype);
                    layer.run();
                    results.addAll(layer.results());
                }
            }
        }
        return results;
    }

    private static void assertSame(List<float[]> actual, List<float[]> expected) {
        assertThat(actual).hasSameSizeAs(expected);
        for (int i = 0; i < expected.size(); i++) {
            assertThat(actual.get(i)).as("result %d", i).isEqualTo(expected.get(i));
        }
    }

    @ParameterizedTest
    @EnumSource
    void nothingIsCreatedOnceStepsAreWarm(ConvolutionChoice choice) {
        try (CudaBackend backend = CudaBackend.open(options(choice));
                Scope _ = Scope.open("test", backend)) {
            for (DType dtype : List.of(DType.F32, DType.BF16)) {
                Layer equal = new Layer(backend, SAME, dtype);
                Layer unequal = new Layer(backend, UNEQUAL, dtype);
                equal.run();
                unequal.run();
                equal.run();
                unequal.run();
                BackendStatistics warm = backend.statistics();
                assertThat(warm.primitives()).isPositive();
                assertThat(warm.descriptors()).isPositive();
                for (int i = 0; i < 3; i++) {
                    equal.run();
                    unequal.run();
                }
                assertThat(backend.statistics()).isEqualTo(warm);
            }
        }
    }

    @ParameterizedTest
    @EnumSource
    void choicesAreRemembered(ConvolutionChoice choice) {
        List<float[]> first;
        try (CudaBackend backend = CudaBackend.open(options(choice))) {
            first = runAll(backend);
            assertThat(backend.convolution.measured()).isEqualTo(16);
        }
        simulator.clearCalls();
        try (CudaBackend backend = CudaBackend.open(options(choice))) {
            assertSame(runAll(backend), first);
            assertThat(backend.convolution.measured()).isZero();
        }
        assertThat(simulator.calls("cuEventElapsedTime")).isZero();
    }

    @Test
    void damagedAndForeignChoicesAreMeasuredAgain() throws IOException {
        List<float[]> first;
        try (CudaBackend backend = CudaBackend.open(options(ConvolutionChoice.MEASURED))) {
            first = runAll(backend);
        }
        List<Path> files;
        try (Stream<Path> found = Files.list(cache.resolve("plans"))) {
            files = found.toList();
        }
        assertThat(files).hasSize(16);
        PlanCache plans = new PlanCache(cache.resolve("plans"));
        for (int i = 0; i < files.size(); i++) {
            String key = Files.readAllLines(files.get(i)).get(1);
            switch (i % 4) {
                case 0 -> Files.writeString(files.get(i), "tenon convolution plan 1\n" + key);
                case 1 -> plans.put(key, "graph x;7=1 0");
                case 2 -> plans.put(key, "legacy 99 0");
                default -> plans.put(key, "other 1 77");
            }
        }
        try (CudaBackend backend = CudaBackend.open(options(ConvolutionChoice.MEASURED))) {
            assertSame(runAll(backend), first);
            assertThat(backend.convolution.measured()).isEqualTo(16);
        }
    }

    @Test
    void otherSettingsAreOtherChoices() {
        try (CudaBackend backend = CudaBackend.open(options(ConvolutionChoice.LEGACY))) {
            runAll(backend);
        }
        try (CudaBackend backend =
                CudaBackend.open(options(ConvolutionChoice.LEGACY).withWorkspaceLimit(1 << 20))) {
            runAll(backend);
            assertThat(backend.convolution.measured()).isEqualTo(16);
        }
    }

    @Test
    void plansKeepWithinTheWorkspaceLimit() {
        try (CudaBackend backend =
                        CudaBackend.open(options(ConvolutionChoice.LEGACY).withWorkspaceLimit(0));
                Scope _ = Scope.open("test", backend)) {
            for (ConvolutionEngine engine : List.of(new LegacyConvolution(backend), new GraphConvolution(backend))) {
                List<ConvolutionPlan> plans = engine.plans(problem(Pass.FORWARD, DType.F32));
                assertThat(plans).as(engine.name()).isNotEmpty();
                for (ConvolutionPlan plan : plans) {
                    assertThat(plan.workspaceBytes()).isZero();
                    plan.close();
                }
                engine.close();
            }
            Layer layer = new Layer(backend, SAME, DType.F32);
            assertThatThrownBy(() ->
                            backend.convolution.backwardWeight(SAME, layer.input, layer.output, layer.gradWeight, null))
                    .isInstanceOf(DeviceException.class)
                    .hasMessageContaining("workspaceLimit=0")
                    .hasMessageContaining("-Dtenon.cuda.workspace.limit=BYTES");
        }
    }

    private static ConvolutionProblem problem(Pass pass, DType dtype) {
        return ConvolutionProblem.of(
                pass, SAME, Shape.of(2, 8, 8, 16), Shape.of(32, 3, 3, 16), Shape.of(2, 8, 8, 32), dtype, false);
    }

    @Test
    void onlyDeterministicPlansUnlessAllowed() {
        for (ConvolutionChoice choice : List.of(ConvolutionChoice.LEGACY, ConvolutionChoice.GRAPH)) {
            int[] counts = new int[2];
            for (int i = 0; i < 2; i++) {
                try (CudaBackend backend = CudaBackend.open(options(choice).withDeterministic(i == 0));
                        ConvolutionEngine engine = choice == ConvolutionChoice.LEGACY
                                ? new LegacyConvolution(backend)
                                : new GraphConvolution(backend)) {
                    for (Pass pass : List.of(Pass.BACKWARD_INPUT, Pass.BACKWARD_WEIGHT)) {
                        List<ConvolutionPlan> plans = engine.plans(problem(pass, DType.BF16));
                        assertThat(plans).as("%s %s", choice, pass).isNotEmpty();
                        counts[i] += plans.size();
                        plans.forEach(ConvolutionPlan::close);
                    }
                }
            }
            assertThat(counts[0]).as("%s", choice).isLessThan(counts[1]);
        }
    }

    @ParameterizedTest
    @EnumSource
    void equalRunsGiveEqualBits(ConvolutionChoice choice) {
        try (CudaBackend backend = CudaBackend.open(options(choice))) {
            List<float[]> first = runAll(backend);
            for (Simulator.Order order : Simulator.Order.values()) {
                simulator.order(order);
                assertSame(runAll(backend), first);
            }
        }
    }

    @Test
    void aPlanThatTurnsOutUnsupportedIsPassedOver() {
        simulator.failAt("cudnnConvolutionForward", 1, NOT_SUPPORTED);
        try (CudaBackend backend = CudaBackend.open(options(ConvolutionChoice.LEGACY));
                Scope _ = Scope.open("test", backend)) {
            Layer layer = new Layer(backend, SAME, DType.F32);
            backend.convolution.forward(SAME, layer.input, layer.weight, null, Activation.NONE, layer.output);
            assertThat(simulator.fired()).isOne();
        }
    }

    @Test
    void errorsSayWhatFailedAndWhatToDo() {
        try (CudaBackend backend = CudaBackend.open(options(ConvolutionChoice.LEGACY));
                Scope _ = Scope.open("test", backend)) {
            Layer layer = new Layer(backend, SAME, DType.F32);
            layer.run();
            simulator.failAt("cudnnConvolutionBackwardData", 1, EXECUTION_FAILED);
            assertThatThrownBy(layer::run)
                    .isInstanceOf(DeviceException.class)
                    .hasMessageContaining("conv2d: the chosen plan failed: CUDNN_STATUS_EXECUTION_FAILED")
                    .hasMessageContaining("-Dtenon.cuda.blocking=true");
            layer.run();
            simulator.failAt("cudnnCreateFilterDescriptor", 1, 2000);
            assertThatThrownBy(() -> new Layer(backend, UNEQUAL, DType.F32).run())
                    .isInstanceOf(DeviceException.class)
                    .hasMessageContaining("conv2d: cudnnCreateFilterDescriptor failed: CUDNN_STATUS_BAD_PARAM");
        }
    }

    @Test
    void noAlgorithmAtAllIsAnErrorThatNamesTheSettings() {
        try (CudaBackend backend = CudaBackend.open(options(ConvolutionChoice.LEGACY));
                Scope _ = Scope.open("test", backend)) {
            Layer layer = new Layer(backend, SAME, DType.F32);
            for (int i = 1; i <= 64; i++) {
                simulator.failAt("cudnnConvolutionForward", i, NOT_SUPPORTED);
            }
            assertThatThrownBy(() -> backend.convolution.forward(
                            SAME, layer.input, layer.weight, null, Activation.NONE, layer.output))
                    .isInstanceOf(DeviceException.class)
                    .hasMessageContaining("has no algorithm for this convolution within the settings")
                    .hasMessageContaining("-Dtenon.cuda.deterministic=false");
        }
    }

    @ParameterizedTest
    @EnumSource
    void aRecordedStepNeedsItsPlansBefore(ConvolutionChoice choice) {
        try (CudaBackend backend = CudaBackend.open(options(choice));
                Scope _ = Scope.open("test", backend)) {
            Layer layer = new Layer(backend, SAME, DType.F32);
            StepState state = new StepState(0.1, 1, 1);
            assertThatThrownBy(() -> backend.capture().record(state, layer::run))
                    .isInstanceOf(NotCapturableException.class)
                    .hasMessageContaining("conv2d: the first convolution of [2, 6, 6, 8] with [16, 3, 3, 8]");
            layer.run();
            List<float[]> expected = layer.results();
            try (CapturedStep step = backend.capture().record(state, layer::run)) {
                layer.output.fill(0);
                layer.gradWeight.fill(0);
                step.replay(state);
                assertSame(layer.results(), expected);
            }
        }
    }
}
