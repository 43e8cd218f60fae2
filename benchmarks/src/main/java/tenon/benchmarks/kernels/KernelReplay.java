package tenon.benchmarks.kernels;

import java.util.Arrays;
import java.util.Locale;
import java.util.Random;
import tenon.benchmarks.kernels.KernelCase.TensorSlot;
import tenon.engine.DType;
import tenon.engine.Scope;
import tenon.engine.Tensor;
import tenon.engine.backend.Backend;
import tenon.engine.ops.Casts;

/** Makes a {@link KernelCase}'s call again and again, in turn on several sets of tensors. */
public final class KernelReplay implements AutoCloseable {
    private final KernelCase kernelCase;
    private final Backend backend;
    private final Scope scope;
    private final Object[][] arguments;
    private int next;

    /** @param sets 1 for hot caches */
    public KernelReplay(KernelCase kernelCase, Backend backend, int sets) {
        this.kernelCase = kernelCase;
        this.backend = backend;
        scope = Scope.open("replay", backend);
        arguments = new Object[sets][];
        for (int i = 0; i < sets; i++) {
            arguments[i] = fill(new Tensor[kernelCase.slots()]);
        }
    }

    private Object[] fill(Tensor[] tensors) {
        return Arrays.stream(kernelCase.arguments())
                .map(argument -> switch (argument) {
                    case TensorSlot slot -> tensor(slot, tensors);
                    case TensorSlot[] many ->
                        Arrays.stream(many).map(slot -> tensor(slot, tensors)).toArray(Tensor[]::new);
                    case null, default -> argument;
                })
                .toArray();
    }

    private static Tensor tensor(TensorSlot slot, Tensor[] tensors) {
        if (tensors[slot.index()] == null) {
            tensors[slot.index()] = contents(slot);
        }
        return tensors[slot.index()];
    }

    /** Noise; variances are positive; class indices and the winners of pooling windows are the first. */
    private static Tensor contents(TensorSlot slot) {
        if (!slot.dtype().isFloating()) {
            return Tensor.zeros(slot.shape(), slot.dtype());
        }
        if (slot.name().toLowerCase(Locale.ROOT).contains("variance")) {
            return Tensor.full(slot.shape(), slot.dtype(), 1);
        }
        float[] values = new float[Math.toIntExact(slot.shape().elementCount())];
        Random random = new Random(slot.index());
        for (int i = 0; i < values.length; i++) {
            values[i] = 2 * random.nextFloat() - 1;
        }
        Tensor tensor = Tensor.empty(slot.shape(), DType.F32);
        tensor.upload(values);
        if (slot.dtype() == DType.F32) {
            return tensor;
        }
        Tensor converted = Casts.cast(tensor, slot.dtype());
        tensor.close();
        return converted;
    }

    /** Makes the call once. */
    public void run() {
        kernelCase.kernel().run(backend, arguments[next]);
        next = next + 1 == arguments.length ? 0 : next + 1;
    }

    @Override
    public void close() {
        scope.close();
        backend.allocator().trim();
    }
}
