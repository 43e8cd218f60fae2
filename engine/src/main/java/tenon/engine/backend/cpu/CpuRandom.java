package tenon.engine.backend.cpu;

import java.lang.foreign.MemorySegment;
import tenon.engine.DType;
import tenon.engine.Rng;
import tenon.engine.Tensor;
import tenon.engine.backend.RandomKernels;

/** Random kernels: each thread computes the Philox blocks of its own range. */
final class CpuRandom implements RandomKernels {
    private static final long GRAIN = 2048;

    private final CpuBackend backend;
    private final DropoutLoops loops = DropoutLoops.best();

    CpuRandom(CpuBackend backend) {
        this.backend = backend;
    }

    @Override
    public void dropout(Tensor input, double rate, Rng rng, Tensor output) {
        backend.checkDType("dropout", input, output);
        MemorySegment in = input.segment();
        MemorySegment out = output.segment();
        // The draw is (bits >>> 8)·2^-24, so "draw < rate" is a comparison of integers.
        int threshold = (int) Math.ceil(rate * 0x1.0p24);
        float keep = (float) (1 / (1 - rate));
        boolean bf16 = input.dtype() == DType.BF16;
        backend.parallel.range(
                input.elementCount(),
                GRAIN,
                (from, to) ->
                        loops.dropout(bf16, in, out, threshold, keep, rng.seed(), rng.step(), rng.stream(), from, to));
    }

    /** A sequence of its own for one thread: {@link Rng} caches a block. */
    private static Rng copy(Rng rng) {
        return new Rng(rng.seed(), rng.stream(), rng.step());
    }

    @Override
    public void uniform(Tensor output, double low, double high, Rng rng) {
        backend.checkDType("uniform", output);
        MemorySegment out = output.segment();
        boolean bf16 = output.dtype() == DType.BF16;
        backend.parallel.range(output.elementCount(), GRAIN, (from, to) -> {
            Rng own = copy(rng);
            for (long i = from; i < to; i++) {
                Floats.set(bf16, out, i, (float) (low + (high - low) * own.uniform(i)));
            }
        });
    }

    @Override
    public void normal(Tensor output, double mean, double standardDeviation, Rng rng) {
        backend.checkDType("normal", output);
        MemorySegment out = output.segment();
        boolean bf16 = output.dtype() == DType.BF16;
        backend.parallel.range(output.elementCount(), GRAIN, (from, to) -> {
            Rng own = copy(rng);
            for (long i = from; i < to; i++) {
                Floats.set(bf16, out, i, (float) (mean + standardDeviation * own.gaussian(i)));
            }
        });
    }
}
