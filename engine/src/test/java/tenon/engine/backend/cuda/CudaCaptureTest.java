package tenon.engine.backend.cuda;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.lang.foreign.ValueLayout;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import tenon.engine.DType;
import tenon.engine.DeviceException;
import tenon.engine.NotCapturableException;
import tenon.engine.Scope;
import tenon.engine.Shape;
import tenon.engine.TenonException;
import tenon.engine.Tensor;
import tenon.engine.backend.CapturedStep;
import tenon.engine.backend.StepState;
import tenon.engine.ops.Casts;
import tenon.engine.ops.Dense;
import tenon.engine.testing.CleanDevice;
import tenon.engine.testing.CudaTesting;
import tenon.simulator.Simulator;

/** Recorded steps. The step of these tests is w −= rate·(2·x + 1), with 2·x + 1 in memory that the step allocates, and the loss is its first element. */
@ExtendWith(CleanDevice.class)
class CudaCaptureTest {
    private static final StepState STATE = new StepState(0.5, 3, 1);

    private final Simulator simulator = CudaTesting.simulator();
    private CudaBackend backend;
    private Scope scope;
    private Tensor w;
    private Tensor x;

    @BeforeEach
    void open() {
        backend = CudaTesting.open();
        scope = Scope.open("test", backend);
        w = Tensor.of(new float[] {10, 20, 30}, 3);
        x = Tensor.of(new float[] {1, 2, 3}, 3);
        // What a program does before it records: everything is compiled and made.
        step(backend);
        w.upload(new float[] {10, 20, 30});
    }

    @AfterEach
    void close() {
        scope.close();
        backend.close();
    }

    private Tensor step(CudaBackend on) {
        Kernel affine = on.kernels.get("core_test", "affine");
        Kernel descend = on.kernels.get("core_test", "descend");
        Tensor y = Tensor.empty(on, Shape.of(3), DType.F32);
        on.launch(affine)
                .address(x.address())
                .float32(2)
                .float32(1)
                .address(y.address())
                .int64(3)
                .elements(3);
        if (on.capturing()) {
            on.capture().guard(y.view(Shape.of(3)));
        }
        long rate = on.scalars.put(4, (now, to) -> to.set(ValueLayout.JAVA_FLOAT, 0, now.rateOr(0.5f)));
        on.launch(descend)
                .address(w.address())
                .address(y.address())
                .address(rate)
                .address(on.scalars.guard())
                .int64(3)
                .elements(3);
        return y;
    }

    private CapturedStep record() {
        return backend.capture().record(STATE, () -> {
            try (Scope _ = Scope.open("step", backend)) {
                step(backend);
            }
        });
    }

    @Test
    void recordingComputesNothingAndReplaysCompute() {
        try (CapturedStep step = record()) {
            assertThat(w.toFloatArray()).containsExactly(10, 20, 30);
            step.replay(STATE);
            assertThat(w.toFloatArray()).containsExactly(8.5f, 17.5f, 26.5f);
            step.replay(new StepState(0.25, 4, 2));
            assertThat(w.toFloatArray()).containsExactly(7.75f, 16.25f, 24.75f);
            x.upload(new float[] {0, 0, 0});
            step.replay(new StepState(1, 5, 3));
            assertThat(w.toFloatArray()).containsExactly(6.75f, 15.25f, 23.75f);
            assertThat(backend.capture().problem()).isNull();
        }
    }

    @Test
    void manyReplaysInFlight() {
        try (CapturedStep step = record()) {
            for (int i = 1; i <= 20; i++) {
                step.replay(new StepState(i, i, i));
            }
            assertThat(w.toFloatArray()).containsExactly(10 - 210 * 3, 20 - 210 * 5, 30 - 210 * 7);
        }
    }

    @Test
    void eagerStepsComeInBetween() {
        try (CapturedStep step = record();
                CapturedStep other = record()) {
            step.replay(STATE);
            step(backend).close();
            other.replay(STATE);
            assertThat(w.toFloatArray()).containsExactly(5.5f, 12.5f, 19.5f);
        }
    }

    @Test
    void memoryOfAStepBelongsToItAlone() {
        Tensor[] kept = new Tensor[1];
        CapturedStep step = backend.capture().record(STATE, () -> {
            try (Scope _ = Scope.open("step", backend)) {
                Tensor y = step(backend);
                kept[0] = y.retain();
            }
        });
        try (Tensor mine = Tensor.of(new float[] {7, 7, 7}, 3)) {
            step.replay(STATE);
            assertThat(kept[0].toFloatArray()).containsExactly(3, 5, 7);
            assertThat(mine.toFloatArray()).containsExactly(7, 7, 7);
        }
        step.close();
        step.close();
        assertThat(kept[0].toFloatArray()).as("still open").containsExactly(3, 5, 7);
        kept[0].close();
        assertThatThrownBy(() -> step.replay(STATE)).isInstanceOf(IllegalStateException.class);
    }

    @Test
    void scratchMemoryOfAStepIsItsOwn() {
        long eager = backend.scratch.get(512);
        long[] recorded = new long[2];
        CapturedStep step = backend.capture().record(STATE, () -> {
            recorded[0] = backend.scratch.get(512);
            recorded[1] = backend.scratch.get(1 << 16);
        });
        assertThat(backend.scratch.get(512)).isEqualTo(eager).isNotEqualTo(recorded[0]);
        step.close();
    }

    @Test
    void aLossThatIsNotFiniteStopsUpdatesUntilCleared() {
        try (CapturedStep step = record()) {
            x.upload(new float[] {Float.NaN, 1, 1});
            step.replay(STATE);
            x.upload(new float[] {1, 2, 3});
            step.replay(STATE);
            assertThat(w.toFloatArray()).containsExactly(10, 20, 30);
            assertThat(backend.capture().problem()).isEqualTo("a loss was not finite");
            step(backend).close();
            assertThat(w.toFloatArray()).as("eager steps go on").containsExactly(8.5f, 17.5f, 26.5f);
            backend.capture().clearProblem();
            assertThat(backend.capture().problem()).isNull();
            step.replay(STATE);
            assertThat(w.toFloatArray()).containsExactly(7, 15, 23);
        }
    }

    @Test
    void whatNeedsTheHostIsRefusedByName() {
        Map<String, Runnable> attempts = new HashMap<>();
        attempts.put("download", () -> w.toFloatArray());
        attempts.put("upload", () -> w.upload(new float[3]));
        attempts.put("synchronize", backend::synchronize);
        attempts.put("is_finite", () -> backend.isFinite(w));
        attempts.put("record", this::record);
        attempts.put("problem", () -> backend.capture().problem());
        attempts.put("mark", () -> backend.staging().mark());
        attempts.put("close", backend::close);
        attempts.forEach((name, attempt) -> {
            assertThatThrownBy(() -> backend.capture().record(STATE, () -> {
                        step(backend).close();
                        attempt.run();
                    }))
                    .as(name)
                    .isInstanceOf(NotCapturableException.class)
                    .hasMessageContaining("it waits for the device, so a step with it cannot be recorded");
            assertThat(w.toFloatArray()).containsExactly(10, 20, 30);
        });
    }

    @Test
    void anExceptionOfTheStepComesThrough() {
        assertThatThrownBy(() -> backend.capture().record(STATE, () -> {
                    step(backend).close();
                    throw new IllegalStateException("mine");
                }))
                .hasMessage("mine");
        step(backend).close();
        assertThat(w.toFloatArray()).containsExactly(8.5f, 17.5f, 26.5f);
    }

    @Test
    void tooLittleMemoryIsAReasonToGoOnWithoutRecording() {
        simulator.memoryLimit(0, simulator.memoryUsed(0) + (1 << 20));
        assertThatThrownBy(() -> backend.capture().record(STATE, () -> {
                    try (Scope _ = Scope.open("step", backend)) {
                        step(backend);
                        // Given back blocks keep their place in what was recorded, so they cannot go back to the
                        // device.
                        Tensor.empty(backend, Shape.of(200_000), DType.F32).close();
                        Tensor.empty(backend, Shape.of(250_000), DType.F32);
                    }
                }))
                .isInstanceOf(NotCapturableException.class)
                .hasMessageStartingWith("the memory does not suffice to record the step: allocate: out of memory on"
                        + " cuda:0: wanted=1000000 bytes");
        Tensor.empty(backend, Shape.of(200_000), DType.F32).close();
        Tensor.empty(backend, Shape.of(250_000), DType.F32).close();
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "cuMemAlloc",
                "cuStreamBeginCapture",
                "cuStreamEndCapture",
                "cuMemHostAlloc",
                "cuEventCreate",
                "cuGraphInstantiate",
                "cuLaunchKernel"
            })
    void aFailureWhileRecordingLeavesNothing(String call) {
        record().close();
        backend.general().trim();
        Map<String, Long> live = simulator.live();
        for (int n = 1; n <= 3; n++) {
            simulator.failAt(call, n, 2);
            Throwable failure = org.assertj.core.api.Assertions.catchThrowable(() -> record().close());
            if (failure != null) {
                assertThat(failure).isInstanceOfAny(DeviceException.class, NotCapturableException.class);
            }
            simulator.clearPlans();
            backend.general().trim();
            assertThat(simulator.live()).as("%s number %d", call, n).isEqualTo(live);
        }
        assertThat(simulator.fired()).isPositive();
        step(backend).close();
        assertThat(w.toFloatArray()).containsExactly(8.5f, 17.5f, 26.5f);
    }

    @Test
    void aReplayThatFailsIsTyped() {
        try (CapturedStep step = record()) {
            simulator.failAt("cuGraphLaunch", 1, 999);
            assertThatThrownBy(() -> step.replay(STATE))
                    .isInstanceOf(TenonException.class)
                    .hasMessageStartingWith("cuGraphLaunch: CUDA_ERROR_UNKNOWN");
        }
    }

    @Test
    void othersWaitUntilTheRecordingIsDone() throws Exception {
        CountDownLatch recording = new CountDownLatch(1);
        AtomicBoolean done = new AtomicBoolean();
        List<Boolean> seen = new java.util.concurrent.CopyOnWriteArrayList<>();
        Thread other = Thread.ofPlatform().start(() -> {
            try {
                assertThat(recording.await(10, TimeUnit.SECONDS)).isTrue();
                try (Scope _ = Scope.open("other", backend)) {
                    Tensor t = Tensor.of(new float[] {1, 2}, 2);
                    seen.add(done.get());
                    assertThat(t.toFloatArray()).containsExactly(1, 2);
                    backend.general().trim();
                }
                seen.add(true);
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
            }
        });
        try (CapturedStep step = backend.capture().record(STATE, () -> {
            recording.countDown();
            step(backend).close();
            try {
                Thread.sleep(50);
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
            }
            done.set(true);
        })) {
            other.join(10_000);
            assertThat(seen).containsExactly(true, true);
            step.replay(STATE);
            assertThat(w.toFloatArray()).containsExactly(8.5f, 17.5f, 26.5f);
        }
    }

    @Test
    void aBackendThatClosesTakesItsRecordingsAlong() {
        CapturedStep step;
        try (CudaBackend second = CudaTesting.open()) {
            step = second.capture().record(STATE, () -> second.scratch.get(100));
            step.replay(STATE);
        }
        step.close();
    }

    // ---- BF16 copies ----

    private float[] bf16() {
        short[] bits = new short[3];
        backend.hostCopies.download(backend.bf16(w), java.lang.foreign.MemorySegment.ofArray(bits));
        return new float[] {DType.bf16ToFloat(bits[0]), DType.bf16ToFloat(bits[1]), DType.bf16ToFloat(bits[2])};
    }

    /** A block that the step has used and given back before is written by every replay: what is sent only once must not lie there. */
    @Test
    void whatIsSentOnceIsNoMemoryThatTheStepUsesBesides() {
        Tensor gradient = Tensor.of(new float[] {1, 1, 1}, 3);
        updateBy(gradient);
        w.upload(new float[] {10, 20, 30});
        try (CapturedStep step = backend.capture().record(STATE, () -> {
            giveBackBlocks();
            updateBy(gradient);
        })) {
            step.replay(STATE);
            step.replay(STATE);
            assertThat(w.toFloatArray()).containsExactly(9, 19, 29);
        }
    }

    /** The same for a weight's BF16 copy that the recording is the first to ask for: it lives as long as the weight. */
    @Test
    void aCopyThatARecordingMakesIsNoMemoryOfItsStep() {
        Tensor input = Tensor.of(new float[] {1, 2, 3, 4}, 1, 4);
        Tensor weight = Tensor.of(new float[] {1, 1, 1, 1}, 1, 4);
        Tensor narrow = Casts.cast(input, DType.BF16);
        Tensor known = Tensor.of(new float[] {1, 1, 1, 1}, 1, 4);
        Dense.dense(narrow, known, null).close();
        Tensor[] output = new Tensor[1];
        CapturedStep step = backend.capture().record(STATE, () -> {
            giveBackBlocks();
            output[0] = Dense.dense(narrow, weight, null).retain();
        });
        step.replay(STATE);
        step.replay(STATE);
        assertThat(output[0].toFloatArray()).containsExactly(10);
        output[0].close();
        step.close();
        assertThat(Dense.dense(narrow, weight, null).toFloatArray()).containsExactly(10);
    }

    /** Writes to, and gives back, more blocks of the smallest size than what follows can take. */
    private void giveBackBlocks() {
        Tensor[] blocks = new Tensor[8];
        for (int i = 0; i < blocks.length; i++) {
            blocks[i] = Tensor.empty(backend, Shape.of(16), DType.F32);
            blocks[i].fill(1e30);
        }
        for (Tensor block : blocks) {
            block.close();
        }
    }

    private void updateBy(Tensor gradient) {
        backend.updates()
                .sgd(
                        new Tensor[] {w},
                        new Tensor[] {gradient},
                        null,
                        0.5f,
                        0,
                        false,
                        1,
                        null,
                        new float[1],
                        new float[] {1});
    }

    @Test
    void copiesFollowTheirWeights() {
        assertThat(backend.bf16ToWrite(w)).isZero();
        assertThat(bf16()).containsExactly(10, 20, 30);
        assertThat(backend.bf16ToWrite(w)).isNotZero();
        w.upload(new float[] {1, 2, 3});
        assertThat(bf16()).as("after an upload").containsExactly(1, 2, 3);
        long address = w.storage().blockAddress();
        assertThat(ComputeCopy.of(w.storage()).isValid())
                .as("reading is no writing")
                .isTrue();
        assertThat(w.address()).isEqualTo(address);
        assertThat(ComputeCopy.of(w.storage()).isValid())
                .as("who asks may write")
                .isFalse();
        assertThat(w.toFloatArray()).containsExactly(1, 2, 3);
    }

    /** w −= rate·x and, where there is one, the copy of w: as updates do, in two passes. */
    private void update() {
        Kernel descend = backend.kernels.get("core_test", "descend");
        long rate = backend.scalars.put(4, (now, to) -> to.set(ValueLayout.JAVA_FLOAT, 0, now.rateOr(0.5f)));
        long written = backend.bf16ToWrite(w);
        backend.launch(descend)
                .address(w.storage().blockAddress())
                .address(x.address())
                .address(rate)
                .address(backend.scalars.guard())
                .int64(3)
                .elements(3);
        if (written != 0) {
            backend.arithmetic.roundToBf16(w.storage().blockAddress(), written, 3);
        }
        backend.bf16Written(w);
    }

    @Test
    void recordedStepsWriteTheCopiesThatThereAre() {
        bf16();
        try (CapturedStep step = backend.capture().record(STATE, this::update)) {
            step.replay(new StepState(1, 1, 1));
            assertThat(bf16()).containsExactly(9, 18, 27);
            w.upload(new float[] {4, 4, 4});
            step.replay(new StepState(1, 1, 1));
            assertThat(bf16()).containsExactly(3, 2, 1);
        }
    }

    @Test
    void aRecordingThatReadsACopyFindsItUpToDate() {
        Tensor read = Tensor.empty(Shape.of(4), DType.BF16);
        bf16();
        try (CapturedStep step = backend.capture().record(STATE, () -> {
            // Reads the copy only.
            long address = backend.bf16(w);
            Driver.run(
                    "cuMemcpyDtoDAsync",
                    () -> jcuda.driver.JCudaDriver.cuMemcpyDtoDAsync(
                            Pointers.at(read.address()), Pointers.at(address), 6, backend.compute.handle()));
        })) {
            w.upload(new float[] {4, 5, 6});
            step.replay(STATE);
            assertThat(read.toFloatArray()).startsWith(4, 5, 6);
        }
    }

    @Test
    void aCopyThatIsMadeLaterIsNotTrustedAfterAReplay() {
        try (CapturedStep step = backend.capture().record(STATE, this::update)) {
            assertThat(bf16()).containsExactly(10, 20, 30);
            step.replay(new StepState(1, 1, 1));
            assertThat(bf16()).containsExactly(9, 18, 27);
        }
    }

    @Test
    void aFailedRecordingLeavesCopiesAsTheyWere() {
        assertThatThrownBy(() -> backend.capture().record(STATE, () -> {
                    backend.bf16(w);
                    backend.synchronize();
                }))
                .isInstanceOf(NotCapturableException.class);
        assertThat(bf16()).containsExactly(10, 20, 30);
    }
}
