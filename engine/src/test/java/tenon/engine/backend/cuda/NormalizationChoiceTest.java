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
import tenon.engine.backend.cuda.CudaOptions.LibraryChoice;
import tenon.engine.ops.Activation;
import tenon.engine.ops.BatchNormSpec;
import tenon.engine.testing.CleanDevice;
import tenon.engine.testing.CudaTesting;
import tenon.simulator.Simulator;

/** Who computes batch normalization, and what is kept of the choice and between the passes. */
@ExtendWith(CleanDevice.class)
class NormalizationChoiceTest {
    private static final int NOT_SUPPORTED = 3000;
    private static final int EXECUTION_FAILED = 5000;
    private static final String FORWARD = "cudnnBatchNormalizationForwardTrainingEx";
    private static final String BACKWARD = "cudnnBatchNormalizationBackwardEx";
    private static final BatchNormSpec PLAIN = BatchNormSpec.defaults();
    private static final BatchNormSpec RELU = PLAIN.withActivation(Activation.RELU);

    @TempDir
    Path cache;

    private final Simulator simulator = CudaTesting.simulator();

    private CudaOptions options(LibraryChoice choice) {
        return CudaTesting.options().withCache(cache).withBatchNorm(choice);
    }

    /** One layer's tensors, and both passes over them. */
    private static final class Layer {
        final CudaBackend backend;
        final BatchNormSpec spec;
        final Tensor input;
        final Tensor shortcut;
        final Tensor gamma;
        final Tensor beta;
        final Tensor runningMean;
        final Tensor runningVariance;
        final Tensor output;
        final Tensor gradOutput;
        final Tensor gradInput;
        final Tensor gradShortcut;
        final Tensor gradGamma;
        final Tensor gradBeta;

        Layer(CudaBackend backend, BatchNormSpec spec, DType dtype, boolean add) {
            this.backend = backend;
            this.spec = spec;
            Shape shape = Shape.of(3, 5, 4, 8);
            Shape channels = Shape.of(8);
            input = random(1, shape, dtype);
            shortcut = add ? random(2, shape, dtype) : null;
            gamma = random(3, channels, DType.F32);
            beta = random(4, channels, DType.F32);
            runningMean = random(5, channels, DType.F32);
            runningVariance = Tensor.full(channels, DType.F32, 1);
            output = Tensor.empty(shape, dtype);
            gradOutput = random(6, shape, dtype);
            gradInput = Tensor.empty(shape, dtype);
            gradShortcut = add && spec != PLAIN ? Tensor.empty(shape, dtype) : null;
            gradGamma = Tensor.empty(channels, DType.F32);
            gradBeta = Tensor.empty(channels, DType.F32);
        }

        private static Tensor random(int seed, Shape shape, DType dtype) {
            Rng rng = new Rng(seed, Rng.stream("normalization"), 0);
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
            try (Tensor mean = Tensor.empty(gamma.shape(), DType.F32);
                    Tensor variance = Tensor.empty(gamma.shape(), DType.F32)) {
                backend.normalization.trainForward(
                        spec, input, gamma, beta, runningMean, runningVariance, shortcut, output, 0, mean, variance);
                boolean saves = shortcut != null && spec != PLAIN;
                backend.normalization.backward(
                        spec,
                        input,
                        gamma,
                        beta,
                        mean,
                        variance,
                        false,
                        saves ? output : null,
                        gradOutput,
                        0,
                        gradInput,
                        gradShortcut,
                        gradGamma,
                        gradBeta);
            }
        }

        List<float[]> results() {
            List<float[]> results = new ArrayList<>();
            for (Tensor tensor : List.of(output, gradInput, gradGamma, gradBeta, runningMean, runningVariance)) {
                results.add(tensor.toFloatArray());
            }
            return results;
        }
    }

    private static List<float[]> runAll(CudaBackend backend) {
        List<float[]> results = new ArrayList<>();
        try (Scope _ = Scope.open("test", backend)) {
            for (DType dtype : List.of(DType.F32, DType.BF16)) {
                for (BatchNormSpec spec : List.of(PLAIN, RELU)) {
                    Layer layer = new Layer(backend, spec, dtype, false);
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

    private long libraryCalls() {
        return simulator.calls(FORWARD) + simulator.calls(BACKWARD);
    }

    @Test
    void theOptionsNameWhoComputes() {
        try (CudaBackend backend = CudaBackend.open(options(LibraryChoice.OWN))) {
            runAll(backend);
            assertThat(libraryCalls()).isZero();
        }
        try (CudaBackend backend = CudaBackend.open(options(LibraryChoice.CUDNN))) {
            runAll(backend);
            // Each of four layers is tried once.
            assertThat(libraryCalls()).isEqualTo(2 * 2 * 4);
            assertThat(simulator.calls("kernel merge_statistics")).isEqualTo(4);
            assertThat(backend.chooser().measured()).isZero();
        }
    }

    @Test
    void aPropertyNamesWhoComputes() {
        System.setProperty("tenon.cuda.batchnorm", "cudnn");
        System.setProperty("tenon.cuda.pooling", "own");
        try {
            assertThat(CudaOptions.defaults().batchNorm()).isEqualTo(LibraryChoice.CUDNN);
            assertThat(CudaOptions.defaults().pooling()).isEqualTo(LibraryChoice.OWN);
            System.setProperty("tenon.cuda.batchnorm", "legacy");
            assertThatThrownBy(CudaOptions::defaults)
                    .hasMessage("-Dtenon.cuda.batchnorm must be one of measured, own, cudnn: legacy");
        } finally {
            System.clearProperty("tenon.cuda.batchnorm");
            System.clearProperty("tenon.cuda.pooling");
        }
        assertThat(CudaOptions.defaults().batchNorm()).isEqualTo(LibraryChoice.MEASURED);
    }

    /** Two roundings where own kernels have one. */
    @Test
    void sumsInBf16StayWithOwnKernels() {
        try (CudaBackend backend = CudaBackend.open(options(LibraryChoice.CUDNN));
                Scope _ = Scope.open("test", backend)) {
            new Layer(backend, RELU, DType.BF16, true).run();
            assertThat(libraryCalls()).isZero();
            new Layer(backend, RELU, DType.F32, true).run();
            assertThat(libraryCalls()).isPositive();
        }
    }

    @Test
    void nothingIsCreatedOnceStepsAreWarm() {
        try (CudaBackend backend = CudaBackend.open(options(LibraryChoice.CUDNN));
                Scope _ = Scope.open("test", backend)) {
            List<Layer> layers = List.of(
                    new Layer(backend, PLAIN, DType.F32, false),
                    new Layer(backend, RELU, DType.F32, true),
                    new Layer(backend, RELU, DType.BF16, false));
            layers.forEach(Layer::run);
            layers.forEach(Layer::run);
            BackendStatistics warm = backend.statistics();
            assertThat(warm.descriptors()).isEqualTo(4);
            for (int i = 0; i < 3; i++) {
                layers.forEach(Layer::run);
            }
            assertThat(backend.statistics()).isEqualTo(warm);
        }
    }

    @Test
    void choicesAreMeasuredOnceAndRemembered() throws IOException {
        List<float[]> first;
        try (CudaBackend backend = CudaBackend.open(options(LibraryChoice.MEASURED))) {
            first = runAll(backend);
            assertThat(backend.chooser().measured()).isEqualTo(4);
            assertSame(runAll(backend), first);
            assertThat(backend.chooser().measured()).isEqualTo(4);
        }
        simulator.clearCalls();
        try (CudaBackend backend = CudaBackend.open(options(LibraryChoice.MEASURED))) {
            assertSame(runAll(backend), first);
            assertThat(backend.chooser().measured()).isZero();
        }
        assertThat(simulator.calls("cuEventElapsedTime")).isZero();
        for (String who : List.of("own", "cudnn")) {
            rewrite(who);
            simulator.clearCalls();
            try (CudaBackend backend = CudaBackend.open(options(LibraryChoice.MEASURED))) {
                runAll(backend);
            }
            assertThat(libraryCalls()).as(who).isEqualTo(who.equals("own") ? 0 : 16);
        }
    }

    private void rewrite(String who) throws IOException {
        Path folder = cache.resolve("choices");
        PlanCache choices = new PlanCache(folder, "library choice");
        try (Stream<Path> files = Files.list(folder)) {
            for (Path file : files.toList()) {
                choices.put(Files.readAllLines(file).get(1), who);
            }
        }
    }

    @Test
    void whatTheLibraryDoesNotDoOwnKernelsDo() {
        List<float[]> expected;
        try (CudaBackend backend = CudaBackend.open(options(LibraryChoice.OWN))) {
            expected = runAll(backend);
        }
        for (String call : List.of(FORWARD, BACKWARD, "cudnnGetBatchNormalizationForwardTrainingExWorkspaceSize")) {
            for (int i = 1; i <= 8; i++) {
                simulator.failAt(call, i, NOT_SUPPORTED);
            }
            try (CudaBackend backend = CudaBackend.open(options(LibraryChoice.CUDNN))) {
                assertSame(runAll(backend), expected);
            }
            simulator.clearPlans();
        }
        simulator.clearCalls();
        try (CudaBackend backend = CudaBackend.open(options(LibraryChoice.CUDNN).withWorkspaceLimit(0))) {
            runAll(backend);
            // The plain mode needs none.
            assertThat(libraryCalls()).isPositive();
        }
    }

    @Test
    void errorsSayWhatFailed() {
        try (CudaBackend backend = CudaBackend.open(options(LibraryChoice.CUDNN));
                Scope _ = Scope.open("test", backend)) {
            Layer layer = new Layer(backend, PLAIN, DType.F32, false);
            layer.run();
            simulator.failAt(BACKWARD, 1, EXECUTION_FAILED);
            assertThatThrownBy(layer::run)
                    .isInstanceOf(DeviceException.class)
                    .hasMessageContaining("batch_norm: " + BACKWARD + " failed: CUDNN_STATUS_EXECUTION_FAILED");
            layer.run();
        }
    }

    @Test
    void aRecordedStepNeedsItsChoicesBefore() {
        try (CudaBackend backend = CudaBackend.open(options(LibraryChoice.CUDNN));
                Scope _ = Scope.open("test", backend)) {
            Layer layer = new Layer(backend, RELU, DType.F32, false);
            StepState state = new StepState(0.1, 1, 1);
            assertThatThrownBy(() -> backend.capture().record(state, layer::run))
                    .isInstanceOf(NotCapturableException.class)
                    .hasMessageContaining("batch_norm: the first");
            layer.run();
            List<float[]> expected = layer.results().subList(0, 4);
            layer.gradInput.fill(0);
            layer.output.fill(0);
            try (CapturedStep step = backend.capture().record(state, layer::run)) {
                for (int i = 0; i < 2; i++) {
                    step.replay(state);
                    assertSame(layer.results().subList(0, 4), expected);
                }
            }
        }
    }

    @Test
    void whatIsKeptForTheBackwardPassGoesWithTheMean() {
        try (CudaBackend backend = CudaBackend.open(options(LibraryChoice.CUDNN));
                Scope _ = Scope.open("test", backend)) {
            Layer layer = new Layer(backend, PLAIN, DType.F32, false);
            layer.run();
            long live = backend.general().statistics().liveBytes();
            Tensor mean = Tensor.empty(layer.gamma.shape(), DType.F32);
            Tensor variance = Tensor.empty(layer.gamma.shape(), DType.F32);
            for (int i = 0; i < 2; i++) {
                backend.normalization.trainForward(
                        PLAIN,
                        layer.input,
                        layer.gamma,
                        layer.beta,
                        layer.runningMean,
                        layer.runningVariance,
                        null,
                        layer.output,
                        0,
                        mean,
                        variance);
            }
            assertThat(backend.general().statistics().liveBytes()).isGreaterThanOrEqualTo(live + 2 * 64 + 512);
            mean.close();
            variance.close();
            assertThat(backend.general().statistics().liveBytes()).isEqualTo(live);
        }
    }
}
