package tenon.io.data;

import java.lang.foreign.MemorySegment;
import java.util.HashMap;
import java.util.Map;
import tenon.engine.DType;
import tenon.engine.Scope;
import tenon.engine.Shape;
import tenon.engine.Tensor;
import tenon.engine.backend.Backend;

/** Finishes batches on another back-end than the one that a source was made for, in tensors that are kept from batch to batch. */
final class FinishElsewhere implements AutoCloseable {
    private final Backend backend;
    private final DeviceFinish finish;
    /** By number of samples: an epoch's last batch may be shorter. */
    private final Map<Integer, Raw> bySize = new HashMap<>();

    private record Raw(Tensor pictures, Tensor windows) {}

    FinishElsewhere(Backend backend, DeviceFinish first) {
        this.backend = backend;
        this.finish = first.on(backend);
    }

    /** Uploads a slot's parts, which may change when this returns, and queues the computation of the inputs. */
    void run(MemorySegment pictures, MemorySegment windows, Tensor input) {
        Raw raw = bySize.computeIfAbsent(input.shape().dim(0), size -> raw(size, input.shape()));
        raw.pictures.upload(pictures);
        raw.windows.upload(windows);
        finish.run(raw.pictures, raw.windows, input);
    }

    private Raw raw(int size, Shape shape) {
        try (var _ = Scope.openLocal("batches of another device")) {
            return new Raw(
                    Tensor.empty(backend, shape, DType.U8).retain(),
                    Tensor.empty(backend, Shape.of(size, DeviceFinish.WINDOW), DType.I32)
                            .retain());
        }
    }

    @Override
    public void close() {
        finish.close();
        for (Raw raw : bySize.values()) {
            raw.pictures.close();
            raw.windows.close();
        }
    }
}
