package tenon.engine.backend.cuda;

import static tenon.engine.backend.cuda.Vectors.in;
import static tenon.engine.backend.cuda.Vectors.out;
import static tenon.engine.backend.cuda.Vectors.threads;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import tenon.engine.DType;
import tenon.engine.Rng;
import tenon.engine.Tensor;
import tenon.engine.backend.OpKind;
import tenon.engine.backend.RandomKernels;

/** Philox draws, by own kernels. */
final class CudaRandom implements RandomKernels {
    private static final String FILE = "random";
    /** Most elements of a normal fill that the host computes one by one. */
    private static final int CAPACITY = 1 << 16;
    /** Elements that the host computes at once. */
    private static final int CHUNK = 1 << 20;

    private final CudaBackend backend;
    private final KernelPair dropout;
    private final KernelPair uniform;
    private final KernelPair normal;

    CudaRandom(CudaBackend backend) {
        this.backend = backend;
        dropout = new KernelPair(backend, FILE, "dropout");
        uniform = new KernelPair(backend, FILE, "uniform");
        normal = new KernelPair(backend, FILE, "normal");
    }

    boolean supports(OpKind op, DType dtype) {
        return dtype == DType.F32 || dtype == DType.BF16;
    }

    /** Device address of the step of the draws: a recorded step takes the replay's. */
    private long step(Rng rng) {
        int step = rng.step();
        return backend.scalars.put(Integer.BYTES, (now, to) -> to.set(ValueLayout.JAVA_INT, 0, now.stepOr(step)));
    }

    @Override
    public void dropout(Tensor input, double rate, Rng rng, Tensor output) {
        backend.checkDType("dropout", input, output);
        long count = input.elementCount();
        synchronized (backend.lock) {
            long step = step(rng);
            backend.launch(dropout.of(input.dtype()))
                    .address(in(input))
                    .address(out(output))
                    // The draw is (bits >>> 8)·2^-24, so "draw < rate" is a comparison of integers.
                    .int32((int) Math.ceil(rate * 0x1.0p24))
                    .float32((float) (1 / (1 - rate)))
                    .int64(rng.seed())
                    .int32(rng.stream())
                    .address(step)
                    .int64(count)
                    .elements(threads(count, input.dtype()));
        }
    }

    @Override
    public void uniform(Tensor output, double low, double high, Rng rng) {
        backend.checkDType("uniform", output);
        synchronized (backend.lock) {
            long step = step(rng);
            backend.launch(uniform.of(output.dtype()))
                    .address(out(output))
                    .float64(low)
                    .float64(high - low)
                    .int64(rng.seed())
                    .int32(rng.stream())
                    .address(step)
                    .int64(output.elementCount())
                    .elements(output.elementCount());
        }
    }

    /** Waits for the device: where its functions might round another way than the host's, the host computes. */
    @Override
    public void normal(Tensor output, double mean, double standardDeviation, Rng rng) {
        backend.checkNotCapturing("normal");
        backend.checkDType("normal", output);
        long count = output.elementCount();
        if (count == 0) {
            return;
        }
        synchronized (backend.lock) {
            long counter = backend.scratch.get(Long.BYTES + (long) CAPACITY * Long.BYTES);
            long list = counter + Long.BYTES;
            backend.arithmetic.fill(counter, 0, Long.BYTES);
            backend.launch(normal.of(output.dtype()))
                    .address(out(output))
                    .float64(mean)
                    .float64(standardDeviation)
                    .int64(rng.seed())
                    .int32(rng.stream())
                    .int32(rng.step())
                    .address(counter)
                    .address(list)
                    .int32(CAPACITY)
                    .int64(count)
                    .elements(count);
            int doubtful = backend.arithmetic.readInt(counter);
            if (doubtful > CAPACITY) {
                for (long from = 0; from < count; from += CHUNK) {
                    compute(output, mean, standardDeviation, rng, from, (int) Math.min(CHUNK, count - from));
                }
            } else if (doubtful > 0) {
                long[] indices = new long[doubtful];
                backend.hostCopies.download(list, MemorySegment.ofArray(indices));
                for (long index : indices) {
                    compute(output, mean, standardDeviation, rng, index, 1);
                }
            }
        }
    }

    /** Computes elements from {@code from} on by the host's functions, which are the same everywhere. */
    private void compute(Tensor output, double mean, double standardDeviation, Rng rng, long from, int count) {
        int size = output.dtype().byteSize();
        MemorySegment values = MemorySegment.ofArray(new byte[count * size]);
        for (int i = 0; i < count; i++) {
            float value = (float) (mean + standardDeviation * rng.gaussian(from + i));
            if (output.dtype() == DType.BF16) {
                values.set(ValueLayout.JAVA_SHORT_UNALIGNED, (long) i * size, DType.floatToBf16(value));
            } else {
                values.set(ValueLayout.JAVA_FLOAT_UNALIGNED, (long) i * size, value);
            }
        }
        backend.hostCopies.upload(values, output.storage().blockAddress() + from * size);
    }
}
