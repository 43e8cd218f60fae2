package tenon.benchmarks.kernels;

import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.Map;
import tenon.benchmarks.TenonTraining;
import tenon.benchmarks.networks.BenchmarkNetwork;
import tenon.engine.DType;
import tenon.engine.Precision;
import tenon.engine.Scope;
import tenon.engine.Tensor;
import tenon.engine.backend.Backend;
import tenon.engine.trace.KernelCall;
import tenon.engine.trace.TracedBackend;
import tenon.layers.Module;

/** Collects the kernels that a network's training step runs, each distinct call once. */
public final class KernelRecorder {
    private final Map<String, KernelCase> cases = new LinkedHashMap<>();
    private boolean recording;

    private KernelRecorder() {}

    /** Runs two training steps: the second has the calls of all that follow. */
    public static Collection<KernelCase> record(
            Backend backend, BenchmarkNetwork network, int batch, Precision precision) {
        KernelRecorder recorder = new KernelRecorder();
        try (var _ = Scope.open("model", TracedBackend.of(backend, recorder::add))) {
            Module net = network.build();
            net.computeIn(precision);
            try (TenonTraining training = new TenonTraining(net, 0.01, 0.9, 5e-4)) {
                training.batch(Tensor.zeros(network.input(batch), DType.F32), Tensor.of(new int[batch], batch));
                for (int step = 0; step < 2; step++) {
                    recorder.recording = step == 1;
                    training.forward();
                    training.backward();
                    training.update();
                }
            }
        }
        backend.allocator().trim();
        return recorder.cases.values();
    }

    private void add(KernelCall call) {
        // A download goes to an array of the caller's.
        if (recording && !call.kernel().name().equals("download")) {
            KernelCase one = KernelCase.of(call);
            cases.merge(one.key(), one, (known, _) -> known.again());
        }
    }
}
