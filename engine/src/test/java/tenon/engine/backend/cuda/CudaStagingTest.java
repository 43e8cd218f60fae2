package tenon.engine.backend.cuda;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import tenon.engine.DType;
import tenon.engine.DeviceException;
import tenon.engine.Scope;
import tenon.engine.Shape;
import tenon.engine.Tensor;
import tenon.engine.backend.Staging;
import tenon.engine.testing.CleanDevice;
import tenon.engine.testing.CudaTesting;
import tenon.simulator.Simulator;

/** Transfers beside the computation, with streams that run as late and as early as they may. */
@ExtendWith(CleanDevice.class)
class CudaStagingTest {
    private static final int N = 1000;

    private final Simulator simulator = CudaTesting.simulator();

    @ParameterizedTest
    @EnumSource
    void batchesArriveInOrder(Simulator.Streams order) {
        simulator.streams(order);
        try (CudaBackend backend = CudaTesting.open();
                Scope _ = Scope.open("test", backend)) {
            Staging staging = backend.staging();
            MemorySegment[] slots = {staging.hostBuffer(4 * N), staging.hostBuffer(4 * N), staging.hostBuffer(4 * N)};
            Staging.Transfer[] uploads = {staging.transfer(), staging.transfer(), staging.transfer()};
            Tensor[] batch = {Tensor.empty(Shape.of(N), DType.F32), Tensor.empty(Shape.of(N), DType.F32)};
            Staging.Mark[] used = {staging.mark(), staging.mark()};
            Tensor copy = Tensor.empty(Shape.of(N), DType.F32);
            for (int i = 0; i < 30; i++) {
                int slot = i % 3;
                int place = i % 2;
                uploads[slot].awaitOnHost();
                for (int j = 0; j < N; j++) {
                    slots[slot].setAtIndex(ValueLayout.JAVA_FLOAT, j, i);
                }
                uploads[slot].upload(slots[slot], batch[place], i < 2 ? null : used[place]);
                uploads[slot].awaitOnDevice();
                copy.copyFrom(batch[place]);
                used[place].record();
                if (i % 4 == 3) {
                    assertThat(copy.toFloatArray()).containsOnly(i);
                }
            }
            for (Staging.Transfer upload : uploads) {
                upload.close();
            }
            used[0].close();
            used[1].close();
            staging.free(slots[0]);
            staging.free(slots[0]);
        }
    }

    @ParameterizedTest
    @EnumSource
    void resultsComeBackWhileTheComputationGoesOn(Simulator.Streams order) {
        simulator.streams(order);
        try (CudaBackend backend = CudaTesting.open();
                Scope _ = Scope.open("test", backend)) {
            Staging staging = backend.staging();
            MemorySegment host = staging.hostBuffer(12);
            try (Staging.Transfer transfer = staging.transfer()) {
                transfer.awaitOnHost();
                Tensor result = Tensor.of(new float[] {1, 2, 3}, 3);
                for (int i = 0; i < 5; i++) {
                    Tensor next = Tensor.of(new float[] {i, i + 1, i + 2}, 3);
                    result.copyFrom(next);
                    transfer.download(result, host);
                    // Overwriting the result waits for its download.
                    transfer.awaitOnDevice();
                    result.copyFrom(Tensor.of(new float[] {9, 9, 9}, 3));
                    transfer.awaitOnHost();
                    assertThat(host.toArray(ValueLayout.JAVA_FLOAT)).containsExactly(i, i + 1, i + 2);
                }
            }
            staging.free(host);
        }
    }

    @Test
    void otherMemoryIsRefused() {
        try (CudaBackend backend = CudaTesting.open();
                Scope _ = Scope.open("test", backend);
                Arena arena = Arena.ofConfined();
                Staging.Transfer transfer = backend.staging().transfer()) {
            Tensor tensor = Tensor.of(new float[] {1, 2, 3}, 3);
            MemorySegment pinned = backend.staging().hostBuffer(64);
            assertThat(pinned.address() % 64).isZero();
            assertThatThrownBy(() -> transfer.upload(arena.allocate(12), tensor, null))
                    .isInstanceOf(IllegalArgumentException.class)
                    .hasMessageContaining("must be a part of a hostBuffer");
            assertThatThrownBy(() -> transfer.upload(MemorySegment.ofArray(new float[3]), tensor, null))
                    .isInstanceOf(IllegalArgumentException.class);
            assertThatThrownBy(() -> transfer.download(tensor, pinned))
                    .isInstanceOf(IllegalArgumentException.class)
                    .hasMessageContaining("byte sizes must be equal: host=64, tensor=12");
            transfer.upload(pinned.asSlice(16, 12), tensor, null);
            transfer.awaitOnHost();
        }
    }

    @Test
    void pinnedMemoryMayBeExhausted() {
        try (CudaBackend backend = CudaTesting.open()) {
            simulator.failAt("cuMemHostAlloc", 1, 2);
            assertThatThrownBy(() -> backend.staging().hostBuffer(1 << 20))
                    .isInstanceOf(DeviceException.class)
                    .hasMessageStartingWith("cuMemHostAlloc: CUDA_ERROR_OUT_OF_MEMORY");
        }
    }
}
