package tenon.engine.backend.cpu;

import java.lang.foreign.MemorySegment;

/**
 * The inner loops of optimizer updates, each on the elements [from, to) of one parameter. The scalar version defines them; the vector version computes
 * the same bits except in sums, whose order differs.
 */
interface UpdateLoops {
    /** The vector version where {@link VectorApi} is used. */
    static UpdateLoops best() {
        return VectorApi.isUsed() ? new VectorUpdateLoops() : new ScalarUpdateLoops();
    }

    /** Memory of one parameter, all in one physical order; a parameter of the optimizer re-uses the object at each step. */
    final class Memory {
        MemorySegment weight;
        MemorySegment grad;
        /** First tensor of state; null without momentum. */
        MemorySegment first;
        /** Second tensor of state, or null. */
        MemorySegment second;
        /** BF16 copy of the weight to be written along with it, or null. */
        MemorySegment copy;
        /** Element of the weight that is the first in the copy. */
        long copyStart;

        void of(Memory other) {
            weight = other.weight;
            grad = other.grad;
            first = other.first;
            second = other.second;
            copy = other.copy;
            copyStart = other.copyStart;
        }
    }

    /** One step of SGD, see {@link tenon.engine.backend.UpdateKernels#sgd}; {@code first} is the velocity. */
    void sgd(Memory m, float rate, float momentum, boolean nesterov, float rescale, float decay, long from, long to);

    /**
     * One step of Adam, see {@link tenon.engine.backend.UpdateKernels#adam}.
     *
     * @param correction1 1 / (1 − beta1^t)
     * @param correction2 1 / (1 − beta2^t)
     * @param decay of the gradient (L2)
     * @param shrink factor on the weight before the step (decoupled decay), 1 without
     */
    void adam(
            Memory m,
            float rate,
            float beta1,
            float beta2,
            float epsilon,
            float correction1,
            float correction2,
            float shrink,
            float rescale,
            float decay,
            long from,
            long to);

    /** One step of RMSprop, see {@link tenon.engine.backend.UpdateKernels#rmsprop}; {@code first} averages squares, {@code second} is the buffer. */
    void rmsprop(
            Memory m,
            float rate,
            float smoothing,
            float epsilon,
            float momentum,
            float rescale,
            float decay,
            long from,
            long to);

    /** Sum of squares in F64. */
    double sumOfSquares(MemorySegment in, long from, long to);
}
