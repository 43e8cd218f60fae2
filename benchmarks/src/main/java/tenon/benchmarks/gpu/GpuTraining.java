package tenon.benchmarks.gpu;

import java.util.ArrayList;
import java.util.List;
import tenon.benchmarks.networks.BenchmarkNetwork;
import tenon.engine.Generator;
import tenon.engine.Scope;
import tenon.engine.backend.cuda.CudaBackend;
import tenon.engine.backend.cuda.CudaOptions;
import tenon.engine.memory.MemoryStatistics;
import tenon.layers.Module;
import tenon.optim.Sgd;
import tenon.optim.UpdateRules;
import tenon.optim.schedule.Schedule;
import tenon.optim.train.Callback;
import tenon.optim.train.EpochRecord;
import tenon.optim.train.Loss;
import tenon.optim.train.Replica;
import tenon.optim.train.Replicas;
import tenon.optim.train.Trainer;

/** Times whole training steps of the {@link Trainer}, recorded ones as a run has them: softmax cross-entropy, SGD with momentum and weight decay, batches that lie on the device. */
final class GpuTraining {
    static final double RATE = 1e-3;
    static final double MOMENTUM = 0.9;
    static final double WEIGHT_DECAY = 5e-4;

    /** Enough for kernels to be chosen, memory to be cached and the step to be recorded. */
    private static final int WARM_UP_STEPS = 8;
    /** The same without recording; on several devices the first step shows in what order gradients finish. */
    private static final int EAGER_WARM_UP_STEPS = 3;

    /** Timed epochs of one measurement; the fastest counts, as what disturbs a GPU only slows it down. */
    private static final int EPOCHS = 3;

    /**
     * @param stepSeconds a step's mean in each timed epoch
     * @param memoryBytes device memory held in the end
     * @param loss mean of the last epoch
     */
    record Result(List<Double> stepSeconds, long parameters, long memoryBytes, double loss) {
        double best() {
            return stepSeconds.stream().mapToDouble(Double::doubleValue).min().orElseThrow();
        }
    }

    private GpuTraining() {}

    /**
     * @param seconds of the timed epochs together, about
     * @param recorded whether steps may be recorded
     */
    static Result measure(
            CudaOptions options, GpuMode mode, BenchmarkNetwork network, int batch, double seconds, boolean recorded) {
        try (CudaBackend backend = mode.open(options);
                var _ = Scope.open("model", backend);
                ResidentBatches batches = new ResidentBatches(network.input(batch), network.classes())) {
            Replica trained = replica(network, mode);
            Timer timer = new Timer(batches, seconds, 1);
            batches.setCount(WARM_UP_STEPS);
            Trainer trainer = Trainer.builder(
                            trained.model(), trained.optimizer(), Schedule.constant(RATE), Loss.crossEntropy(), batches)
                    .captureSteps(recorded)
                    .callback(timer)
                    .build();
            trainer.fit(2 + EPOCHS);
            MemoryStatistics memory = backend.allocator().statistics();
            return new Result(
                    timer.stepSeconds,
                    trained.model().trainableCount(),
                    memory.liveBytes() + memory.cachedBytes(),
                    timer.loss);
        }
    }

    /**
     * Steps of several GPUs, or one, each of which takes a batch; operation by operation, as several do.
     *
     * @param devices that train together; their back-ends stay the caller's
     */
    static Result measureTogether(
            List<CudaBackend> devices, GpuMode mode, BenchmarkNetwork network, int batch, double seconds) {
        try (var _ = Scope.open("model", devices.getFirst());
                ResidentBatches batches = new ResidentBatches(network.input(batch), network.classes());
                Replicas others =
                        Replicas.open(List.copyOf(devices.subList(1, devices.size())), () -> replica(network, mode))) {
            Replica first = replica(network, mode);
            Timer timer = new Timer(batches, seconds, devices.size());
            batches.setCount(EAGER_WARM_UP_STEPS * devices.size());
            Trainer.Builder builder = Trainer.builder(
                            first.model(), first.optimizer(), Schedule.constant(RATE), Loss.crossEntropy(), batches)
                    .captureSteps(false)
                    .callback(timer);
            (devices.size() == 1 ? builder : builder.replicas(others)).build().fit(2 + EPOCHS);
            MemoryStatistics memory = devices.getFirst().allocator().statistics();
            return new Result(
                    timer.stepSeconds,
                    first.model().trainableCount(),
                    memory.liveBytes() + memory.cachedBytes(),
                    timer.loss);
        }
    }

    private static Replica replica(BenchmarkNetwork network, GpuMode mode) {
        Generator.current().manualSeed(42);
        Module model = network.build();
        model.computeIn(mode.precision());
        return new Replica(
                model,
                new Sgd(
                        model.parameters(),
                        MOMENTUM,
                        false,
                        UpdateRules.weightDecay(WEIGHT_DECAY).onAllParameters()));
    }

    /** The first epoch warms up, the second finds out how long a step takes. An epoch's end waits for the device. */
    private static final class Timer implements Callback {
        private final ResidentBatches batches;
        private final double seconds;
        /** Batches of a step. */
        private final int devices;

        private final List<Double> stepSeconds = new ArrayList<>();
        private double loss;
        private long start;

        Timer(ResidentBatches batches, double seconds, int devices) {
            this.batches = batches;
            this.seconds = seconds;
            this.devices = devices;
        }

        @Override
        public void onEpochBegin(Trainer trainer, int epoch) {
            start = System.nanoTime();
        }

        @Override
        public void onEpochEnd(Trainer trainer, EpochRecord epoch) {
            double step = 1e-9 * (System.nanoTime() - start) * devices / batches.batchesPerEpoch();
            loss = epoch.loss();
            if (epoch.epoch() == 2) {
                batches.setCount(devices * (int) Math.clamp(seconds / EPOCHS / step, 2, 100_000));
            } else if (epoch.epoch() > 2) {
                stepSeconds.add(step);
            }
        }
    }
}
