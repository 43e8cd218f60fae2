package tenon.engine.trace;

import tenon.engine.Tensor;

/**
 * One run of a kernel.
 *
 * @param kernel which one
 * @param arguments what it was called with; not to be changed
 * @param startNanos on {@link System#nanoTime}'s clock
 * @param nanos how long it took
 */
public record KernelCall(Kernel kernel, Object[] arguments, long startNanos, long nanos) {
    /** Floating-point operations of matrix products, a multiply-add being two; 0 for other kernels. */
    public long flops() {
        return kernel.flops(arguments);
    }

    /** Bytes that must pass between memory and processor at least. */
    public long bytes() {
        return kernel.bytes(arguments);
    }

    public double gflopsPerSecond() {
        return (double) flops() / Math.max(1, nanos);
    }

    public double gigabytesPerSecond() {
        return (double) bytes() / Math.max(1, nanos);
    }

    /** The tensor with the most elements, in arrays of tensors too. */
    public Tensor largest() {
        return largest(arguments);
    }

    static Tensor largest(Object[] arguments) {
        Tensor largest = null;
        for (Object argument : arguments) {
            Tensor candidate = switch (argument) {
                case Tensor tensor -> tensor;
                case Object[] many -> largest(many);
                case null, default -> null;
            };
            if (candidate != null && (largest == null || candidate.elementCount() > largest.elementCount())) {
                largest = candidate;
            }
        }
        return largest;
    }
}
