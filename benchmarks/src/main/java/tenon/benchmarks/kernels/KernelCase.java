package tenon.benchmarks.kernels;

import java.util.Arrays;
import java.util.IdentityHashMap;
import java.util.Map;
import java.util.stream.Collectors;
import tenon.engine.DType;
import tenon.engine.Rng;
import tenon.engine.Shape;
import tenon.engine.Tensor;
import tenon.engine.trace.Kernel;
import tenon.engine.trace.KernelCall;

/**
 * A kernel with arguments as a network gave them: what tensors are replaced by {@link TensorSlot}s, so that the call can be made again with others.
 *
 * @param slots how many different tensors there are
 * @param calls how often a training step makes this call
 */
public record KernelCase(Kernel kernel, Object[] arguments, int slots, long flops, long bytes, int calls) {
    /**
     * Place of a tensor.
     *
     * @param index equal for arguments that are one tensor
     * @param name of the parameter
     */
    record TensorSlot(int index, String name, Shape shape, DType dtype) {}

    /** @param call one that was just made */
    static KernelCase of(KernelCall call) {
        Map<Tensor, Integer> numbers = new IdentityHashMap<>();
        Object[] given = call.arguments();
        Object[] arguments = new Object[given.length];
        for (int i = 0; i < given.length; i++) {
            arguments[i] = abstracted(given[i], call.kernel().parameters().get(i), numbers);
        }
        return new KernelCase(call.kernel(), arguments, numbers.size(), call.flops(), call.bytes(), 1);
    }

    private static Object abstracted(Object argument, String name, Map<Tensor, Integer> numbers) {
        return switch (argument) {
            case Tensor tensor -> {
                numbers.putIfAbsent(tensor, numbers.size());
                yield new TensorSlot(numbers.get(tensor), name, tensor.shape(), tensor.dtype());
            }
            case Tensor[] tensors ->
                Arrays.stream(tensors)
                        .map(tensor -> (TensorSlot) abstracted(tensor, name, numbers))
                        .toArray(TensorSlot[]::new);
            case null, default -> argument;
        };
    }

    KernelCase again() {
        return new KernelCase(kernel, arguments, slots, flops, bytes, calls + 1);
    }

    /** Equal for calls that do the same work: the kernel, its settings, shapes and dtypes. */
    String key() {
        return kernel + Arrays.stream(arguments).map(KernelCase::text).collect(Collectors.joining(", ", "(", ")"));
    }

    private static String text(Object argument) {
        return switch (argument) {
            case TensorSlot slot -> slot.dtype().toString() + slot.shape();
            // A network's parameters: their number and total size tell sets apart.
            case TensorSlot[] many ->
                many.length + " tensors of "
                        + Arrays.stream(many)
                                .mapToLong(slot -> slot.shape().elementCount())
                                .sum();
            case float[] settings -> settings.length + " settings";
            case Rng _ -> "rng";
            case null -> "-";
            default -> argument.toString();
        };
    }

    /** Shape and dtype of the largest tensor, and the settings where there are some. */
    public String shape() {
        TensorSlot largest = null;
        for (Object argument : arguments) {
            TensorSlot[] candidates = argument instanceof TensorSlot[] many
                    ? many
                    : argument instanceof TensorSlot one ? new TensorSlot[] {one} : new TensorSlot[0];
            for (TensorSlot slot : candidates) {
                if (largest == null
                        || slot.shape().elementCount() > largest.shape().elementCount()) {
                    largest = slot;
                }
            }
        }
        return largest == null ? "" : largest.dtype().toString() + largest.shape();
    }

    DType dtype() {
        for (Object argument : arguments) {
            if (argument instanceof TensorSlot slot && slot.dtype() == DType.BF16) {
                return DType.BF16;
            }
        }
        return DType.F32;
    }
}
