package tenon.benchmarks.networks;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import org.bytedeco.javacpp.PointerScope;
import org.bytedeco.pytorch.TensorVector;
import org.bytedeco.pytorch.global.torch;
import org.bytedeco.pytorch.global.torch.ScalarType;
import tenon.benchmarks.Step;
import tenon.benchmarks.TenonInference;
import tenon.benchmarks.TenonTraining;
import tenon.benchmarks.floor.Floor;
import tenon.benchmarks.floor.FloorResult;
import tenon.benchmarks.libtorch.TorchInference;
import tenon.benchmarks.libtorch.TorchNetwork;
import tenon.benchmarks.libtorch.TorchOptions;
import tenon.benchmarks.libtorch.TorchTensors;
import tenon.benchmarks.libtorch.TorchTraining;
import tenon.engine.DType;
import tenon.engine.Generator;
import tenon.engine.Precision;
import tenon.engine.Scope;
import tenon.engine.Shape;
import tenon.engine.Tensor;
import tenon.engine.backend.Backend;
import tenon.engine.backend.cpu.CpuBackend;
import tenon.engine.backend.reference.ReferenceBackend;
import tenon.engine.trace.TracedBackend;
import tenon.layers.Dropout;
import tenon.layers.Module;
import tenon.layers.Parameter;

/**
 * The process that measures: its argument is a {@link Measurement} as JSON, its last line of output an {@link Outcome}. Both engines start from the same
 * weights (a back-end's random numbers follow from the seed alone) and compute on the same batch of noise.
 */
final class Worker {
    private static final ObjectMapper JSON = new ObjectMapper();
    private static final int LOSSES = 3;
    /** Small when losses are compared: training multiplies a difference in rounding, by the more the larger the rate. */
    private static final double COMPARING_RATE = 1e-4;

    private static final double RATE = 0.01;
    private static final double MOMENTUM = 0.9;
    private static final double WEIGHT_DECAY = 5e-4;

    private final Measurement wanted;
    private final double rate;
    private final double[] pixels;
    private final int[] labels;

    private Worker(Measurement wanted) {
        this.wanted = wanted;
        rate = wanted.task() == Measurement.Task.LOSSES ? COMPARING_RATE : RATE;
        pixels = new Random(1)
                .doubles(wanted.network().input(wanted.batch()).elementCount(), -1, 1)
                .toArray();
        labels = new Random(2)
                .ints(wanted.batch(), 0, wanted.network().classes())
                .toArray();
    }

    public static void main(String[] arguments) throws JsonProcessingException {
        Worker worker = new Worker(JSON.readValue(arguments[0], Measurement.class));
        Outcome outcome;
        if (worker.wanted.task() == Measurement.Task.FLOOR) {
            outcome = worker.floor();
        } else {
            outcome = worker.wanted.engine() == Engine.TENON ? worker.tenon() : worker.libtorch();
        }
        System.out.println(JSON.writeValueAsString(outcome));
        // libtorch's and OpenMP's threads would keep the process.
        System.exit(0);
    }

    private Outcome floor() {
        FloorResult floor = Floor.measure(
                wanted.network()::build,
                wanted.network().input(wanted.batch()),
                wanted.precision(),
                wanted.threads(),
                wanted.budget().seconds(),
                false);
        return new Outcome(
                wanted.precision().toString(),
                0,
                List.of(),
                floor.steps(),
                floor.stepSeconds(),
                0,
                0,
                floor.updateSeconds(),
                0,
                0,
                List.of());
    }

    /** Kernels are told apart in steps of their own, after the timed ones: listening to each call costs about a percent. */
    private Outcome tenon() {
        try (CpuBackend cpu = CpuBackend.open(wanted.threads())) {
            Precision precision = wanted.precision().availableOn(cpu) ? wanted.precision() : Precision.FP32;
            Outcome timed = tenon(cpu, new KernelProfile(false), precision, wanted.budget());
            if (wanted.task() == Measurement.Task.LOSSES) {
                return timed;
            }
            KernelProfile profile = new KernelProfile(wanted.profile());
            return timed.withKernelsOf(tenon(
                    TracedBackend.of(cpu, profile),
                    profile,
                    precision,
                    wanted.budget().half()));
        }
    }

    private Outcome tenon(Backend backend, KernelProfile profile, Precision precision, Budget budget) {
        try (var _ = Scope.open("model", backend)) {
            Module network = build();
            network.computeIn(precision);
            long parameters = network.parameters().stream()
                    .map(Parameter::value)
                    .mapToLong(Tensor::elementCount)
                    .sum();
            try (Step step = step(network)) {
                return measure(step, profile, precision, parameters, budget);
            }
        }
    }

    private Module build() {
        Generator.current().manualSeed(42);
        Module network = wanted.network().build();
        if (wanted.task() == Measurement.Task.LOSSES) {
            network.walk(module -> {
                if (module instanceof Dropout) {
                    module.eval();
                }
            });
        }
        return network;
    }

    private Step step(Module network) {
        float[] values = new float[pixels.length];
        for (int i = 0; i < values.length; i++) {
            values[i] = (float) pixels[i];
        }
        Tensor images = Tensor.empty(wanted.network().input(wanted.batch()), DType.F32);
        images.upload(values);
        if (wanted.mode() == Mode.INFERENCE) {
            return new TenonInference(network, images);
        }
        TenonTraining training = new TenonTraining(network, rate, MOMENTUM, WEIGHT_DECAY);
        training.batch(images, Tensor.of(labels, labels.length));
        return training;
    }

    /** Opens no CPU back-end: that would set OpenMP's spinning, which is not libtorch's setting. */
    private Outcome libtorch() {
        torch.set_num_threads(wanted.threads());
        boolean bf16 = wanted.precision() == Precision.BF16;
        var options =
                new TorchOptions(ScalarType.Float, wanted.engine().format(), wanted.task() != Measurement.Task.LOSSES);
        try (var _ = new PointerScope()) {
            TorchNetwork network = twin(options);
            long parameters = 0;
            TensorVector all = network.parameters();
            for (long i = 0; i < all.size(); i++) {
                parameters += all.get(i).numel();
            }
            Shape input = wanted.network().input(wanted.batch());
            var images = network.image(pixels, input.dim(0), input.dim(1), input.dim(2), input.dim(3));
            try (Step step = step(network, images, bf16)) {
                return measure(step, new KernelProfile(false), wanted.precision(), parameters, wanted.budget());
            }
        }
    }

    private TorchNetwork twin(TorchOptions options) {
        try (Backend reference = ReferenceBackend.open();
                var _ = Scope.open("weights", reference)) {
            return wanted.network().twin(build(), options);
        }
    }

    private Step step(TorchNetwork network, org.bytedeco.pytorch.Tensor images, boolean bf16) {
        if (wanted.mode() == Mode.INFERENCE) {
            return new TorchInference(network, images, bf16);
        }
        TorchTraining training = new TorchTraining(network, rate, MOMENTUM, WEIGHT_DECAY, bf16);
        training.batch(images, TorchTensors.labels(labels));
        return training;
    }

    private Outcome measure(Step step, KernelProfile profile, Precision precision, long parameters, Budget budget) {
        PeakMemory.reset();
        if (wanted.task() == Measurement.Task.LOSSES) {
            List<Double> losses = new ArrayList<>();
            for (int i = 0; i < LOSSES; i++) {
                step.forward();
                step.backward();
                losses.add(step.update());
            }
            return new Outcome(precision.toString(), parameters, losses, 0, 0, 0, 0, 0, 0, 0, List.of());
        }
        StepTimer timer = new StepTimer(step, profile);
        timer.run(budget);
        return timer.outcome(precision.toString(), parameters);
    }
}
