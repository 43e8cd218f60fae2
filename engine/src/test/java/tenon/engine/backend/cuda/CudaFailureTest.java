package tenon.engine.backend.cuda;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowable;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import tenon.engine.Context;
import tenon.engine.DType;
import tenon.engine.DeviceException;
import tenon.engine.Generator;
import tenon.engine.OutOfMemoryException;
import tenon.engine.Scope;
import tenon.engine.TenonException;
import tenon.engine.memory.MemoryStatistics;
import tenon.engine.testing.CleanDevice;
import tenon.engine.testing.CudaTesting;
import tenon.engine.testing.SmallNet;
import tenon.simulator.Simulator;

/** Every allocation, every launch and every call of a library in a training step fails once: each time a typed error, nothing lost, and training goes on with half the batch. */
@ExtendWith(CleanDevice.class)
class CudaFailureTest {
    private static final int OUT_OF_MEMORY = 2;
    private static final int LAUNCH_OUT_OF_RESOURCES = 701;
    private static final int CUBLAS_EXECUTION_FAILED = 13;
    private static final int CUDNN_EXECUTION_FAILED = 5000;

    private final Simulator simulator = CudaTesting.simulator();

    private static SmallNet net(CudaBackend backend) {
        Generator.current().manualSeed(7);
        SmallNet net = new SmallNet(backend, DType.BF16, 4, 8, 2);
        // Gradients, copies, plans and descriptors are there from here on.
        net.train();
        net.trainOnHalf();
        return net;
    }

    /** Runs a step that may fail; what is live afterwards is what was live before. */
    private static Throwable attempt(CudaBackend backend, SmallNet net, String what) {
        long live = backend.general().statistics().liveBytes();
        Throwable failure = catchThrowable(net::train);
        assertThat(backend.general().statistics().liveBytes())
                .as("live bytes after %s (%s)", what, failure)
                .isEqualTo(live);
        return failure;
    }

    private static void goesOn(SmallNet net, String what) {
        assertThat(net.trainOnHalf()).as("loss after %s", what).isFinite();
    }

    @Test
    void everyAllocation() {
        try (CudaBackend backend = CudaTesting.open();
                Scope _ = Scope.open("model", backend)) {
            SmallNet net = net(backend);
            int failures = 0;
            boolean failed = true;
            for (int n = 1; failed; n++) {
                backend.general().trim();
                simulator.clearCalls();
                // The allocator empties its cache and tries again: that fails, too.
                for (int i = 0; i < 2; i++) {
                    simulator.failAt("cuMemAlloc", n + i, OUT_OF_MEMORY);
                }
                String what = "allocation " + n;
                Throwable failure = attempt(backend, net, what);
                failed = simulator.fired() > 0;
                if (failure != null) {
                    failures++;
                    assertThat(failure)
                            .as(what)
                            .isInstanceOf(OutOfMemoryException.class)
                            .hasMessageContaining("out of memory on cuda:0: wanted=")
                            .hasMessageContaining("live=")
                            .hasMessageContaining("cached=")
                            .hasMessageContaining("free on the device=");
                }
                simulator.clearPlans();
                goesOn(net, what);
            }
            assertThat(failures).as("allocations of a step").isGreaterThan(10);
        }
    }

    @Test
    void aDeviceThatIsFullForTheWholeBatchTakesHalf() {
        try (CudaBackend backend = CudaTesting.open();
                Scope _ = Scope.open("model", backend)) {
            Generator.current().manualSeed(7);
            SmallNet net = new SmallNet(backend, DType.F32, 32, 8, 8);
            net.train();
            net.trainOnHalf();
            backend.general().trim();
            net.trainOnHalf();
            MemoryStatistics half = backend.general().statistics();
            simulator.memoryLimit(0, simulator.memoryUsed(0));
            assertThat(catchThrowable(net::train)).isInstanceOf(OutOfMemoryException.class);
            for (int i = 0; i < 3; i++) {
                assertThat(net.trainOnHalf()).isFinite();
            }
            assertThat(backend.general().statistics().liveBytes()).isEqualTo(half.liveBytes());
        }
    }

    @Test
    void everyLaunchAndEveryCall() {
        try (CudaBackend backend = CudaTesting.open();
                Scope _ = Scope.open("model", backend)) {
            SmallNet net = net(backend);
            simulator.clearCalls();
            net.train();
            Map<String, Long> calls = new TreeMap<>(simulator.calls());
            List<String> noticed = new ArrayList<>();
            List<String> swallowed = new ArrayList<>();
            calls.forEach((call, count) -> {
                if (call.startsWith("kernel ")) {
                    return;
                }
                for (int n = 1; n <= count; n++) {
                    String what = call + " number " + n;
                    simulator.clearCalls();
                    simulator.failAt(call, n, status(call));
                    Throwable failure = attempt(backend, net, what);
                    if (simulator.fired() > 0) {
                        if (failure == null) {
                            swallowed.add(what);
                        } else {
                            noticed.add(what);
                            assertThat(failure).as(what).isInstanceOf(TenonException.class);
                            assertThat(failure.getMessage()).as(what).contains(":");
                        }
                    }
                    simulator.clearPlans();
                    simulator.clearViolations();
                    goesOn(net, what);
                }
            });
            assertThat(calls.keySet()).contains("cuLaunchKernel", "cuMemcpyHtoDAsync", "cuEventRecord");
            assertThat(noticed).as("failures").hasSizeGreaterThan(100);
            assertThat(swallowed).as("failures that nobody noticed").isEmpty();
        }
    }

    private static int status(String call) {
        if (call.startsWith("cudnn")) {
            return CUDNN_EXECUTION_FAILED;
        }
        return call.startsWith("cublas") ? CUBLAS_EXECUTION_FAILED : LAUNCH_OUT_OF_RESOURCES;
    }

    @Test
    void theMessageNamesTheKernelAndTheLayer() {
        try (CudaBackend backend = CudaTesting.open();
                Scope _ = Scope.open("model", backend)) {
            SmallNet net = net(backend);
            simulator.failAt("cuLaunchKernel", 1, LAUNCH_OUT_OF_RESOURCES);
            Context.get().setPath("stage1.conv");
            try {
                assertThat(catchThrowable(net::train))
                        .isInstanceOf(DeviceException.class)
                        .hasMessageContaining(" 'stage1.conv': the kernel was not started: grid=")
                        .hasMessageContaining("CUDA_ERROR_LAUNCH_OUT_OF_RESOURCES");
            } finally {
                Context.get().setPath("");
            }
        }
    }
}
